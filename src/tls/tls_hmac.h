#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * HMAC (RFC 2104) over OpenSSL's SHA-256 and SHA-384, for the few bytes that
 * the secrets of TLS are made of: with the digests at hand, and nothing looked
 * up by name. Each has contexts of its own for all: only one thread may use
 * this.
 */
struct tls_hmac;

/* Of a digest. */
#define TLS_HMAC_MAX 48

struct tls_hmac_bytes {
	const unsigned char *at; /* NULL: not given */
	size_t len;
};

/* Once is enough. False if OpenSSL has not got the digests or no memory: then
 * nothing else here may be called. */
bool tls_hmac_open(void);

/* By the name of its digest, as libssl ("SHA2-256") or its users ("SHA256")
 * write it; NULL for any other. */
const struct tls_hmac *tls_hmac_find(const char *digest);

size_t tls_hmac_size(const struct tls_hmac *hmac);

/* Bytes that a key may have. */
size_t tls_hmac_key_max(const struct tls_hmac *hmac);

/* The digest of no bytes. */
struct tls_hmac_bytes tls_hmac_empty(const struct tls_hmac *hmac);

/* As many bytes to OUT as a digest has. No secret is left behind. */
bool tls_hmac_once(const struct tls_hmac *hmac, struct tls_hmac_bytes key,
	struct tls_hmac_bytes text, unsigned char *out);

/*
 * The same for several texts under one key, which is taken in but once: begin,
 * next for each of them, and end, which leaves no secret behind and is called
 * whatever the others said. TEXT may be where OUT is. Nothing else of the same
 * digest comes in between.
 */
bool tls_hmac_begin(const struct tls_hmac *hmac, struct tls_hmac_bytes key);
bool tls_hmac_next(const struct tls_hmac *hmac, struct tls_hmac_bytes text,
	unsigned char *out);
bool tls_hmac_end(const struct tls_hmac *hmac);
