#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evp_md_st;
struct text_list;

/*
 * SHA-256 over a sequence of values, each with its length, so that no two
 * sequences look alike; numbers big-endian, so that all machines of a fleet
 * come to the same. The first failure sticks, and comes out at the end.
 */
struct tls_digest;

#define TLS_DIGEST_SIZE 32

/* SHA-256 itself, looked up once for this process: OpenSSL 3 is slow at that.
 * NULL without memory. */
const struct evp_md_st *tls_digest_sha256(void);

/* Dies without memory of our own (mem.h). */
struct tls_digest *tls_digest_new(void);

void tls_digest_number(struct tls_digest *digest, uint64_t number);
void tls_digest_bytes(struct tls_digest *digest, const void *bytes, size_t len);
/* NULL is not the same as empty. */
void tls_digest_text(struct tls_digest *digest, const char *text);
void tls_digest_list(struct tls_digest *digest, const struct text_list *list);

/* What should have been in it cannot be had. */
void tls_digest_fail(struct tls_digest *digest);

/* Frees it. False, and nothing in OUT, when anything failed. */
bool tls_digest_end(
	struct tls_digest **digest, unsigned char out[TLS_DIGEST_SIZE]);
