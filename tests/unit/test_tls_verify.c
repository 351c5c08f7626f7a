#include "tls/tls_verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tls/tls_ctx.h"
#include "handshake.h"
#include "tls_fixture.h"

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

struct expectation {
	const char *token;
	const char *text;
	int alert;
};

static void
assert_outcome(struct pki *pki, const struct cert *cert, int version,
	const struct expectation *expected)
{
	struct outcome outcome = connect_with(pki, cert, version);

	assert_false(outcome.server_done);
	assert_non_null(outcome.failure.token);
	assert_string_equal(outcome.failure.token, expected->token);
	assert_string_equal(outcome.failure.text, expected->text);
	assert_int_equal(outcome.client_got_alert, expected->alert);
	assert_null(outcome.subject);
	outcome_done(&outcome);
}

/* Takes CERT. */
static void
assert_refused(
	struct pki *pki, struct cert cert, const struct expectation *expected)
{
	const struct cert *shown = cert.x509 != NULL ? &cert : NULL;

	assert_outcome(pki, shown, TLS1_3_VERSION, expected);
	assert_outcome(pki, shown, TLS1_2_VERSION, expected);
	cert_done(&cert);
}

static void
an_expired_client_certificate_is_refused_by_name(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");

	assert_refused(&pki,
		cert_make(&(struct cert_spec){.cn = "x",
				  .eku = "clientAuth",
				  .from_s = -7200,
				  .until_s = -60},
			&pki.ca),
		&(struct expectation){"client_certificate_expired",
			"certificate has expired: depth 0, subject \"CN=x\", "
			"issuer \"CN=Test CA\"",
			SSL_AD_CERTIFICATE_EXPIRED});
	pki_done(&pki);
}

static void
a_client_certificate_not_yet_valid_is_refused_by_name(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");

	assert_refused(&pki,
		cert_make(
			&(struct cert_spec){
				.cn = "x", .eku = "clientAuth", .from_s = 3600},
			&pki.ca),
		&(struct expectation){"client_certificate_not_yet_valid",
			"certificate is not yet valid: depth 0, subject "
			"\"CN=x\", issuer \"CN=Test CA\"",
			SSL_AD_BAD_CERTIFICATE});
	pki_done(&pki);
}

static void
a_certificate_without_extended_key_usage_is_refused(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");

	assert_refused(&pki,
		cert_make(&(struct cert_spec){.cn = "x", .eku = NULL}, &pki.ca),
		&(struct expectation){"client_certificate_purpose",
			"extendedKeyUsage does not allow clientAuth: depth 0, "
			"subject \"CN=x\", issuer \"CN=Test CA\"",
			SSL_AD_UNSUPPORTED_CERTIFICATE});
	pki_done(&pki);
}

static void
a_server_certificate_is_refused_as_a_client(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");

	assert_refused(&pki,
		cert_make(&(struct cert_spec){.cn = "x", .eku = "serverAuth"},
			&pki.ca),
		&(struct expectation){"client_certificate_purpose",
			"extendedKeyUsage does not allow clientAuth: depth 0, "
			"subject \"CN=x\", issuer \"CN=Test CA\"",
			SSL_AD_UNSUPPORTED_CERTIFICATE});
	pki_done(&pki);
}

static void
a_certificate_for_any_purpose_is_refused(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");

	assert_refused(&pki,
		cert_make(&(struct cert_spec){.cn = "x",
				  .eku = "anyExtendedKeyUsage"},
			&pki.ca),
		&(struct expectation){"client_certificate_purpose",
			"extendedKeyUsage does not allow clientAuth: depth 0, "
			"subject \"CN=x\", issuer \"CN=Test CA\"",
			SSL_AD_UNSUPPORTED_CERTIFICATE});
	pki_done(&pki);
}

static void
a_self_signed_client_certificate_is_refused_by_name(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");

	assert_refused(&pki, cert_make_client("x", NULL),
		&(struct expectation){"client_certificate_self_signed",
			"self-signed certificate: depth 0, subject \"CN=x\", "
			"issuer \"CN=x\"",
			SSL_AD_UNKNOWN_CA});
	pki_done(&pki);
}

static void
a_client_certificate_of_another_ca_is_refused(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");
	struct cert other = cert_make_ca("Other CA");

	assert_refused(&pki, cert_make_client("x", &other),
		&(struct expectation){"client_certificate_untrusted",
			"unable to get local issuer certificate: depth 0, "
			"subject \"CN=x\", issuer \"CN=Other CA\"",
			SSL_AD_UNKNOWN_CA});
	cert_done(&other);
	pki_done(&pki);
}

static void
a_forged_ca_of_the_same_name_is_refused(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");
	struct cert forged = cert_make_ca("Test CA");
	struct cert client = cert_make_client("x", &forged);
	struct outcome outcome = connect_with(&pki, &client, TLS1_3_VERSION);

	assert_false(outcome.server_done);
	assert_string_equal(
		outcome.failure.token, "client_certificate_untrusted");
	outcome_done(&outcome);
	cert_done(&client);
	cert_done(&forged);
	pki_done(&pki);
}

