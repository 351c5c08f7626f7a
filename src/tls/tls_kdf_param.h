#pragma once

#include <stdbool.h>

#include "tls/tls_hmac.h"

struct ossl_param_st;

/*
 * Single parameters of a question to a key derivation function, as libssl
 * writes them. False, with the output as it was, for one that is of another
 * type or has nothing in it, or if the output has had one before: OpenSSL has
 * rules of its own for those.
 */

/* A digest that there is an HMAC for. */
bool tls_kdf_param_read_digest(
	const struct ossl_param_st *param, const struct tls_hmac **hmac_out);

/* What the parameter points to, not a copy. */
bool tls_kdf_param_read_bytes(
	const struct ossl_param_st *param, struct tls_hmac_bytes *bytes_out);
