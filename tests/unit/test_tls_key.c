#include "tls/tls_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>

#include "tls/tls_ctx.h"
#include "tls/tls_lean.h"
#include "tls_fixture.h"

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const struct tls_item item = {"keyfile", 0, "gw.key"};

static void
configure(struct fixture *it, const char *key, const char *password)
{
	fixture_write(it, "gw.key", key);
	if (password != NULL)
		fixture_write(it, "password", password);
	fixture_configure(
		it, password != NULL ? "certfile = gw.pem\nkeyfile = gw.key\n"
				       "password_file = password\n"
				     : "certfile = gw.pem\nkeyfile = gw.key\n");
}

static EVP_PKEY *
load(struct fixture *it, const struct cert *cert)
{
	EVP_PKEY *key = tls_key_load(&it->load, &item);

	if (key == NULL)
		fail_msg("not loaded:\n%s", fixture_report(it));
	assert_int_equal(EVP_PKEY_eq(key, cert->key), 1);
	assert_string_equal(fixture_report(it), "");
	assert_int_equal(ERR_peek_error(), 0);
	return key;
}

/* As a context does it. */
static EVP_PKEY *
load_inside(struct fixture *it, const struct cert *cert)
{
	EVP_PKEY *key;

	tls_lean_begin();
	key = load(it, cert);
	tls_lean_end();
	return key;
}

static void
assert_loads(struct fixture *it, const struct cert *cert)
{
	EVP_PKEY *outside = load(it, cert);
	EVP_PKEY *inside = load_inside(it, cert);

	EVP_PKEY_free(outside);
	EVP_PKEY_free(inside);
}

/* Inside nothing else is said. */
static void
assert_refused(struct fixture *it, const char *text)
{
	char *once;

	assert_null(tls_key_load(&it->load, &item));
	fixture_assert_reported(it, text);
	assert_int_equal(ERR_peek_error(), 0);
	once = strdup(fixture_report(it));
	tls_lean_begin();
	assert_null(tls_key_load(&it->load, &item));
	tls_lean_end();
	assert_int_equal(ERR_peek_error(), 0);
	assert_string_equal(fixture_report(it), once); /* each once */
	free(once);
}

static char *
traditional_pem(const struct cert *cert, const char *password)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes = NULL;
	char *text;
	long len;

	assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, cert->key,
				 password != NULL ? EVP_aes_128_cbc() : NULL,
				 NULL, 0, NULL, (void *)(uintptr_t)password),
		1);
	len = BIO_get_mem_data(bio, &bytes);
	text = strndup(bytes, (size_t)len);
	BIO_free(bio);
	return text;
}

static void
a_plain_key_loads(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make(&(struct cert_spec){.cn = "x"}, NULL);
	char *key = cert_key_pem(&cert, NULL);

	configure(it, key, NULL);
	assert_loads(it, &cert);
	fixture_assert_no_secret(it, &cert);
	free(key);
	cert_done(&cert);
}

static void
an_rsa_key_loads(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make(
		&(struct cert_spec){.cn = "x", .key = CERT_RSA}, NULL);
	char *key = cert_key_pem(&cert, NULL);

	configure(it, key, NULL);
	assert_loads(it, &cert);
	fixture_assert_no_secret(it, &cert);
	free(key);
	cert_done(&cert);
}

static void
a_traditional_key_loads(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make(&(struct cert_spec){.cn = "x"}, NULL);
	char *key = traditional_pem(&cert, NULL);

	configure(it, key, NULL);
	assert_loads(it, &cert);
	fixture_assert_no_secret(it, &cert);
	free(key);
	cert_done(&cert);
}

/* A key of another library context is exported at its first signature. Frees
 * PEM. */