static void
a_missing_client_certificate_is_refused_by_name(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");
	struct expectation expected = {"client_certificate_required",
		"the client sent no certificate", SSL_AD_CERTIFICATE_REQUIRED};

	assert_outcome(&pki, NULL, TLS1_3_VERSION, &expected);
	/* TLS 1.2 has no alert of its own for it. */
	expected.alert = SSL_AD_HANDSHAKE_FAILURE;
	assert_outcome(&pki, NULL, TLS1_2_VERSION, &expected);
	pki_done(&pki);
}

static void
an_over_long_name_leaves_room_for_the_issuer(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");
	X509_NAME *name = X509_NAME_new();
	struct cert client;
	struct outcome outcome;

	for (int i = 0; i < 200; i++)
		assert_int_equal(
			X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_UTF8,
				(const unsigned char *)"01234567890123456789012"
						       "34567890123456789",
				-1, -1, 0),
			1);
	client = cert_make(&(struct cert_spec){.subject = name}, &pki.ca);
	outcome = connect_with(&pki, &client, TLS1_3_VERSION);
	assert_string_equal(
		outcome.failure.token, "client_certificate_purpose");
	assert_non_null(
		strstr(outcome.failure.text, "...\", issuer \"CN=Test CA\""));
	outcome_done(&outcome);
	X509_NAME_free(name);
	cert_done(&client);
	pki_done(&pki);
}

static void
a_name_cannot_forge_what_follows(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");
	struct cert client = cert_make(
		&(struct cert_spec){.cn = "x\", issuer \"CN=y\n"}, &pki.ca);
	struct outcome outcome = connect_with(&pki, &client, TLS1_3_VERSION);

	assert_non_null(strstr(outcome.failure.text,
		"subject \"CN=x\\\"\\, issuer "
		"\\\"CN=y\\0A\", issuer \"CN=Test CA\""));
	outcome_done(&outcome);
	cert_done(&client);
	pki_done(&pki);
}

static void
an_expired_ca_is_told_with_its_depth(void **state)
{
	struct fixture *it = *state;
	struct cert ca = cert_make(&(struct cert_spec){.cn = "Old CA",
					   .is_ca = true,
					   .from_s = -7200,
					   .until_s = -60},
		NULL);
	struct cert server = cert_make_server("localhost", NULL);
	struct pki pki = {0};

	fixture_write_cert(it, "ca", &ca);
	fixture_write_cert(it, "gw", &server);
	fixture_configure(
		it, "certfile = gw.pem\nkeyfile = gw.key\ncafile = ca.pem\n");
	pki.ctx = fixture_ctx(it);
	assert_refused(&pki, cert_make_client("x", &ca),
		&(struct expectation){"client_certificate_expired",
			"certificate has expired: depth 1, subject \"CN=Old "
			"CA\", issuer \"CN=Old CA\"",
			SSL_AD_CERTIFICATE_EXPIRED});
	cert_done(&ca);
	cert_done(&server);
	pki_done(&pki);
}

static void
a_ca_without_key_usage_makes_a_bad_certificate(void **state)
{
	struct fixture *it = *state;
	struct cert ca = cert_make(
		&(struct cert_spec){.cn = "Old CA", .is_ca = true, .usage = ""},
		NULL);
	struct cert server = cert_make_server("localhost", NULL);
	struct cert client = cert_make_client("x", &ca);
	struct pki pki = {0};
	struct outcome outcome;

	fixture_write_cert(it, "ca", &ca);
	fixture_write_cert(it, "gw", &server);
	fixture_configure(
		it, "certfile = gw.pem\nkeyfile = gw.key\ncafile = ca.pem\n");
	pki.ctx = fixture_ctx(it);
	outcome = connect_with(&pki, &client, TLS1_3_VERSION);
	assert_string_equal(outcome.failure.token, "client_certificate_bad");
	assert_non_null(strstr(outcome.failure.text,
		"CA cert does not include key usage extension: depth 1, "
		"subject \"CN=Old CA\""));
	outcome_done(&outcome);
	cert_done(&client);
	cert_done(&ca);
	cert_done(&server);
	pki_done(&pki);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_expired_client_certificate_is_refused_by_name),
		TEST(a_client_certificate_not_yet_valid_is_refused_by_name),
		TEST(a_certificate_without_extended_key_usage_is_refused),
		TEST(a_server_certificate_is_refused_as_a_client),
		TEST(a_certificate_for_any_purpose_is_refused),
		TEST(a_self_signed_client_certificate_is_refused_by_name),
		TEST(a_client_certificate_of_another_ca_is_refused),
		TEST(a_forged_ca_of_the_same_name_is_refused),
		TEST(a_missing_client_certificate_is_refused_by_name),
		TEST(an_over_long_name_leaves_room_for_the_issuer),
		TEST(a_name_cannot_forge_what_follows),
		TEST(an_expired_ca_is_told_with_its_depth),
		TEST(a_ca_without_key_usage_makes_a_bad_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
