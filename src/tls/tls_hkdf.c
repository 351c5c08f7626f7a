/* HKDF over digests that are kept ready. */
#include "tls/tls_hkdf.h"

#include <assert.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define BLOCK_MAX 128 /* SHA-384 */

struct tls_hkdf {
	const char *name;  /* as libssl has it */
	const char *alias; /* as its users may */
	size_t size;
	size_t block_size;
	EVP_MD_CTX *ctx;
	unsigned char empty[TLS_HKDF_MAX];
};

static struct tls_hkdf hashes[] = {
	{.name = "SHA2-256", .alias = "SHA256", .size = 32, .block_size = 64},
	{.name = "SHA2-384", .alias = "SHA384", .size = 48, .block_size = 128},
};

#define N_HASHES (sizeof hashes / sizeof hashes[0])

/* ---- the digest ---- */

/* NULL keeps the digest that the context has. */
static bool
begin_digest(const struct tls_hkdf *hkdf)
{
	return EVP_DigestInit_ex2(hkdf->ctx, NULL, NULL) == 1;
}

static bool
add(const struct tls_hkdf *hkdf, const void *bytes, size_t len)
{
	return EVP_DigestUpdate(hkdf->ctx, bytes, len) == 1;
}

static bool
end_digest(const struct tls_hkdf *hkdf, unsigned char *out)
{
	return EVP_DigestFinal_ex(hkdf->ctx, out, NULL) == 1;
}

/* The state that is left is the last digest, and the buffer has what went into
 * it: a beginning goes over the one, zeros over the other, one too few for
 * OpenSSL to hash them. */
static bool
wipe_digest(const struct tls_hkdf *hkdf)
{
	static const unsigned char zeros[BLOCK_MAX];

	return begin_digest(hkdf) && add(hkdf, zeros, hkdf->block_size - 1);
}

/* ---- HMAC (RFC 2104) ---- */

/* Begins with KEY, of a block at most, and one of the two pads. */
static bool
begin_hash(const struct tls_hkdf *hkdf, struct tls_hkdf_bytes key,
	unsigned char pad_with)
{
	unsigned char pad[BLOCK_MAX];
	bool is_good;

	assert(key.len <= hkdf->block_size);
	memset(pad, pad_with, hkdf->block_size);
	for (size_t i = 0; i < key.len; i++)
		pad[i] ^= key.at[i];
	is_good = begin_digest(hkdf) && add(hkdf, pad, hkdf->block_size);
	OPENSSL_cleanse(pad, sizeof pad);
	return is_good;
}

static bool
hmac(const struct tls_hkdf *hkdf, struct tls_hkdf_bytes key,
	struct tls_hkdf_bytes text, unsigned char *out)
{
	unsigned char inner[TLS_HKDF_MAX];
	bool is_good = begin_hash(hkdf, key, 0x36) &&
		       add(hkdf, text.at, text.len) &&
		       end_digest(hkdf, inner) && begin_hash(hkdf, key, 0x5c) &&
		       add(hkdf, inner, hkdf->size) && end_digest(hkdf, out);

	OPENSSL_cleanse(inner, sizeof inner);
	return wipe_digest(hkdf) && is_good;
}

/* ---- HKDF ---- */

bool
tls_hkdf_extract(const struct tls_hkdf *hkdf, struct tls_hkdf_bytes salt,
	struct tls_hkdf_bytes ikm, unsigned char *out)
{
	return hmac(hkdf, salt, ikm, out);
}

static size_t
put(unsigned char *out, struct tls_hkdf_bytes bytes)
{
	if (bytes.len > 0)
		memcpy(out, bytes.at, bytes.len);
	return bytes.len;
}

/* So few bytes are the beginning of the first T of HKDF-Expand, which is the
 * HMAC of info and a 1. */
bool
tls_hkdf_expand_label(const struct tls_hkdf *hkdf, struct tls_hkdf_bytes secret,
	const struct tls_hkdf_label *label, unsigned char *out, size_t len)
{
	unsigned char
		info[2 + 1 + TLS_HKDF_VECTOR_MAX + 1 + TLS_HKDF_VECTOR_MAX + 1];
	unsigned char t[TLS_HKDF_MAX];
	size_t n = 0;
	bool is_good;

	assert(len <= hkdf->size &&
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
	is_good = hmac(hkdf, secret, (struct tls_hkdf_bytes){info, n}, t);
	if (is_good)
		memcpy(out, t, len);
	OPENSSL_cleanse(t, sizeof t);
	return is_good;
}

/* ---- what there is ---- */

/* For the life of the process. */
static bool
open_hash(struct tls_hkdf *hkdf)
{
	EVP_MD *md = EVP_MD_fetch(NULL, hkdf->name, NULL);
	bool is_open;

	hkdf->ctx = EVP_MD_CTX_new();
	is_open = md != NULL && hkdf->ctx != NULL &&
		  (size_t)EVP_MD_get_size(md) == hkdf->size &&
		  (size_t)EVP_MD_get_block_size(md) == hkdf->block_size &&
		  EVP_DigestInit_ex2(hkdf->ctx, md, NULL) == 1 &&
		  end_digest(hkdf, hkdf->empty);
	EVP_MD_free(md); /* the context has its own reference */
	return is_open;
}

bool
tls_hkdf_open(void)
{
	for (size_t i = 0; i < N_HASHES; i++)
		if (!open_hash(&hashes[i]))
			return false;
	return true;
}

const struct tls_hkdf *
tls_hkdf_find(const char *digest)
{
	for (size_t i = 0; i < N_HASHES; i++)
		if (strcmp(digest, hashes[i].name) == 0 ||
			strcmp(digest, hashes[i].alias) == 0)
			return &hashes[i];
	return NULL;
}

size_t
tls_hkdf_size(const struct tls_hkdf *hkdf)
{
	return hkdf->size;
}

size_t
tls_hkdf_key_max(const struct tls_hkdf *hkdf)
{
	return hkdf->block_size;
}

struct tls_hkdf_bytes
tls_hkdf_empty(const struct tls_hkdf *hkdf)
{
	return (struct tls_hkdf_bytes){hkdf->empty, hkdf->size};
}
