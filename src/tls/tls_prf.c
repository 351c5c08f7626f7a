/* The PRF of TLS 1.2 over HMAC that is kept ready. */
#include "tls/tls_prf.h"

#include <assert.h>
#include <string.h>

#include <openssl/crypto.h>

/* With A(1) = HMAC(seed) and A(i + 1) = HMAC(A(i)), the bytes are those of
 * HMAC(A(1) + seed), HMAC(A(2) + seed) and so on. */
bool
tls_prf_expand(const struct tls_hmac *hmac, struct tls_hmac_bytes secret,
	struct tls_hmac_bytes seed, unsigned char *out, size_t len)
{
	unsigned char text[TLS_HMAC_MAX + TLS_PRF_SEED_MAX];
	size_t size = tls_hmac_size(hmac);
	struct tls_hmac_bytes a = {text, size};
	struct tls_hmac_bytes a_and_seed = {text, size + seed.len};
	bool is_good;

	assert(len > 0 && seed.len <= TLS_PRF_SEED_MAX);
	memcpy(text + size, seed.at, seed.len);
	is_good =
		tls_hmac_begin(hmac, secret) && tls_hmac_next(hmac, seed, text);
	for (; is_good && len > size; out += size, len -= size)
		is_good = tls_hmac_next(hmac, a_and_seed, out) &&
			  tls_hmac_next(hmac, a, text);
	is_good = is_good && tls_hmac_next(hmac, a_and_seed, text);
	if (is_good)
		memcpy(out, text, len);
	OPENSSL_cleanse(text, sizeof text);
	return tls_hmac_end(hmac) && is_good;
}
