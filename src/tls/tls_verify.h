#pragma once

struct ssl_st;
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

/* The client of SSL whose chain was good and whom only the rules refused;
 * borrowed, NULL where that is not what happened. */
struct x509_st *tls_verify_denied(struct ssl_st *ssl);

/* What the callback remembers of SSL, whose handshake failed for it. */
void tls_verify_explain(struct ssl_st *ssl, struct tls_failure *out);
