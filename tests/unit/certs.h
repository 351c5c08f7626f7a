#pragma once

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

/* Certificates made in memory, for tests. Every failure ends the test. */

enum cert_key { CERT_EC, CERT_RSA, CERT_ED25519 };

/* Zero-initialised but for the name: an EC leaf, valid from an hour ago for
 * 90 days, without extendedKeyUsage. */
struct cert_spec {
	const char *cn;
	const char *o; /* NULL: none */
	enum cert_key key;
	int bits;     /* of an RSA key; 0: 2048 */
	long from_s;  /* from now; 0: an hour ago */
	long until_s; /* from now; 0: 90 days */
	bool is_ca;
	const char *basic; /* basicConstraints; NULL: by is_ca, "": none */
	const char *usage; /* keyUsage; NULL: by is_ca, "": none */
	const char *eku;
	const char *san;
	const char *constraints; /* nameConstraints */
	const EVP_MD *digest;    /* NULL: SHA-256 */
	bool no_skid;
	const X509_NAME *subject;  /* instead of cn and o */
	const GENERAL_NAMES *sans; /* instead of san */
};

struct cert {
	X509 *x509;
	EVP_PKEY *key;
};

/* Signed by ISSUER, by itself when that is NULL. */
struct cert cert_make(const struct cert_spec *spec, const struct cert *issuer);
void cert_done(struct cert *cert);

/* The usual ones. */
struct cert cert_make_ca(const char *cn);
struct cert cert_make_client(const char *cn, const struct cert *issuer);
struct cert cert_make_server(const char *cn, const struct cert *issuer);

/* PEM text; the caller frees. A key with a password is encrypted PKCS#8. */
char *cert_pem(const struct cert *cert);
char *cert_key_pem(const struct cert *cert, const char *password);
