#include "tls/tls_ticket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "handshake.h"
#include "tls/tls_ctx.h"
#include "tls_fixture.h"

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static int
admit_everybody(int ok, X509_STORE_CTX *store_ctx)
{
	(void)ok;
	X509_STORE_CTX_set_error(store_ctx, X509_V_OK);
	return 1;
}

/* A server that lets everybody in, so that only the ticket decides. */
static SSL_CTX *
server_ctx_new(const struct cert *cert)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	assert_int_equal(
		SSL_CTX_use_cert_and_key(ctx, cert->x509, cert->key, NULL, 1),
		1);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, admit_everybody);
	assert_int_equal(SSL_CTX_set_session_id_context(
				 ctx, (const unsigned char *)"x", 1),
		1);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	return ctx;
}

static bool
is_resumed(
	SSL_CTX *server, const struct cert *cert, int version, bool with_guard)
{
	SSL_CTX *client = client_ctx_new(cert, version);
	struct outcome one;
	struct outcome two;
	bool resumed;

	if (with_guard)
		tls_ticket_install(server);
	one = handshake(server, client, NULL);
	assert_true(one.server_done);
	assert_non_null(one.session);
	two = handshake(server, client, one.session);
	assert_true(two.server_done);
	resumed = two.resumed;
	outcome_done(&one);
	outcome_done(&two);
	SSL_CTX_free(client);
	return resumed;
}

static void
check(const struct cert_spec *spec, bool with_guard, bool expected)
{
	struct cert server_cert = cert_make_server("localhost", NULL);
	struct cert client_cert = cert_make(spec, NULL);
	SSL_CTX *server = server_ctx_new(&server_cert);

	assert_int_equal(
		is_resumed(server, &client_cert, TLS1_2_VERSION, with_guard),
		expected);
	assert_int_equal(
		is_resumed(server, &client_cert, TLS1_3_VERSION, with_guard),
		expected);
	SSL_CTX_free(server);
	cert_done(&server_cert);
	cert_done(&client_cert);
}

static const struct cert_spec good = {.cn = "x"};
static const struct cert_spec expired = {
	.cn = "x", .from_s = -7200, .until_s = -60};

static void
a_ticket_of_a_good_certificate_is_taken(void **state)
{
	struct fixture *it = *state;

	(void)it;
	check(&good, true, true);
}

static void
openssl_alone_takes_the_ticket_of_an_expired_certificate(void **state)
{
	struct fixture *it = *state;

	(void)it;
	check(&expired, false, true);
}

static void
a_ticket_of_an_expired_certificate_is_not_taken(void **state)
{
	struct fixture *it = *state;

	(void)it;
	check(&expired, true, false);
}

/* Comes back with a session of the first visit. */
static bool
is_resumed_by(struct tls_ctx *first, struct tls_ctx *second,
	const struct cert *cert, int version)
{
	SSL_CTX *client = client_ctx_new(cert, version);
	struct outcome one = handshake(tls_ctx_ssl(first), client, NULL);
	struct outcome two;
	bool resumed;

	assert_true(one.server_done);
	assert_non_null(one.session);
	two = handshake(tls_ctx_ssl(second), client, one.session);
	assert_true(two.server_done);
	assert_string_equal(two.subject, "CN=billing");
	resumed = two.resumed;
	outcome_done(&one);
	outcome_done(&two);
	SSL_CTX_free(client);
	return resumed;
}

/* As if both contexts had the ticket keys of one fleet. */
static void
share_ticket_keys(struct tls_ctx *from, struct tls_ctx *to)
{
	unsigned char keys[80];

	assert_int_equal(SSL_CTX_get_tlsext_ticket_keys(
				 tls_ctx_ssl(from), keys, sizeof keys),
		1);
	assert_int_equal(SSL_CTX_set_tlsext_ticket_keys(
				 tls_ctx_ssl(to), keys, sizeof keys),
		1);
}

