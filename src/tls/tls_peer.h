#pragma once

struct identity;
struct ssl_st;
struct x509_st;

/* What CERT says of its holder; NULL without memory. The caller frees
 * (identity_free). Never follows a pointer out of CERT: any bytes that OpenSSL
 * accepted as a certificate are fine. */
struct identity *tls_peer_identity_of(struct x509_st *cert);

/* The same of the verified client of SSL; NULL when it showed none. */
struct identity *tls_peer_identity(struct ssl_st *ssl);
