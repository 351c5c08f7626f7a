#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tls/tls_hmac.h"

/* The PRF of TLS 1.2 (RFC 5246 section 5), which is P_hash of SHA-256 or
 * SHA-384. It holds no secret between two calls. */

/* More than a label and two randoms, or a label and a digest. */
#define TLS_PRF_SEED_MAX 128

/* LEN bytes to OUT, of SEED with its label in front. SECRET is no longer than
 * a key of the HMAC, SEED than the above. */
bool tls_prf_expand(const struct tls_hmac *hmac, struct tls_hmac_bytes secret,
	struct tls_hmac_bytes seed, unsigned char *out, size_t len);
