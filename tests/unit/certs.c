#include "certs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bio.h>
#include <openssl/pem.h>

#define HOUR_S 3600L
#define DAY_S  (24 * HOUR_S)

static EVP_PKEY *
make_key(const struct cert_spec *spec)
{
	size_t bits = spec->bits != 0 ? (size_t)spec->bits : 2048;

	switch (spec->key) {
	case CERT_EC:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	case CERT_RSA:
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits);
	case CERT_ED25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	}
	return NULL;
}

static void
add_name_part(X509_NAME *name, const char *field, const char *text)
{
	if (text != NULL)
		assert_int_equal(
			X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
				(const unsigned char *)text, -1, -1, 0),
			1);
}

static void
set_subject(X509 *x509, const struct cert_spec *spec)
{
	X509_NAME *name;

	if (spec->subject != NULL) {
		assert_int_equal(X509_set_subject_name(x509, spec->subject), 1);
		return;
	}
	name = X509_NAME_new();
	assert_non_null(name);
	add_name_part(name, "O", spec->o);
	add_name_part(name, "CN", spec->cn);
	assert_int_equal(X509_set_subject_name(x509, name), 1);
	X509_NAME_free(name);
}

static void
add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	if (value == NULL || value[0] == '\0')
		return;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, x509, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(x509, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static void
add_extensions(X509 *x509, const struct cert_spec *spec, X509 *issuer)
{
	const char *basic = spec->basic;
	const char *usage = spec->usage;

	if (basic == NULL && spec->is_ca)
		basic = "critical,CA:TRUE";
	if (usage == NULL)
		usage = spec->is_ca ? "critical,keyCertSign,cRLSign"
				    : "critical,digitalSignature";
	add_extension(x509, issuer, NID_basic_constraints, basic);
	add_extension(x509, issuer, NID_key_usage, usage);
	add_extension(x509, issuer, NID_ext_key_usage, spec->eku);
	add_extension(x509, issuer, NID_subject_alt_name, spec->san);
	add_extension(x509, issuer, NID_name_constraints, spec->constraints);
	if (spec->sans != NULL)
		assert_int_equal(X509_add1_ext_i2d(x509, NID_subject_alt_name,
					 (void *)(uintptr_t)spec->sans, 0, 0),
			1);
	if (!spec->no_skid)
		add_extension(x509, issuer, NID_subject_key_identifier, "hash");
	if (issuer != x509)
		add_extension(
			x509, issuer, NID_authority_key_identifier, "keyid");
}

struct cert
cert_make(const struct cert_spec *spec, const struct cert *issuer)
{
	static long serial = 0x0ab0;
	struct cert cert = {X509_new(), make_key(spec)};
	X509 *issuer_x509 = issuer != NULL ? issuer->x509 : cert.x509;
	EVP_PKEY *issuer_key = issuer != NULL ? issuer->key : cert.key;
	long from_s = spec->from_s != 0 ? spec->from_s : -HOUR_S;
	long until_s = spec->until_s != 0 ? spec->until_s : 90 * DAY_S;

	assert_non_null(cert.x509);
	assert_non_null(cert.key);
	assert_int_equal(X509_set_version(cert.x509, X509_VERSION_3), 1);
	ASN1_INTEGER_set(X509_get_serialNumber(cert.x509), serial++);
	X509_gmtime_adj(X509_getm_notBefore(cert.x509), from_s);
	X509_gmtime_adj(X509_getm_notAfter(cert.x509), until_s);
	assert_int_equal(X509_set_pubkey(cert.x509, cert.key), 1);
	set_subject(cert.x509, spec);
	assert_int_equal(X509_set_issuer_name(
				 cert.x509, X509_get_subject_name(issuer_x509)),
		1);
	add_extensions(cert.x509, spec, issuer_x509);
	assert_true(X509_sign(cert.x509, issuer_key,
			    EVP_PKEY_is_a(issuer_key, "ED25519") ? NULL
			    : spec->digest != NULL               ? spec->digest
						   : EVP_sha256()) > 0);
	return cert;
}

void
cert_done(struct cert *cert)
{
	X509_free(cert->x509);
	EVP_PKEY_free(cert->key);
	*cert = (struct cert){NULL, NULL};
}

struct cert
cert_make_ca(const char *cn)
{
	return cert_make(&(struct cert_spec){.cn = cn, .is_ca = true}, NULL);
}

struct cert
cert_make_client(const char *cn, const struct cert *issuer)
{
	return cert_make(
		&(struct cert_spec){.cn = cn, .eku = "clientAuth"}, issuer);
}

struct cert
cert_make_server(const char *cn, const struct cert *issuer)
{
	return cert_make(
		&(struct cert_spec){
			.cn = cn, .eku = "serverAuth", .san = "DNS:localhost"},
		issuer);
}

static char *
take_text(BIO *bio)
{
	char *bytes = NULL;
	long len = BIO_get_mem_data(bio, &bytes);
	char *text = strndup(bytes, (size_t)len);

	assert_non_null(text);
	BIO_free(bio);
	return text;
}

char *
cert_pem(const struct cert *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_X509(bio, cert->x509), 1);
	return take_text(bio);
}

char *
cert_key_pem(const struct cert *cert, const char *password)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int len = password != NULL ? (int)strlen(password) : 0;

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, cert->key,
				 password != NULL ? EVP_aes_256_cbc() : NULL,
				 password, len, NULL, NULL),
		1);
	return take_text(bio);
}
