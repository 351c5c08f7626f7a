#include "tls/tls_hkdf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/crypto.h>

static int
setup(void **state)
{
	(void)state;
	return tls_hmac_open() ? 0 : -1;
}

static struct tls_hmac_bytes
text(const char *text)
{
	return (struct tls_hmac_bytes){
		(const unsigned char *)text, strlen(text)};
}

static struct tls_hmac_bytes
hex(const char *digits, unsigned char *room)
{
	size_t len = 0;

	assert_int_equal(
		OPENSSL_hexstr2buf_ex(room, TLS_HMAC_MAX, &len, digits, '\0'),
		1);
	return (struct tls_hmac_bytes){room, len};
}

static void
assert_hex(const unsigned char *bytes, const char *expected)
{
	unsigned char room[TLS_HMAC_MAX];
	struct tls_hmac_bytes want = hex(expected, room);

	assert_memory_equal(bytes, want.at, want.len);
}

static void
assert_extract(const char *salt, const char *ikm, const char *expected)
{
	unsigned char salt_room[TLS_HMAC_MAX], ikm_room[TLS_HMAC_MAX];
	unsigned char out[TLS_HMAC_MAX];

	assert_true(tls_hkdf_extract(tls_hmac_find("SHA256"),
		hex(salt, salt_room), hex(ikm, ikm_room), out));
	assert_hex(out, expected);
}

static void
assert_expand(const char *secret, const char *label, const char *context,
	const char *expected)
{
	unsigned char secret_room[TLS_HMAC_MAX], context_room[TLS_HMAC_MAX];
	unsigned char out[TLS_HMAC_MAX];
	struct tls_hkdf_label what = {
		.prefix = text("tls13 "), .label = text(label)};

	if (context != NULL)
		what.context = hex(context, context_room);
	assert_true(tls_hkdf_expand_label(tls_hmac_find("SHA2-256"),
		hex(secret, secret_room), &what, out, strlen(expected) / 2));
	assert_hex(out, expected);
}

/* Those of RFC 8448 section 3. */
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define EARLY "33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a"
#define FOR_HANDSHAKE                                                          \
	"6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba"
#define SHARED                                                                 \
	"8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d"
#define HANDSHAKE                                                              \
	"1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac"
#define FOR_MASTER                                                             \
	"43de77e0c77713859a944db9db2590b53190a65b3ee2e4f12dd7a0bb7ce254b4"
#define MASTER                                                                 \
	"18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919"
#define HELLOS                                                                 \
	"860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8"
#define SERVER_TRAFFIC                                                         \
	"b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38"

static void
secrets_are_extracted(void **state)
{
	(void)state;
	assert_extract(ZEROS, ZEROS, EARLY);
	assert_extract(FOR_HANDSHAKE, SHARED, HANDSHAKE);
	assert_extract(FOR_MASTER, ZEROS, MASTER);
}

static void
labels_are_expanded(void **state)
{
	(void)state;
	assert_expand(EARLY, "derived", EMPTY, FOR_HANDSHAKE);
	assert_expand(HANDSHAKE, "derived", EMPTY, FOR_MASTER);
	assert_expand(HANDSHAKE, "s hs traffic", HELLOS, SERVER_TRAFFIC);
	assert_expand(SERVER_TRAFFIC, "key", NULL,
		"3fce516009c21727d0f2e4e86ee403bc");
	assert_expand(SERVER_TRAFFIC, "iv", NULL, "5d313eb2671276ee13000b30");
}

/* No byte beyond LEN is touched. */
static void
as_many_bytes_are_written_as_are_asked_for(void **state)
{
	static const unsigned char secret[32];
	const struct tls_hkdf_label label = {
		.prefix = text("tls13 "), .label = text("iv")};
	unsigned char out[TLS_HMAC_MAX];

	(void)state;
	for (size_t len = 1; len <= 32; len++) {
		memset(out, 0xaa, sizeof out);
		assert_true(tls_hkdf_expand_label(tls_hmac_find("SHA256"),
			(struct tls_hmac_bytes){secret, sizeof secret}, &label,
			out, len));
		for (size_t i = len; i < sizeof out; i++)
			assert_int_equal(out[i], 0xaa);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_are_extracted),
		cmocka_unit_test(labels_are_expanded),
		cmocka_unit_test(as_many_bytes_are_written_as_are_asked_for),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
