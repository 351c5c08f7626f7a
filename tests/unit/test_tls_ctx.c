#include "tls/tls_ctx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "handshake.h"
#include "tls_fixture.h"

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static void
assert_admitted(
	struct fixture *it, const char *lines, int version, const char *name)
{
	struct pki pki = pki_make(it, lines);
	struct cert client = cert_make_client("billing", &pki.ca);
	struct outcome outcome = connect_with(&pki, &client, version);

	if (!outcome.server_done)
		fail_msg("%s: %s", outcome.failure.token, outcome.failure.text);
	assert_true(outcome.client_done);
	assert_int_equal(outcome.client_got_alert, -1);
	assert_string_equal(outcome.version, name);
	assert_string_equal(outcome.subject, "CN=billing");
	outcome_done(&outcome);
	cert_done(&client);
	pki_done(&pki);
}

static void
a_client_of_the_ca_is_admitted_over_tls_1_3(void **state)
{
	struct fixture *it = *state;

	assert_admitted(it, "", TLS1_3_VERSION, "TLSv1.3");
}

static void
a_client_of_the_ca_is_admitted_over_tls_1_2(void **state)
{
	struct fixture *it = *state;

	assert_admitted(it, "", TLS1_2_VERSION, "TLSv1.2");
}

static void
a_legacy_minimum_really_admits_tls_1_0(void **state)
{
	struct fixture *it = *state;

	assert_admitted(it, "minimum_version = TLSv1\n", TLS1_VERSION, "TLSv1");
}

static void
a_legacy_minimum_really_admits_tls_1_1(void **state)
{
	struct fixture *it = *state;

	assert_admitted(
		it, "minimum_version = TLSv1.1\n", TLS1_1_VERSION, "TLSv1.1");
}

static void
a_legacy_minimum_does_not_weaken_the_next_context(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "minimum_version = TLSv1\n");
	struct tls_ctx *next;

	assert_int_equal(SSL_CTX_get_security_level(tls_ctx_ssl(pki.ctx)), 0);
	settings_free(&it->settings);
	fixture_write(it, "x", "");
	it->listener = NULL;
	file_source_free(&it->files);
	it->files = file_source_disk(it->dir);
	fixture_configure(it, "certfile = gw.pem\nkeyfile = gw.key\n");
	next = fixture_ctx(it);
	assert_true(SSL_CTX_get_security_level(tls_ctx_ssl(next)) > 0);
	tls_ctx_unref(&next);
	pki_done(&pki);
}

static void
assert_version_refused(struct fixture *it, const char *lines, int version)
{
	struct pki pki = pki_make(it, lines);
	struct cert client = cert_make_client("billing", &pki.ca);
	struct outcome outcome = connect_with(&pki, &client, version);

	assert_false(outcome.server_done);
	assert_string_equal(outcome.failure.token, "protocol_version");
	assert_int_equal(outcome.client_got_alert, SSL_AD_PROTOCOL_VERSION);
	outcome_done(&outcome);
	cert_done(&client);
	pki_done(&pki);
}

static void
tls_1_1_is_refused_by_default(void **state)
{
	struct fixture *it = *state;

	assert_version_refused(it, "", TLS1_1_VERSION);
}

static void
tls_1_2_is_refused_below_the_minimum(void **state)
{
	struct fixture *it = *state;

	assert_version_refused(
		it, "minimum_version = TLSv1.3\n", TLS1_2_VERSION);
}

static void
tls_1_3_is_refused_above_the_maximum(void **state)
{
	struct fixture *it = *state;

	assert_version_refused(
		it, "maximum_version = TLSv1.2\n", TLS1_3_VERSION);
}

static void
without_a_ca_no_certificate_is_asked_for(void **state)
{
	struct fixture *it = *state;
	struct cert server = cert_make_server("localhost", NULL);
	SSL_CTX *client = client_ctx_new(&server, TLS1_3_VERSION);
	struct tls_ctx *ctx;
	struct outcome outcome;

	fixture_write_cert(it, "gw", &server);
	fixture_configure(it, "certfile = gw.pem\nkeyfile = gw.key\n");
	ctx = fixture_ctx(it);
	outcome = handshake(tls_ctx_ssl(ctx), client, NULL);
	assert_true(outcome.server_done);
	assert_null(outcome.subject);
	outcome_done(&outcome);
	SSL_CTX_free(client);
	tls_ctx_unref(&ctx);
	cert_done(&server);
}

