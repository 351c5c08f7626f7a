#pragma once

#include <stdbool.h>
#include <stddef.h>

struct ossl_param_st;

/*
 * The secrets of TLS 1.2 (RFC 5246 sections 6.3, 7.4.9 and 8.1, RFC 7627) as
 * libssl asks OpenSSL's TLS1-PRF for them: four times in a full handshake, a
 * secret of a few bytes and a seed in up to five parts.
 *
 * False for anything else that TLS1-PRF can be asked, what TLS 1.0 and 1.1
 * ask and errors included, and nothing has been written then. Otherwise
 * *RESULT_OUT is 1, and OUT has LEN bytes, or 0 if OpenSSL's digests failed.
 */
bool tls_kdf12_answer(const struct ossl_param_st *params, unsigned char *out,
	size_t len, int *result_out);
