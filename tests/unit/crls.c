#include "crls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/pem.h>

#define HOUR_S 3600L

static void
revoke(X509_CRL *crl, const struct cert *cert, ASN1_TIME *when)
{
	X509_REVOKED *entry = X509_REVOKED_new();

	assert_non_null(entry);
	assert_int_equal(X509_REVOKED_set_serialNumber(
				 entry, X509_get_serialNumber(cert->x509)),
		1);
	assert_int_equal(X509_REVOKED_set_revocationDate(entry, when), 1);
	assert_int_equal(X509_CRL_add0_revoked(crl, entry), 1);
}

char *
crl_pem(const struct crl_spec *spec, const struct cert *issuer)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *from = X509_gmtime_adj(
		NULL, spec->from_s != 0 ? spec->from_s : -HOUR_S);
	ASN1_TIME *until = X509_gmtime_adj(
		NULL, spec->until_s != 0 ? spec->until_s : 24 * HOUR_S);
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes = NULL;
	char *text;
	long len;

	assert_int_equal(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
	assert_int_equal(X509_CRL_set_issuer_name(
				 crl, X509_get_subject_name(issuer->x509)),
		1);
	assert_int_equal(X509_CRL_set1_lastUpdate(crl, from), 1);
	assert_int_equal(X509_CRL_set1_nextUpdate(crl, until), 1);
	if (spec->revoked != NULL)
		revoke(crl, spec->revoked, from);
	assert_true(X509_CRL_sign(crl, issuer->key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509_CRL(bio, crl), 1);
	len = BIO_get_mem_data(bio, &bytes);
	text = strndup(bytes, (size_t)len);
	assert_non_null(text);
	BIO_free(bio);
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
	X509_CRL_free(crl);
	return text;
}
