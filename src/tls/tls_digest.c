/* SHA-256 over a sequence of values. */
#include "tls/tls_digest.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/mem.h"
#include "base/text.h"

/* Most values are of a few bytes, for which a call of OpenSSL takes longer than
 * the digest: they are collected. */
#define ROOM 1024

struct tls_digest {
	EVP_MD_CTX *md; /* NULL: without memory */
	bool failed;
	size_t len;
	unsigned char bytes[ROOM];
};

const struct evp_md_st *
tls_digest_sha256(void)
{
	static EVP_MD *md;

	if (md == NULL)
		md = EVP_MD_fetch(NULL, "SHA256", NULL);
	return md;
}

struct tls_digest *
tls_digest_new(void)
{
	struct tls_digest *digest = xcalloc(1, sizeof *digest);

	digest->md = EVP_MD_CTX_new();
	digest->failed =
		digest->md == NULL ||
		EVP_DigestInit_ex(digest->md, tls_digest_sha256(), NULL) != 1;
	return digest;
}

static void
update(struct tls_digest *digest, const void *bytes, size_t len)
{
	if (!digest->failed && EVP_DigestUpdate(digest->md, bytes, len) != 1)
		digest->failed = true;
}

static void
flush(struct tls_digest *digest)
{
	update(digest, digest->bytes, digest->len);
	digest->len = 0;
}

static void
add(struct tls_digest *digest, const void *bytes, size_t len)
{
	if (len > ROOM - digest->len)
		flush(digest);
	if (len > ROOM) {
		update(digest, bytes, len);
		return;
	}
	if (len > 0)
		memcpy(digest->bytes + digest->len, bytes, len);
	digest->len += len;
}

void
tls_digest_number(struct tls_digest *digest, uint64_t number)
{
	unsigned char bytes[8];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(number >> (56 - 8 * i));
	add(digest, bytes, sizeof bytes);
}

void
tls_digest_bytes(struct tls_digest *digest, const void *bytes, size_t len)
{
	tls_digest_number(digest, len);
	add(digest, bytes, len);
}

void
tls_digest_text(struct tls_digest *digest, const char *text)
{
	tls_digest_number(digest, text != NULL);
	if (text != NULL)
		tls_digest_bytes(digest, text, strlen(text));
}

void
tls_digest_list(struct tls_digest *digest, const struct text_list *list)
{
	tls_digest_number(digest, list->n);
	for (size_t i = 0; i < list->n; i++)
		tls_digest_text(digest, list->items[i]);
}

void
tls_digest_fail(struct tls_digest *digest)
{
	digest->failed = true;
}

bool
tls_digest_end(struct tls_digest **digest, unsigned char out[TLS_DIGEST_SIZE])
{
	struct tls_digest *it = *digest;
	unsigned char bytes[EVP_MAX_MD_SIZE];
	bool ok;

	*digest = NULL;
	flush(it);
	ok = !it->failed && EVP_DigestFinal_ex(it->md, bytes, NULL) == 1;
	if (ok)
		memcpy(out, bytes, TLS_DIGEST_SIZE);
	EVP_MD_CTX_free(it->md);
	/* Passwords and ticket secrets are among them. */
	mem_wipe(it->bytes, sizeof it->bytes);
	free(it);
	return ok;
}
