/* HMAC over digests that are kept ready. */
#include "tls/tls_hmac.h"

#include <assert.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define BLOCK_MAX 128 /* SHA-384 */

#define INNER_PAD 0x36
#define OUTER_PAD 0x5c

struct tls_hmac {
	const char *name;  /* as libssl has it */
	const char *alias; /* as its users may */
	size_t size;
	size_t block_size;
	EVP_MD_CTX *digest;
	EVP_MD_CTX *inner; /* with a key in it from begin to end */
	EVP_MD_CTX *outer;
	unsigned char empty[TLS_HMAC_MAX];
};

static struct tls_hmac hmacs[] = {
	{.name = "SHA2-256", .alias = "SHA256", .size = 32, .block_size = 64},
	{.name = "SHA2-384", .alias = "SHA384", .size = 48, .block_size = 128},
};

#define N_HMACS (sizeof hmacs / sizeof hmacs[0])

/* ---- digests ---- */

/* NULL keeps the digest that the context has. */
static bool
begin_digest(EVP_MD_CTX *digest)
{
	return EVP_DigestInit_ex2(digest, NULL, NULL) == 1;
}

static bool
add(EVP_MD_CTX *digest, const void *bytes, size_t len)
{
	return EVP_DigestUpdate(digest, bytes, len) == 1;
}

static bool
end_digest(EVP_MD_CTX *digest, unsigned char *out)
{
	return EVP_DigestFinal_ex(digest, out, NULL) == 1;
}

/* The state that is left is the last digest, or a key, and the buffer has what
 * went into it: a beginning goes over the one, zeros over the other, one too
 * few for OpenSSL to hash them. */
static bool
wipe_digest(const struct tls_hmac *hmac, EVP_MD_CTX *digest)
{
	static const unsigned char zeros[BLOCK_MAX];

	return begin_digest(digest) && add(digest, zeros, hmac->block_size - 1);
}

/* Begins with KEY, of a block at most, and one of the two pads. */
static bool
begin_with_key(const struct tls_hmac *hmac, EVP_MD_CTX *digest,
	struct tls_hmac_bytes key, unsigned char pad_with)
{
	unsigned char pad[BLOCK_MAX];
	bool is_good;

	assert(key.len <= hmac->block_size);
	memset(pad, pad_with, hmac->block_size);
	for (size_t i = 0; i < key.len; i++)
		pad[i] ^= key.at[i];
	is_good = begin_digest(digest) && add(digest, pad, hmac->block_size);
	OPENSSL_cleanse(pad, sizeof pad);
	return is_good;
}

/* ---- HMAC ---- */

bool
tls_hmac_once(const struct tls_hmac *hmac, struct tls_hmac_bytes key,
	struct tls_hmac_bytes text, unsigned char *out)
{
	EVP_MD_CTX *digest = hmac->digest;
	unsigned char inner[TLS_HMAC_MAX];
	bool is_good =
		begin_with_key(hmac, digest, key, INNER_PAD) &&
		add(digest, text.at, text.len) && end_digest(digest, inner) &&
		begin_with_key(hmac, digest, key, OUTER_PAD) &&
		add(digest, inner, hmac->size) && end_digest(digest, out);

	OPENSSL_cleanse(inner, sizeof inner);
	return wipe_digest(hmac, digest) && is_good;
}

bool
tls_hmac_begin(const struct tls_hmac *hmac, struct tls_hmac_bytes key)
{
	return begin_with_key(hmac, hmac->inner, key, INNER_PAD) &&
	       begin_with_key(hmac, hmac->outer, key, OUTER_PAD);
}

/* A copy costs less than to hash a key again. OpenSSL wipes what it goes
 * over. */
bool
tls_hmac_next(const struct tls_hmac *hmac, struct tls_hmac_bytes text,
	unsigned char *out)
{
	EVP_MD_CTX *digest = hmac->digest;
	unsigned char inner[TLS_HMAC_MAX];
	bool is_good =
		EVP_MD_CTX_copy_ex(digest, hmac->inner) == 1 &&
		add(digest, text.at, text.len) && end_digest(digest, inner) &&
		EVP_MD_CTX_copy_ex(digest, hmac->outer) == 1 &&
		add(digest, inner, hmac->size) && end_digest(digest, out);

	OPENSSL_cleanse(inner, sizeof inner);
	return is_good;
}

/* All three, whatever becomes of one. */
bool
tls_hmac_end(const struct tls_hmac *hmac)
{
	bool is_good = wipe_digest(hmac, hmac->digest);

	is_good = wipe_digest(hmac, hmac->inner) && is_good;
	return wipe_digest(hmac, hmac->outer) && is_good;
}

/* ---- what there is ---- */

/* A context for the life of the process, with its own reference to MD. */
static EVP_MD_CTX *
new_digest(const EVP_MD *md)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();

	if (digest != NULL && EVP_DigestInit_ex2(digest, md, NULL) != 1) {
		EVP_MD_CTX_free(digest);
		return NULL;
	}
	return digest;
}

static bool
open_hmac(struct tls_hmac *hmac)
{
	EVP_MD *md = EVP_MD_fetch(NULL, hmac->name, NULL);
	bool is_open = false;

	if (md == NULL || (size_t)EVP_MD_get_size(md) != hmac->size ||
		(size_t)EVP_MD_get_block_size(md) != hmac->block_size)
		goto out;
	hmac->digest = new_digest(md);
	hmac->inner = new_digest(md);
	hmac->outer = new_digest(md);
	is_open = hmac->digest != NULL && hmac->inner != NULL &&
		  hmac->outer != NULL && end_digest(hmac->digest, hmac->empty);
out:
	EVP_MD_free(md);
	return is_open;
}

bool
tls_hmac_open(void)
{
	static bool is_open;

	if (is_open)
		return true;
	for (size_t i = 0; i < N_HMACS; i++)
		if (!open_hmac(&hmacs[i]))
			return false;
	is_open = true;
	return true;
}

const struct tls_hmac *
tls_hmac_find(const char *digest)
{
	for (size_t i = 0; i < N_HMACS; i++)
		if (strcmp(digest, hmacs[i].name) == 0 ||
			strcmp(digest, hmacs[i].alias) == 0)
			return &hmacs[i];
	return NULL;
}

size_t
tls_hmac_size(const struct tls_hmac *hmac)
{
	return hmac->size;
}

size_t
tls_hmac_key_max(const struct tls_hmac *hmac)
{
	return hmac->block_size;
}

struct tls_hmac_bytes
tls_hmac_empty(const struct tls_hmac *hmac)
{
	return (struct tls_hmac_bytes){hmac->empty, hmac->size};
}
