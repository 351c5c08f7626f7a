#include "tls/tls_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "tls/tls_ctx.h"
#include "tls/tls_lean.h"
#include "tls_fixture.h"

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const struct tls_item item = {"certfile", 0, "gw.pem"};

static void
configure(struct fixture *it, const char *pem)
{
	if (pem != NULL)
		fixture_write(it, "gw.pem", pem);
	fixture_configure(it, "certfile = gw.pem\n");
}

static void
assert_refused(struct fixture *it, const char *text)
{
	assert_null(tls_load_certs(&it->load, &item));
	fixture_assert_reported(it, "sallyport.ini:4: [listener gw] certfile");
	fixture_assert_reported(it, text);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
a_missing_file_is_reported_with_its_place(void **state)
{
	struct fixture *it = *state;

	configure(it, NULL);
	assert_refused(it, "certfile \"gw.pem\": No such file or directory");
}

static void
a_file_without_pem_holds_no_certificate(void **state)
{
	struct fixture *it = *state;

	configure(it, "hello\n");
	assert_refused(it, "certfile \"gw.pem\" holds no certificate in PEM\n");
}

static void
an_empty_file_is_called_empty(void **state)
{
	struct fixture *it = *state;

	configure(it, "");
	assert_refused(it, "holds no certificate in PEM: it is empty");
}

static void
a_key_instead_of_a_certificate_is_named(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make_ca("x");
	char *key = cert_key_pem(&cert, NULL);

	configure(it, key);
	assert_refused(it, "no certificate in PEM; it holds a private key");
	fixture_assert_no_secret(it, &cert);
	free(key);
	cert_done(&cert);
}

static void
a_der_file_is_recognised(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make_ca("x");
	unsigned char *der = NULL;
	int len = i2d_X509(cert.x509, &der);

	fixture_write_bytes(it, "gw.pem", der, (size_t)len);
	configure(it, NULL);
	assert_refused(it, "it looks like DER: convert it to PEM");
	OPENSSL_free(der);
	cert_done(&cert);
}

static void
damaged_base64_is_told_by_the_number_of_its_block(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make_ca("x");
	char *pem = cert_pem(&cert);
	char both[8192];

	(void)snprintf(both, sizeof both,
		"%s-----BEGIN CERTIFICATE-----\n"
		"####\n-----END CERTIFICATE-----\n",
		pem);
	configure(it, both);
	assert_refused(
		it, "certfile \"gw.pem\": certificate 2 cannot be read: ");
	free(pem);
	cert_done(&cert);
}

static void
a_certificate_cut_short_is_damaged(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make_ca("x");
	char *pem = cert_pem(&cert);

	pem[strlen(pem) / 2] = '\0';
	configure(it, pem);
	assert_refused(it, "certificate 1 cannot be read: ");
	free(pem);
	cert_done(&cert);
}

static void
all_certificates_are_read_with_text_and_keys_between_them(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make_ca("x");
	char *pem = cert_pem(&cert);
	char *key = cert_key_pem(&cert, NULL);
	char all[8192];
	STACK_OF(X509) * certs;

	(void)snprintf(
		all, sizeof all, "subject: x\n%s%sand\n%s", pem, key, pem);
	configure(it, all);
	certs = tls_load_certs(&it->load, &item);
	assert_int_equal(sk_X509_num(certs), 2);
	assert_string_equal(fixture_report(it), "");
	assert_int_equal(ERR_peek_error(), 0);
	sk_X509_pop_free(certs, X509_free);
	free(pem);
	free(key);
	cert_done(&cert);
}

static void
assert_dates(struct fixture *it, long from_s, long until_s, const char *text)
{
	struct cert cert = cert_make(
		&(struct cert_spec){
			.cn = "x", .from_s = from_s, .until_s = until_s},
		NULL);

	configure(it, "");
	tls_load_check_dates(&it->load, &item, 1, cert.x509);
	if (text == NULL)
		assert_string_equal(fixture_report(it), "");
	else
		fixture_assert_reported(it, text);
	assert_int_equal(report_errors(it->report), 0);
	cert_done(&cert);
}

/* Handshakes have no decoder for it (tls_lean.h). */
static void
a_certificate_whose_key_cannot_sign_is_read_with_its_key(void **state)
{
	struct fixture *it = *state;
	struct cert cert = cert_make_ca("x");
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	STACK_OF(X509) * certs;
	char *pem;

	assert_int_equal(X509_set_pubkey(cert.x509, key), 1);
	assert_true(X509_sign(cert.x509, cert.key, EVP_sha256()) > 0);
	pem = cert_pem(&cert);
	configure(it, pem);
	tls_lean_begin();
	certs = tls_load_certs(&it->load, &item);
	assert_non_null(certs);
	assert_int_equal(
		EVP_PKEY_eq(X509_get0_pubkey(sk_X509_value(certs, 0)), key), 1);
	tls_lean_end();
	assert_int_equal(ERR_peek_error(), 0);
	sk_X509_pop_free(certs, X509_free);
	EVP_PKEY_free(key);
	free(pem);
	cert_done(&cert);
}

static void
an_expired_certificate_is_a_warning(void **state)
{
	struct fixture *it = *state;

	assert_dates(it, -7200, -3600,
		"warning: [listener gw] certfile \"gw.pem\" certificate 2 "
		"(CN=x) "
		"has expired: it was valid until 2");
}

static void
a_certificate_not_yet_valid_is_a_warning(void **state)
{
	struct fixture *it = *state;

	assert_dates(
		it, 3600, 90 * 86400, "certificate 2 (CN=x) is not yet valid");
}

static void
a_certificate_that_expires_within_two_weeks_is_a_warning(void **state)
{
	struct fixture *it = *state;

	assert_dates(
		it, -3600, 13 * 86400, "certificate 2 (CN=x) expires soon");
}

static void
a_certificate_that_expires_later_is_fine(void **state)
{
	struct fixture *it = *state;

	assert_dates(it, -3600, 15 * 86400, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_missing_file_is_reported_with_its_place),
		TEST(a_file_without_pem_holds_no_certificate),
		TEST(an_empty_file_is_called_empty),
		TEST(a_key_instead_of_a_certificate_is_named),
		TEST(a_der_file_is_recognised),
		TEST(damaged_base64_is_told_by_the_number_of_its_block),
		TEST(a_certificate_cut_short_is_damaged),
		TEST(all_certificates_are_read_with_text_and_keys_between_them),
		TEST(a_certificate_whose_key_cannot_sign_is_read_with_its_key),
		TEST(an_expired_certificate_is_a_warning),
		TEST(a_certificate_not_yet_valid_is_a_warning),
		TEST(a_certificate_that_expires_within_two_weeks_is_a_warning),
		TEST(a_certificate_that_expires_later_is_fine),
	};

	tls_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