static void
assert_native(struct fixture *it, const struct cert *cert, char *pem)
{
	const char *expected =
		OpenSSL_version_num() < 0x30200000L ? "lean" : "default";
	const OSSL_PROVIDER *provider;
	EVP_PKEY *key;

	configure(it, pem, "secret");
	key = load_inside(it, cert);
	provider = EVP_PKEY_get0_provider(key);
	assert_non_null(provider);
	assert_string_equal(OSSL_PROVIDER_get0_name(provider), expected);
	EVP_PKEY_free(key);
	free(pem);
}

static void
assert_pkcs8_is_native(struct fixture *it, enum cert_key kind)
{
	struct cert cert =
		cert_make(&(struct cert_spec){.cn = "x", .key = kind}, NULL);

	assert_native(it, &cert, cert_key_pem(&cert, NULL));
	cert_done(&cert);
}

static void
assert_traditional_is_native(
	struct fixture *it, enum cert_key kind, const char *password)
{
	struct cert cert =
		cert_make(&(struct cert_spec){.cn = "x", .key = kind}, NULL);

	assert_native(it, &cert, traditional_pem(&cert, password));
	cert_done(&cert);
}

static void
an_ec_key_is_one_of_handshakes(void **state)
{
	assert_pkcs8_is_native(*state, CERT_EC);
}

static void
an_rsa_key_is_one_of_handshakes(void **state)
{
	assert_pkcs8_is_native(*state, CERT_RSA);
}

static void
an_ed25519_key_is_one_of_handshakes(void **state)
{
	assert_pkcs8_is_native(*state, CERT_ED25519);
}

static void
a_traditional_ec_key_is_one_of_handshakes(void **state)
{
	assert_traditional_is_native(*state, CERT_EC, NULL);
}

static void
a_traditional_rsa_key_is_one_of_handshakes(void **state)
{
	assert_traditional_is_native(*state, CERT_RSA, NULL);
}

static void
an_encrypted_traditional_key_is_one_of_handshakes(void **state)
{
	assert_traditional_is_native(*state, CERT_EC, "secret");
}