static void
an_optional_certificate_may_be_missing(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "verify_mode = optional\n");
	struct outcome outcome = connect_with(&pki, NULL, TLS1_3_VERSION);

	assert_true(outcome.server_done);
	assert_null(outcome.subject);
	outcome_done(&outcome);
	pki_done(&pki);
}

static void
an_optional_certificate_must_still_be_good(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "verify_mode = optional\n");
	struct cert stranger = cert_make_ca("Other CA");
	struct cert client = cert_make_client("billing", &stranger);
	struct outcome outcome = connect_with(&pki, &client, TLS1_3_VERSION);

	assert_false(outcome.server_done);
	assert_string_equal(
		outcome.failure.token, "client_certificate_untrusted");
	outcome_done(&outcome);
	cert_done(&client);
	cert_done(&stranger);
	pki_done(&pki);
}

static void
the_session_cache_is_bounded_and_tickets_are_on(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");
	SSL_CTX *ctx = tls_ctx_ssl(pki.ctx);

	assert_int_equal(
		SSL_CTX_get_session_cache_mode(ctx), SSL_SESS_CACHE_SERVER);
	assert_int_equal(SSL_CTX_sess_get_cache_size(ctx), 1024);
	assert_int_equal(SSL_CTX_get_num_tickets(ctx), 2);
	assert_int_equal(SSL_CTX_get_timeout(ctx), 3600);
	assert_int_equal(SSL_CTX_get_max_early_data(ctx), 0);
	assert_true((SSL_CTX_get_options(ctx) & SSL_OP_NO_TICKET) == 0);
	assert_true((SSL_CTX_get_options(ctx) & SSL_OP_NO_RENEGOTIATION) != 0);
	assert_true((SSL_CTX_get_options(ctx) & SSL_OP_NO_COMPRESSION) != 0);
	pki_done(&pki);
}

static void
a_reference_keeps_the_context_alive(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");
	struct tls_ctx *second = tls_ctx_ref(pki.ctx);

	tls_ctx_unref(&pki.ctx);
	assert_null(pki.ctx);
	assert_non_null(tls_ctx_ssl(second));
	assert_int_equal(SSL_CTX_get_num_tickets(tls_ctx_ssl(second)), 2);
	tls_ctx_unref(&second);
	tls_ctx_unref(&second);
	pki_done(&pki);
}

static void
all_findings_come_in_one_run_and_there_is_no_context(void **state)
{
	struct fixture *it = *state;

	fixture_configure(it,
		"certfile = a.pem\nkeyfile = a.key\ncafile = ca.pem\n"
		"ciphers = NONSENSE\nciphersuites = TLS_NONSENSE\n");
	assert_null(tls_ctx_new(it->listener, it->files, it->report));
	assert_int_equal(report_errors(it->report), 5);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
ciphers_that_no_allowed_version_knows_are_an_error(void **state)
{
	struct fixture *it = *state;
	struct cert server = cert_make_server("localhost", NULL);

	fixture_write_cert(it, "gw", &server);
	fixture_configure(it,
		"certfile = gw.pem\nkeyfile = gw.key\n"
		"minimum_version = TLSv1\nmaximum_version = TLSv1.1\n"
		"ciphers = ECDHE+AESGCM\n");
	assert_null(tls_ctx_new(it->listener, it->files, it->report));
	fixture_assert_reported(it, "leave none for the versions");
	cert_done(&server);
}

static void
the_library_tells_its_version(void **state)
{
	struct fixture *it = *state;

	(void)it;
	assert_non_null(strstr(tls_library_version(), "OpenSSL 3."));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_client_of_the_ca_is_admitted_over_tls_1_3),
		TEST(a_client_of_the_ca_is_admitted_over_tls_1_2),
		TEST(a_legacy_minimum_really_admits_tls_1_0),
		TEST(a_legacy_minimum_really_admits_tls_1_1),
		TEST(a_legacy_minimum_does_not_weaken_the_next_context),
		TEST(tls_1_1_is_refused_by_default),
		TEST(tls_1_2_is_refused_below_the_minimum),
		TEST(tls_1_3_is_refused_above_the_maximum),
		TEST(without_a_ca_no_certificate_is_asked_for),
		TEST(an_optional_certificate_may_be_missing),
		TEST(an_optional_certificate_must_still_be_good),
		TEST(the_session_cache_is_bounded_and_tickets_are_on),
		TEST(a_reference_keeps_the_context_alive),
		TEST(all_findings_come_in_one_run_and_there_is_no_context),
		TEST(ciphers_that_no_allowed_version_knows_are_an_error),
		TEST(the_library_tells_its_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
