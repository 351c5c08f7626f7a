#pragma once

#include <stdbool.h>
#include <stddef.h>

struct ossl_param_st;

/*
 * The key schedule of TLS 1.3 (RFC 8446 section 7.1) as libssl asks
 * OpenSSL's TLS13-KDF for it: some twenty secrets in a handshake, each of one
 * HMAC or two of a few bytes.
 *
 * False for anything else that TLS13-KDF can be asked, errors included, and
 * nothing has been written then. Otherwise *RESULT_OUT is 1, and OUT has LEN
 * bytes, or 0 if OpenSSL's digests failed.
 */
bool tls_kdf13_answer(const struct ossl_param_st *params, unsigned char *out,
	size_t len, int *result_out);
