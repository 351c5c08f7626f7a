#pragma once

struct x509_st;

/*
 * The other certificate that says the same.
 *
 * Who has an ECDSA signature (r, s) can make (r, n - s) of it, which is as
 * good. So every certificate with such a signature has a twin, which anybody
 * can make: names, number and key are the same, it is verified alike, and only
 * the fingerprint is another one.
 */

#define TLS_TWIN_SHA256_SIZE 32

enum tls_twin {
	TLS_TWIN_FOUND,
	TLS_TWIN_NONE,  /* another sort of signature */
	TLS_TWIN_FAILED /* no memory, or no signature of ECDSA at all */
};

/*
 * Writes the SHA-256 fingerprint that the twin of CERT has, if there is one.
 * ISSUER is who has signed CERT, as was verified; NULL where CERT is an anchor
 * itself, of which no other byte would do.
 */
enum tls_twin tls_twin_sha256(const struct x509_st *cert,
	struct x509_st *issuer, unsigned char out[TLS_TWIN_SHA256_SIZE]);
