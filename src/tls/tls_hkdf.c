/* HKDF over HMAC that is kept ready. */
#include "tls/tls_hkdf.h"

#include <assert.h>
#include <string.h>

#include <openssl/crypto.h>

bool
tls_hkdf_extract(const struct tls_hmac *hmac, struct tls_hmac_bytes salt,
	struct tls_hmac_bytes ikm, unsigned char *out)
{
	return tls_hmac_once(hmac, salt, ikm, out);
}

static size_t
put(unsigned char *out, struct tls_hmac_bytes bytes)
{
	if (bytes.len > 0)
		memcpy(out, bytes.at, bytes.len);
	return bytes.len;
}

/* So few bytes are the beginning of the first T of HKDF-Expand, which is the
 * HMAC of info and a 1. */
bool
tls_hkdf_expand_label(const struct tls_hmac *hmac, struct tls_hmac_bytes secret,
	const struct tls_hkdf_label *label, unsigned char *out, size_t len)
{
	unsigned char
		info[2 + 1 + TLS_HKDF_VECTOR_MAX + 1 + TLS_HKDF_VECTOR_MAX + 1];
	unsigned char t[TLS_HMAC_MAX];
	size_t n = 0;
	bool is_good;

	assert(len <= tls_hmac_size(hmac) &&
		label->prefix.len + label->label.len <= TLS_HKDF_VECTOR_MAX &&
		label->context.len <= TLS_HKDF_VECTOR_MAX);
	info[n++] = 0; /* LEN has two bytes */
	info[n++] = (unsigned char)len;
	info[n++] = (unsigned char)(label->prefix.len + label->label.len);
	n += put(info + n, label->prefix);
	n += put(info + n, label->label);
	info[n++] = (unsigned char)label->context.len;
	n += put(info + n, label->context);
	info[n++] = 1;
	is_good = tls_hmac_once(
		hmac, secret, (struct tls_hmac_bytes){info, n}, t);
	if (is_good)
		memcpy(out, t, len);
	OPENSSL_cleanse(t, sizeof t);
	return is_good;
}