/* A handshake would not have it either, but that is for others to say. */
static void
a_kind_of_key_that_handshakes_have_not_loads(void **state)
{
	struct fixture *it = *state;
	struct cert cert = {.key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519")};
	char *key = cert_key_pem(&cert, NULL);

	configure(it, key, NULL);
	assert_loads(it, &cert);
	free(key);
	cert_done(&cert);
}

static void
a_public_key_that_says_it_is_private_is_refused(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make(
		&(struct cert_spec){.cn = "x", .key = CERT_RSA}, NULL);
	BIO *bio = BIO_new(BIO_s_mem());
	unsigned char *der = NULL;
	int len = i2d_PublicKey(cert.key, &der);

	assert_true(PEM_write_bio(bio, "RSA PRIVATE KEY", "", der, len) > 0);
	assert_int_equal(BIO_write(bio, "", 1), 1);
	OPENSSL_free(der);
	assert_true(BIO_get_mem_data(bio, (char **)&der) > 0);
	configure(it, (char *)der, NULL);
	assert_refused(it, "the private key cannot be read: ");
	BIO_free(bio);
	cert_done(&cert);
}

static void
an_encrypted_key_loads_with_its_password(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make(&(struct cert_spec){.cn = "x"}, NULL);
	char *key = cert_key_pem(&cert, "secret");

	configure(it, key, "secret");
	assert_loads(it, &cert);
	fixture_assert_no_secret(it, &cert);
	free(key);
	cert_done(&cert);
}

static void
an_encrypted_traditional_key_loads_with_its_password(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make(&(struct cert_spec){.cn = "x"}, NULL);
	char *key = traditional_pem(&cert, "secret");

	configure(it, key, "secret\n");
	assert_loads(it, &cert);
	fixture_assert_no_secret(it, &cert);
	free(key);
	cert_done(&cert);
}

static void
only_the_first_line_of_the_password_file_counts(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make(&(struct cert_spec){.cn = "x"}, NULL);
	char *key = cert_key_pem(&cert, "secret");

	configure(it, key, "secret\r\nnot this\n");
	assert_loads(it, &cert);
	fixture_assert_no_secret(it, &cert);
	free(key);
	cert_done(&cert);
}

static void
a_password_beside_a_plain_key_does_no_harm(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make(&(struct cert_spec){.cn = "x"}, NULL);
	char *key = cert_key_pem(&cert, NULL);

	configure(it, key, "secret");
	assert_loads(it, &cert);
	fixture_assert_no_secret(it, &cert);
	free(key);
	cert_done(&cert);
}

static void
an_encrypted_key_without_password_file_never_prompts(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make(&(struct cert_spec){.cn = "x"}, NULL);
	char *key = cert_key_pem(&cert, "secret");

	configure(it, key, NULL);
	assert_refused(it, "sallyport.ini:5: [listener gw] keyfile "
			   "\"gw.key\" is encrypted; set password_file\n");
	fixture_assert_no_secret(it, &cert);
	free(key);
	cert_done(&cert);
}

static void
an_encrypted_traditional_key_wants_a_password_too(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make(&(struct cert_spec){.cn = "x"}, NULL);
	char *key = traditional_pem(&cert, "secret");

	configure(it, key, NULL);
	assert_refused(it, "\"gw.key\" is encrypted; set password_file\n");
	fixture_assert_no_secret(it, &cert);
	free(key);
	cert_done(&cert);
}

static void
a_wrong_password_is_reported_without_quoting_it(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make(&(struct cert_spec){.cn = "x"}, NULL);
	char *key = cert_key_pem(&cert, "secret");

	configure(it, key, "sesame");
	assert_refused(it, "keyfile \"gw.key\" is encrypted, and not with the "
			   "password in password_file \"password\"\n");
	assert_null(strstr(fixture_report(it), "sesame"));
	fixture_assert_no_secret(it, &cert);
	free(key);
	cert_done(&cert);
}

static void
an_empty_password_file_is_an_error(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make(&(struct cert_spec){.cn = "x"}, NULL);
	char *key = cert_key_pem(&cert, "secret");

	configure(it, key, "\nsecret\n");
	assert_refused(it, "password_file \"password\" holds no password");
	fixture_assert_no_secret(it, &cert);
	free(key);
	cert_done(&cert);
}

static void
a_certificate_instead_of_a_key_is_named(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make(&(struct cert_spec){.cn = "x"}, NULL);
	char *key = cert_pem(&cert);

	configure(it, key, NULL);
	assert_refused(it, "keyfile \"gw.key\" holds no private key in PEM; "
			   "it holds a certificate\n");
	fixture_assert_no_secret(it, &cert);
	free(key);
	cert_done(&cert);
}

static void
an_over_long_password_is_an_error(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make_ca("x");
	char *key = cert_key_pem(&cert, "secret");
	char password[1100];

	memset(password, 'p', sizeof password);
	password[sizeof password - 1] = '\0';
	configure(it, key, password);
	assert_refused(it, "a password has at most 1024 bytes");
	free(key);
	cert_done(&cert);
}

static void
a_missing_password_file_is_reported(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make_ca("x");
	char *key = cert_key_pem(&cert, "secret");

	fixture_write(it, "gw.key", key);
	fixture_configure(it, "certfile = gw.pem\nkeyfile = gw.key\n"
			      "password_file = nowhere\n");
	assert_refused(it, "sallyport.ini:6: [listener gw] password_file "
			   "\"nowhere\": No such file or directory\n");
	free(key);
	cert_done(&cert);
}

static void
a_damaged_key_is_reported_without_its_bytes(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make_ca("x");
	char *key = cert_key_pem(&cert, NULL);

	key[60] = '!';
	configure(it, key, NULL);
	assert_refused(
		it, "keyfile \"gw.key\": the private key cannot be read: ");
	fixture_assert_no_secret(it, &cert);
	free(key);
	cert_done(&cert);
}

static void
a_der_key_is_recognised(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make_ca("x");
	unsigned char *der = NULL;
	int len = i2d_PrivateKey(cert.key, &der);

	configure(it, "", NULL);
	fixture_write_bytes(it, "gw.key", der, (size_t)len);
	assert_refused(it, "it looks like DER: convert it to PEM");
	OPENSSL_free(der);
	cert_done(&cert);
}

static void
a_key_behind_its_certificate_and_curve_loads(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make_ca("x");
	char *pem = cert_pem(&cert);
	char *key = cert_key_pem(&cert, NULL);
	char all[8192];

	(void)snprintf(all, sizeof all,
		"%s-----BEGIN EC PARAMETERS-----\n"
		"BggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n%s",
		pem, key);
	configure(it, all, NULL);
	assert_loads(it, &cert);
	free(pem);
	free(key);
	cert_done(&cert);
}

static void
assert_kind(const struct cert_spec *spec, const char *kind)
{
	struct cert cert = cert_make(spec, NULL);
	char text[128];

	tls_key_kind(cert.key, text, sizeof text);
	assert_string_equal(text, kind);
	cert_done(&cert);
}

static void
kinds_of_keys_have_their_usual_names(void **state)
{
	(void)state;
	assert_kind(&(struct cert_spec){.key = CERT_EC}, "EC P-256");
	assert_kind(&(struct cert_spec){.key = CERT_RSA}, "RSA 2048");
	assert_kind(&(struct cert_spec){.key = CERT_ED25519}, "ED25519");
}

static void
a_key_text_is_a_fingerprint_and_the_kind(void **state)
{
	struct cert cert = cert_make_ca("x");
	char text[128];

	(void)state;
	tls_key_text(cert.key, NULL, text, sizeof text);
	assert_memory_equal(text, "sha256:", 7);
	assert_string_equal(text + 7 + 16, ".. (EC P-256)");
	tls_key_text(cert.key, "CN=x", text, sizeof text);
	assert_string_equal(text + 7 + 16, ".. (EC P-256, CN=x)");
	tls_key_text(cert.key, "CN=x", text, 10);
	assert_int_equal(strlen(text), 9);
	cert_done(&cert);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_plain_key_loads),
		TEST(an_rsa_key_loads),
		TEST(a_traditional_key_loads),
		TEST(an_ec_key_is_one_of_handshakes),
		TEST(an_rsa_key_is_one_of_handshakes),
		TEST(an_ed25519_key_is_one_of_handshakes),
		TEST(a_traditional_ec_key_is_one_of_handshakes),
		TEST(a_traditional_rsa_key_is_one_of_handshakes),
		TEST(an_encrypted_traditional_key_is_one_of_handshakes),
		TEST(a_kind_of_key_that_handshakes_have_not_loads),
		TEST(a_public_key_that_says_it_is_private_is_refused),
		TEST(an_encrypted_key_loads_with_its_password),
		TEST(an_encrypted_traditional_key_loads_with_its_password),
		TEST(only_the_first_line_of_the_password_file_counts),
		TEST(a_password_beside_a_plain_key_does_no_harm),
		TEST(an_encrypted_key_without_password_file_never_prompts),
		TEST(an_encrypted_traditional_key_wants_a_password_too),
		TEST(a_wrong_password_is_reported_without_quoting_it),
		TEST(an_empty_password_file_is_an_error),
		TEST(a_certificate_instead_of_a_key_is_named),
		TEST(an_over_long_password_is_an_error),
		TEST(a_missing_password_file_is_reported),
		TEST(a_damaged_key_is_reported_without_its_bytes),
		TEST(a_der_key_is_recognised),
		TEST(a_key_behind_its_certificate_and_curve_loads),
		TEST(kinds_of_keys_have_their_usual_names),
		TEST(a_key_text_is_a_fingerprint_and_the_kind),
	};

	tls_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
