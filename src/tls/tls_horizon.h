#pragma once

#include <stdint.h>

struct ssl_ctx_st;

/*
 * Up to when, in seconds since the epoch, the same certificates, CAs and CRLs
 * would give the same context with the same findings: the first moment after
 * NOW_S at which any of those in SSL_CTX comes into force, is about to expire
 * (tls_load.h, tls_crl.h) or does. INT64_MAX if there is none.
 */
int64_t tls_horizon(struct ssl_ctx_st *ssl_ctx, int64_t now_s);
