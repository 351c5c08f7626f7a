#pragma once

struct identity;
struct ssl_st;
struct x509_st;

/* What CERT says of its holder; NULL without memory. The caller frees
 * (identity_free). Never follows a pointer out of CERT: any bytes that OpenSSL
 * accepted as a certificate are fine. */
struct identity *tls_peer_identity_of(struct x509_st *cert);

/* The same, with what ISSUER says of itself: the certificate whose key was
 * found to have signed CERT. NULL: not known. */
struct identity *tls_peer_identity_with_issuer(
	struct x509_st *cert, struct x509_st *issuer);

/* Adds twin_sha256 to IDENTITY, which is that of CERT, signed by ISSUER (may be
 * NULL). -1 without memory. */
int tls_peer_add_twin(struct identity *identity, const struct x509_st *cert,
	struct x509_st *issuer);

/* What the verified client of SSL says of itself; NULL when it showed none. The
 * issuer is known after a full handshake only: a session does not keep the
 * chain. */
struct identity *tls_peer_identity(struct ssl_st *ssl);