static void
a_session_is_resumed_over_tls_1_2(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");
	struct cert client = cert_make_client("billing", &pki.ca);

	assert_true(is_resumed_by(pki.ctx, pki.ctx, &client, TLS1_2_VERSION));
	cert_done(&client);
	pki_done(&pki);
}

static void
an_equal_context_takes_the_session_over_tls_1_2(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");
	struct cert client = cert_make_client("billing", &pki.ca);
	struct tls_ctx *equal = fixture_ctx(it);

	share_ticket_keys(pki.ctx, equal);
	assert_true(is_resumed_by(pki.ctx, equal, &client, TLS1_2_VERSION));
	tls_ctx_unref(&equal);
	cert_done(&client);
	pki_done(&pki);
}

static void
no_session_crosses_to_other_cas_over_tls_1_2(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");
	struct cert client = cert_make_client("billing", &pki.ca);
	struct cert second_ca = cert_make_ca("Second CA");
	struct settings *old = it->settings;
	struct tls_ctx *other;

	fixture_write_cert(it, "second", &second_ca);
	file_source_free(&it->files);
	it->files = file_source_disk(it->dir);
	fixture_configure(it, "certfile = gw.pem\nkeyfile = gw.key\ncafile = "
			      "ca.pem\ncafile = second.pem\n");
	other = fixture_ctx(it);
	share_ticket_keys(pki.ctx, other);
	assert_false(is_resumed_by(pki.ctx, other, &client, TLS1_2_VERSION));
	tls_ctx_unref(&other);
	settings_free(&old);
	cert_done(&second_ca);
	cert_done(&client);
	pki_done(&pki);
}

static void
a_session_is_resumed_over_tls_1_3(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");
	struct cert client = cert_make_client("billing", &pki.ca);

	assert_true(is_resumed_by(pki.ctx, pki.ctx, &client, TLS1_3_VERSION));
	cert_done(&client);
	pki_done(&pki);
}

static void
an_equal_context_takes_the_session_over_tls_1_3(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");
	struct cert client = cert_make_client("billing", &pki.ca);
	struct tls_ctx *equal = fixture_ctx(it);

	share_ticket_keys(pki.ctx, equal);
	assert_true(is_resumed_by(pki.ctx, equal, &client, TLS1_3_VERSION));
	tls_ctx_unref(&equal);
	cert_done(&client);
	pki_done(&pki);
}

static void
no_session_crosses_to_other_cas_over_tls_1_3(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");
	struct cert client = cert_make_client("billing", &pki.ca);
	struct cert second_ca = cert_make_ca("Second CA");
	struct settings *old = it->settings;
	struct tls_ctx *other;

	fixture_write_cert(it, "second", &second_ca);
	file_source_free(&it->files);
	it->files = file_source_disk(it->dir);
	fixture_configure(it, "certfile = gw.pem\nkeyfile = gw.key\ncafile = "
			      "ca.pem\ncafile = second.pem\n");
	other = fixture_ctx(it);
	share_ticket_keys(pki.ctx, other);
	assert_false(is_resumed_by(pki.ctx, other, &client, TLS1_3_VERSION));
	tls_ctx_unref(&other);
	settings_free(&old);
	cert_done(&second_ca);
	cert_done(&client);
	pki_done(&pki);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_ticket_of_a_good_certificate_is_taken),
		TEST(openssl_alone_takes_the_ticket_of_an_expired_certificate),
		TEST(a_ticket_of_an_expired_certificate_is_not_taken),
		TEST(a_session_is_resumed_over_tls_1_2),
		TEST(an_equal_context_takes_the_session_over_tls_1_2),
		TEST(no_session_crosses_to_other_cas_over_tls_1_2),
		TEST(a_session_is_resumed_over_tls_1_3),
		TEST(an_equal_context_takes_the_session_over_tls_1_3),
		TEST(no_session_crosses_to_other_cas_over_tls_1_3),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
