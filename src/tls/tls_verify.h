#pragma once

#include <stdint.h>

struct ssl_st;
struct tls_ctx;
struct tls_failure;
struct x509_st;
struct x509_store_ctx_st;

/* For tls_init(). */
void tls_verify_init(void);

/*
 * The verification of client certificates, for SSL_CTX_set_verify(): refuses
 * what OpenSSL refuses, and a client certificate whose extendedKeyUsage is
 * missing or does not allow clientAuth; and, at the end of a good chain, whom
 * the rules do not let in (tls_admit). Remembers in the SSL which certificate
 * failed first, at which depth; costs memory only then.
 */
int tls_verify_callback(int ok, struct x509_store_ctx_st *store_ctx);

/*
 * The whole verification, for SSL_CTX_set_cert_verify_callback(): a chain that
 * a worker has found good in the same context, byte for byte, less than
 * TLS_SEEN_LIFE_S ago is good, rules included, until the next date in its
 * certificates or in any CRL of the context. Everybody else is verified.
 */
int tls_verify_chain(struct x509_store_ctx_st *store_ctx, void *arg);

/* CTX goes: nothing that was good in it is known any more. NULL: nothing at
 * all, for a new generation that goes on with contexts of the one before. */
void tls_verify_forget(const struct tls_ctx *ctx);

/* How many chains were good because they had been. */
uint64_t tls_verify_recalled(void);

/* From now on what is remembered is judged by a clock that is wrong by SECONDS.
 * For tests. */
void tls_verify_skew(int64_t seconds);

/* The client of SSL whose chain was good and whom only the rules refused;
 * borrowed, NULL where that is not what happened. */
struct x509_st *tls_verify_denied(struct ssl_st *ssl);

/* What the callback remembers of SSL, whose handshake failed for it. */
void tls_verify_explain(struct ssl_st *ssl, struct tls_failure *out);
