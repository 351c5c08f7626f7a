#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * HKDF (RFC 5869) as TLS 1.3 uses it (RFC 8446 section 7.1), over OpenSSL's
 * SHA-256 and SHA-384: for inputs of a few bytes, with the digests at hand
 * and nothing allocated. Each hash has one context for all: only one thread
 * may use this. It holds no secret between two calls.
 */
struct tls_hkdf;

/* Of a digest. */
#define TLS_HKDF_MAX 48

/* Of one byte's length, as labels and contexts are. */
#define TLS_HKDF_VECTOR_MAX 255

struct tls_hkdf_bytes {
	const unsigned char *at; /* NULL: not given */
	size_t len;
};

/* Label and context of HKDF-Expand-Label; PREFIX is "tls13 ", and both
 * together have no more bytes than a vector, as has the context. */
struct tls_hkdf_label {
	struct tls_hkdf_bytes prefix;
	struct tls_hkdf_bytes label;
	struct tls_hkdf_bytes context; /* may be NULL */
};

/* Once. False if OpenSSL has not got the digests or no memory: then nothing
 * else here may be called. */
bool tls_hkdf_open(void);

/* By the name of its digest, as libssl ("SHA2-256") or its users ("SHA256")
 * write it; NULL for any other. */
const struct tls_hkdf *tls_hkdf_find(const char *digest);

size_t tls_hkdf_size(const struct tls_hkdf *hkdf);

/* Bytes that a key of the HMAC below may have: a secret, or a salt. */
size_t tls_hkdf_key_max(const struct tls_hkdf *hkdf);

/* The hash of no bytes. */
struct tls_hkdf_bytes tls_hkdf_empty(const struct tls_hkdf *hkdf);

/* HKDF-Extract: as many bytes to OUT as a digest has. */
bool tls_hkdf_extract(const struct tls_hkdf *hkdf, struct tls_hkdf_bytes salt,
	struct tls_hkdf_bytes ikm, unsigned char *out);

/* HKDF-Expand-Label: LEN bytes to OUT, no more than a digest has. */
bool tls_hkdf_expand_label(const struct tls_hkdf *hkdf,
	struct tls_hkdf_bytes secret, const struct tls_hkdf_label *label,
	unsigned char *out, size_t len);
