#include "hex_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/crypto.h>

struct tls_hmac_bytes
hex_bytes(const char *digits, unsigned char room[HEX_BYTES_ROOM])
{
	size_t len = 0;

	assert_int_equal(
		OPENSSL_hexstr2buf_ex(room, HEX_BYTES_ROOM, &len, digits, '\0'),
		1);
	return (struct tls_hmac_bytes){room, len};
}
