#pragma once

struct tls_ctx;

/*
 * What the key KEY of a section became in CTX, in OpenSSL's own words:
 * "SSL_OP_NO_COMPRESSION SSL_OP_NO_RENEGOTIATION" for "options", the resulting
 * suites for "ciphers", and so on. The caller frees. NULL: OpenSSL has no
 * setting for KEY, or does not tell.
 */
char *tls_summary_of(struct tls_ctx *ctx, const char *key);
