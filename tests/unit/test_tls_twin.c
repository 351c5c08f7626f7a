#include "tls/tls_twin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "certs.h"

/* Signatures and their numbers are of several lengths. */
#define MANY 40

/* As a client would make it: (r, n - s) instead of (r, s). */
static ECDSA_SIG *
other_signature(const X509 *cert, EVP_PKEY *issuer)
{
	const ASN1_BIT_STRING *value;
	const unsigned char *at;
	BIGNUM *order = NULL;
	BIGNUM *s = BN_new();
	ECDSA_SIG *signature;

	X509_get0_signature(&value, NULL, cert);
	at = ASN1_STRING_get0_data(value);
	signature = d2i_ECDSA_SIG(NULL, &at, ASN1_STRING_length(value));
	assert_non_null(signature);
	assert_int_equal(
		EVP_PKEY_get_bn_param(issuer, OSSL_PKEY_PARAM_EC_ORDER, &order),
		1);
	assert_int_equal(BN_sub(s, order, ECDSA_SIG_get0_s(signature)), 1);
	assert_int_equal(ECDSA_SIG_set0(signature,
				 BN_dup(ECDSA_SIG_get0_r(signature)), s),
		1);
	BN_free(order);
	return signature;
}

static int
add_signature(unsigned char **at, ECDSA_SIG *signature)
{
	ASN1_BIT_STRING *value = ASN1_BIT_STRING_new();
	unsigned char *der = NULL;
	int len = i2d_ECDSA_SIG(signature, &der);

	assert_true(len > 0);
	ASN1_STRING_set0(value, der, len);
	value->flags |= ASN1_STRING_FLAG_BITS_LEFT; /* none */
	len = i2d_ASN1_BIT_STRING(value, at);
	ASN1_BIT_STRING_free(value);
	return len;
}

static X509 *
make_twin(X509 *cert, EVP_PKEY *issuer)
{
	ECDSA_SIG *signature = other_signature(cert, issuer);
	unsigned char content[4096], der[sizeof content + 8];
	unsigned char *at = content;
	unsigned char *end = der;
	const unsigned char *in = der;
	const X509_ALGOR *algorithm;
	X509 *twin;

	X509_get0_signature(NULL, &algorithm, cert);
	assert_true(i2d_re_X509_tbs(cert, &at) > 0);
	assert_true(i2d_X509_ALGOR(algorithm, &at) > 0);
	assert_true(add_signature(&at, signature) > 0);
	ECDSA_SIG_free(signature);
	ASN1_put_object(&end, 1, (int)(at - content), V_ASN1_SEQUENCE,
		V_ASN1_UNIVERSAL);
	memcpy(end, content, (size_t)(at - content));
	end += at - content;
	twin = d2i_X509(NULL, &in, end - der);
	assert_non_null(twin);
	assert_ptr_equal(in, end);
	return twin;
}

static void
sha256_of(const X509 *cert, unsigned char out[TLS_TWIN_SHA256_SIZE])
{
	assert_int_equal(X509_digest(cert, EVP_sha256(), out, NULL), 1);
}

/* Of each other, and both are good. */
static void
assert_twins(X509 *cert, const struct cert *ca)
{
	X509 *twin = make_twin(cert, ca->key);
	unsigned char wanted[TLS_TWIN_SHA256_SIZE];
	unsigned char found[TLS_TWIN_SHA256_SIZE];

	assert_int_equal(X509_verify(cert, ca->key), 1);
	assert_int_equal(X509_verify(twin, ca->key), 1);
	sha256_of(twin, wanted);
	assert_int_equal(
		tls_twin_sha256(cert, ca->x509, found), TLS_TWIN_FOUND);
	assert_memory_equal(found, wanted, sizeof wanted);
	sha256_of(cert, wanted);
	assert_memory_not_equal(found, wanted, sizeof wanted);
	assert_int_equal(
		tls_twin_sha256(twin, ca->x509, found), TLS_TWIN_FOUND);
	assert_memory_equal(found, wanted, sizeof wanted);
	assert_int_equal(ERR_peek_error(), 0);
	X509_free(twin);
}

static void
a_twin_is_verified_alike_and_its_twin_is_the_original(void **state)
{
	struct cert ca = cert_make_ca("Test CA");

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		struct cert cert = cert_make_client("billing", &ca);

		assert_twins(cert.x509, &ca);
		cert_done(&cert);
	}
	cert_done(&ca);
}

static void
the_clients_own_key_does_not_matter(void **state)
{
	struct cert ca = cert_make_ca("Test CA");
	struct cert cert = cert_make(
		&(struct cert_spec){.cn = "billing", .key = CERT_RSA}, &ca);

	(void)state;
	assert_twins(cert.x509, &ca);
	cert_done(&cert);
	cert_done(&ca);
}

static void
assert_none(enum cert_key key_of_ca)
{
	struct cert ca = cert_make(
		&(struct cert_spec){
			.cn = "Test CA", .key = key_of_ca, .is_ca = true},
		NULL);
	struct cert cert = cert_make_client("billing", &ca);
	unsigned char untouched[TLS_TWIN_SHA256_SIZE] = {7};

	assert_int_equal(
		tls_twin_sha256(cert.x509, ca.x509, untouched), TLS_TWIN_NONE);
	assert_int_equal(untouched[0], 7);
	cert_done(&cert);
	cert_done(&ca);
}

static void
other_signatures_have_no_twin(void **state)
{
	(void)state;
	assert_none(CERT_RSA);
	assert_none(CERT_ED25519);
}

static void
an_anchor_has_no_twin(void **state)
{
	struct cert cert = cert_make_client("billing", NULL);
	unsigned char digest[TLS_TWIN_SHA256_SIZE];

	(void)state;
	assert_int_equal(
		tls_twin_sha256(cert.x509, NULL, digest), TLS_TWIN_NONE);
	cert_done(&cert);
}

/* Nobody asks before the chain is verified; if ever, nobody gets in. */
static void
a_signature_of_somebody_else_is_a_failure(void **state)
{
	struct cert ca = cert_make_ca("Test CA");
	struct cert rsa = cert_make(
		&(struct cert_spec){
			.cn = "Test CA", .key = CERT_RSA, .is_ca = true},
		NULL);
	struct cert cert = cert_make_client("billing", &rsa);
	unsigned char digest[TLS_TWIN_SHA256_SIZE];

	(void)state;
	assert_int_equal(
		tls_twin_sha256(cert.x509, ca.x509, digest), TLS_TWIN_FAILED);
	assert_int_equal(ERR_peek_error(), 0);
	cert_done(&cert);
	cert_done(&rsa);
	cert_done(&ca);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_twin_is_verified_alike_and_its_twin_is_the_original),
		cmocka_unit_test(the_clients_own_key_does_not_matter),
		cmocka_unit_test(other_signatures_have_no_twin),
		cmocka_unit_test(an_anchor_has_no_twin),
		cmocka_unit_test(a_signature_of_somebody_else_is_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
