#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tls/tls_hmac.h"

/*
 * HKDF (RFC 5869) as TLS 1.3 uses it (RFC 8446 section 7.1), for inputs of a
 * few bytes. It holds no secret between two calls.
 */

/* Of one byte's length, as labels and contexts are. */
#define TLS_HKDF_VECTOR_MAX 255

/* Label and context of HKDF-Expand-Label; PREFIX is "tls13 ", and both
 * together have no more bytes than a vector, as has the context. */
struct tls_hkdf_label {
	struct tls_hmac_bytes prefix;
	struct tls_hmac_bytes label;
	struct tls_hmac_bytes context; /* may be NULL */
};

/* HKDF-Extract: as many bytes to OUT as a digest has. SALT is no longer than a
 * key. */
bool tls_hkdf_extract(const struct tls_hmac *hmac, struct tls_hmac_bytes salt,
	struct tls_hmac_bytes ikm, unsigned char *out);

/* HKDF-Expand-Label: LEN bytes to OUT, no more than a digest has. SECRET is no
 * longer than a key. */
bool tls_hkdf_expand_label(const struct tls_hmac *hmac,
	struct tls_hmac_bytes secret, const struct tls_hkdf_label *label,
	unsigned char *out, size_t len);
