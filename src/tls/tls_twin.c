/* A certificate with the other of its two ECDSA signatures. */
#include "config.h"

#include "tls/tls_twin.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

static bool
signs_with_ecdsa(X509 *issuer)
{
	const EVP_PKEY *key = X509_get0_pubkey(issuer);

	return key != NULL && EVP_PKEY_is_a(key, "EC") == 1;
}

/* n */
static BIGNUM *
order_of(X509 *issuer)
{
	BIGNUM *order = NULL;

	return EVP_PKEY_get_bn_param(X509_get0_pubkey(issuer),
		       OSSL_PKEY_PARAM_EC_ORDER, &order) == 1
		       ? order
		       : NULL;
}

/* (r, s) to (r, n - s). */
static bool
turn(ECDSA_SIG *signature, const BIGNUM *order)
{
	BIGNUM *r = BN_dup(ECDSA_SIG_get0_r(signature));
	BIGNUM *s = BN_new();

	if (r != NULL && s != NULL &&
		BN_sub(s, order, ECDSA_SIG_get0_s(signature)) == 1 &&
		ECDSA_SIG_set0(signature, r, s) == 1)
		return true;
	BN_free(r);
	BN_free(s);
	return false;
}

/* The other signature in DER; its length, or -1. */
static int
other_signature(
	const ASN1_BIT_STRING *value, const BIGNUM *order, unsigned char **out)
{
	const unsigned char *at = ASN1_STRING_get0_data(value);
	ECDSA_SIG *signature =
		d2i_ECDSA_SIG(NULL, &at, ASN1_STRING_length(value));
	int len = -1;

	if (signature != NULL && turn(signature, order))
		len = i2d_ECDSA_SIG(signature, out);
	ECDSA_SIG_free(signature);
	return len > 0 ? len : -1;
}

/* As a BIT STRING, with the byte that says how many bits are left over. */
static int
size_as_bits(int signature_len)
{
	return ASN1_object_size(0, signature_len + 1, V_ASN1_BIT_STRING);
}

/* What is in front of the signature, and a part of the twin too. */
struct front {
	const unsigned char *bytes;
	long len;
};

static struct front
front_of(const unsigned char *der, int der_len, int signature_len)
{
	struct front front = {der, 0};
	int tag, class;

	(void)ASN1_get_object(&front.bytes, &front.len, &tag, &class, der_len);
	front.len -= size_as_bits(signature_len);
	return front;
}

/* FRONT and SIGNATURE together. */
static bool
fingerprint(const struct front *front, const unsigned char *signature, int len,
	unsigned char out[TLS_TWIN_SHA256_SIZE])
{
	int content = (int)front->len + size_as_bits(len);
	int size = ASN1_object_size(1, content, V_ASN1_SEQUENCE);
	unsigned char *der = malloc((size_t)size);
	unsigned char *at = der;
	bool ok;

	if (der == NULL)
		return false;
	ASN1_put_object(&at, 1, content, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	memcpy(at, front->bytes, (size_t)front->len);
	at += front->len;
	ASN1_put_object(&at, 0, len + 1, V_ASN1_BIT_STRING, V_ASN1_UNIVERSAL);
	*at++ = 0;
	memcpy(at, signature, (size_t)len);
	ok = EVP_Digest(der, (size_t)size, out, NULL, EVP_sha256(), NULL) == 1;
	free(der);
	return ok;
}

static bool
fingerprint_with_order(const X509 *cert, const BIGNUM *order,
	unsigned char out[TLS_TWIN_SHA256_SIZE])
{
	const ASN1_BIT_STRING *value = NULL;
	unsigned char *der = NULL;
	unsigned char *other = NULL;
	int der_len = i2d_X509(cert, &der);
	struct front front;
	bool ok = false;
	int len;

	X509_get0_signature(&value, NULL, cert);
	len = other_signature(value, order, &other);
	if (der_len > 0 && len > 0) {
		front = front_of(der, der_len, ASN1_STRING_length(value));
		ok = fingerprint(&front, other, len, out);
	}
	OPENSSL_free(other);
	OPENSSL_free(der);
	return ok;
}

static enum tls_twin
find(const X509 *cert, X509 *issuer, unsigned char out[TLS_TWIN_SHA256_SIZE])
{
	BIGNUM *order;
	bool ok;

	if (issuer == NULL || !signs_with_ecdsa(issuer))
		return TLS_TWIN_NONE;
	order = order_of(issuer);
	ok = order != NULL && fingerprint_with_order(cert, order, out);
	BN_free(order);
	return ok ? TLS_TWIN_FOUND : TLS_TWIN_FAILED;
}

enum tls_twin
tls_twin_sha256(const struct x509_st *cert, struct x509_st *issuer,
	unsigned char out[TLS_TWIN_SHA256_SIZE])
{
	enum tls_twin answer;

	(void)ERR_set_mark();
	answer = find(cert, issuer, out);
	(void)ERR_pop_to_mark();
	return answer;
}
