#pragma once

struct ssl_st;
struct tls_failure;
struct x509_store_ctx_st;

/*
 * The verification of client certificates, for SSL_CTX_set_verify(): refuses
 * what OpenSSL refuses, and a client certificate whose extendedKeyUsage is
 * missing or does not allow clientAuth. Remembers in the SSL which certificate
 * failed first, at which depth; costs memory only then.
 */
int tls_verify_callback(int ok, struct x509_store_ctx_st *store_ctx);

/* What the callback remembers of SSL, whose handshake failed for it. */
void tls_verify_explain(struct ssl_st *ssl, struct tls_failure *out);
