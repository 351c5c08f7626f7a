#include "tls/tls_switch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crls.h"
#include "handshake.h"
#include "tls/tls_ctx.h"
#include "tls/tls_sni.h"
#include "tls_contexts.h"

#define CERT "certfile = gw.pem\nkeyfile = gw.key\n"
#define NAME "api.example.com"

/* A listener and a server name of it, whose lines the test decides. */
struct stage {
	struct fixture *it;
	struct cert ca;
	struct cert other_ca;
	struct cert client; /* of the first CA */
	struct tls_ctx *root;
};

static int
setup(void **state)
{
	struct stage *at = calloc(1, sizeof *at);
	struct cert server = cert_make_server("gw", NULL);
	void *fixture = NULL;

	assert_non_null(at);
	assert_int_equal(fixture_setup(&fixture), 0);
	at->it = fixture;
	at->ca = cert_make_ca("Test CA");
	at->other_ca = cert_make_ca("Other CA");
	at->client = cert_make_client("billing", &at->ca);
	fixture_write_cert(at->it, "gw", &server);
	fixture_write_cert(at->it, "ca", &at->ca);
	fixture_write_cert(at->it, "other", &at->other_ca);
	cert_done(&server);
	*state = at;
	return 0;
}

static int
teardown(void **state)
{
	struct stage *at = *state;
	void *fixture = at->it;

	tls_ctx_unref(&at->root);
	cert_done(&at->ca);
	cert_done(&at->other_ca);
	cert_done(&at->client);
	free(at);
	return fixture_teardown(&fixture);
}

static void
make(struct stage *at, const char *root_lines, const char *name_lines)
{
	struct tls_sni *names = tls_sni_new();
	struct tls_ctx *named;
	char all[1024];

	tls_ctx_unref(&at->root);
	(void)snprintf(all, sizeof all, CERT "%s", root_lines);
	at->root = context_make(at->it, "gw", all);
	(void)snprintf(all, sizeof all, CERT "%s", name_lines);
	named = context_make(at->it, "api", all);
	assert_true(tls_sni_add(names, NAME, named));
	tls_ctx_set_names(at->root, names, false);
	tls_ctx_unref(&named);
}

static struct outcome
visit(struct stage *at, const char *name, const struct cert *cert, int version)
{
	SSL_CTX *client = client_ctx_new(cert, version);
	struct outcome outcome =
		handshake_for(tls_ctx_ssl(at->root), client, NULL, name);

	SSL_CTX_free(client);
	return outcome;
}

/* TOKEN NULL: admitted. */
static void
assert_outcome(struct stage *at, const char *name, const struct cert *cert,
	int version, const char *token)
{
	struct outcome outcome = visit(at, name, cert, version);

	if (token == NULL && !outcome.server_done)
		fail_msg("refused: %s", outcome.failure.text);
	if (token != NULL) {
		assert_false(outcome.server_done);
		assert_string_equal(outcome.failure.token, token);
	}
	outcome_done(&outcome);
}

static void
assert_both(struct stage *at, const char *name, const struct cert *cert,
	const char *token)
{
	assert_outcome(at, name, cert, TLS1_2_VERSION, token);
	assert_outcome(at, name, cert, TLS1_3_VERSION, token);
}

static void
a_name_may_ask_for_more_than_its_listener(void **state)
{
	struct stage *at = *state;

	make(at, "", "cafile = ca.pem\n");
	assert_both(at, NULL, NULL, NULL);
	assert_both(at, NAME, NULL, "client_certificate_required");
	assert_both(at, NAME, &at->client, NULL);
}

static void
a_name_may_ask_for_less_than_its_listener(void **state)
{
	struct stage *at = *state;

	make(at, "cafile = ca.pem\n", "");
	assert_both(at, NULL, NULL, "client_certificate_required");
	assert_both(at, NAME, NULL, NULL);
}

static void
a_name_may_ask_politely(void **state)
{
	struct stage *at = *state;
	struct outcome outcome;

	make(at, "cafile = ca.pem\n",
		"cafile = ca.pem\nverify_mode = optional\n");
	assert_both(at, NAME, NULL, NULL);
	outcome = visit(at, NAME, &at->client, TLS1_3_VERSION);
	assert_string_equal(outcome.subject, "CN=billing");
	outcome_done(&outcome);
}

static void
a_name_has_its_own_cas(void **state)
{
	struct stage *at = *state;

	make(at, "cafile = ca.pem\n", "cafile = other.pem\n");
	assert_both(at, NULL, &at->client, NULL);
	assert_both(at, NAME, &at->client, "client_certificate_untrusted");
}

static void
assert_ca_named(struct stage *at, const char *name, const char *cn)
{
	struct outcome outcome = visit(at, name, NULL, TLS1_3_VERSION);

	assert_int_equal(outcome.n_ca_names, 1);
	assert_string_equal(outcome.ca_name, cn);
	outcome_done(&outcome);
}

static void
a_name_tells_its_own_cas(void **state)
{
	struct stage *at = *state;

	make(at, "cafile = ca.pem\n", "cafile = other.pem\n");
	assert_ca_named(at, NULL, "Test CA");
	assert_ca_named(at, NAME, "Other CA");
}

static void
a_name_may_ask_for_a_higher_version(void **state)
{
	struct stage *at = *state;

	make(at, "maximum_version = TLSv1.2\n", "minimum_version = TLSv1.3\n");
	assert_outcome(at, NULL, NULL, TLS1_2_VERSION, NULL);
	assert_outcome(at, NULL, NULL, TLS1_3_VERSION, "protocol_version");
	assert_outcome(at, NAME, NULL, TLS1_2_VERSION, "protocol_version");
	assert_outcome(at, NAME, NULL, TLS1_3_VERSION, NULL);
}

static void
a_name_may_allow_a_lower_version(void **state)
{
	struct stage *at = *state;

	make(at, "minimum_version = TLSv1.3\n",
		"minimum_version = TLSv1\nmaximum_version = TLSv1.2\n");
	assert_outcome(at, NULL, NULL, TLS1_VERSION, "protocol_version");
	assert_outcome(at, NAME, NULL, TLS1_VERSION, NULL);
	assert_outcome(at, NAME, NULL, TLS1_2_VERSION, NULL);
	assert_outcome(at, NAME, NULL, TLS1_3_VERSION, "protocol_version");
}

static void
a_weak_listener_does_not_weaken_a_name(void **state)
{
	struct stage *at = *state;

	make(at, "minimum_version = TLSv1\n", "");
	assert_outcome(at, NULL, NULL, TLS1_VERSION, NULL);
	assert_outcome(at, NAME, NULL, TLS1_VERSION, "protocol_version");
}

static void
assert_cipher(
	struct stage *at, const char *name, int version, const char *cipher)
{
	struct outcome outcome = visit(at, name, NULL, version);

	assert_string_equal(outcome.cipher, cipher);
	outcome_done(&outcome);
}

static void
a_name_has_its_own_ciphers(void **state)
{
	struct stage *at = *state;

	make(at, "ciphers = ECDHE-ECDSA-AES128-GCM-SHA256\n",
		"ciphers = ECDHE-ECDSA-AES256-GCM-SHA384\n");
	assert_cipher(
		at, NULL, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256");
	assert_cipher(
		at, NAME, TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384");
}

static void
a_name_has_its_own_ciphersuites(void **state)
{
	struct stage *at = *state;

	make(at, "ciphersuites = TLS_AES_128_GCM_SHA256\n",
		"ciphersuites = TLS_CHACHA20_POLY1305_SHA256\n");
	assert_cipher(at, NULL, TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256");
	assert_cipher(at, NAME, TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256");
}

static void
assert_group(struct stage *at, const char *name, const char *group)
{
	struct outcome outcome = visit(at, name, NULL, TLS1_3_VERSION);

	assert_string_equal(outcome.group, group);
	outcome_done(&outcome);
}

static void
a_name_has_its_own_groups(void **state)
{
	struct stage *at = *state;

	make(at, "groups = P-384\n", "groups = P-521\n");
	assert_group(at, NULL, "secp384r1");
	assert_group(at, NAME, "secp521r1");
	make(at, "", "groups = P-521\n");
	assert_group(at, NAME, "secp521r1");
}

static void
a_name_has_its_own_strictness(void **state)
{
	struct stage *at = *state;
	struct cert old = cert_make(
		&(struct cert_spec){.cn = "Old", .is_ca = true, .usage = ""},
		NULL);
	struct cert client = cert_make_client("billing", &old);

	fixture_write_cert(at->it, "ca", &old);
	make(at, "cafile = ca.pem\nverify_flags = -x509_strict\n",
		"cafile = ca.pem\n");
	assert_both(at, NULL, &client, NULL);
	assert_both(at, NAME, &client, "client_certificate_bad");
	make(at, "cafile = ca.pem\n",
		"cafile = ca.pem\nverify_flags = -x509_strict\n");
	assert_both(at, NULL, &client, "client_certificate_bad");
	assert_both(at, NAME, &client, NULL);
	cert_done(&old);
	cert_done(&client);
}

static void
a_name_has_its_own_crl_check(void **state)
{
	struct stage *at = *state;
	char *crl =
		crl_pem(&(struct crl_spec){.revoked = &at->client}, &at->ca);

	fixture_write(at->it, "ca.crl", crl);
	free(crl);
	make(at, "cafile = ca.pem\n", "cafile = ca.pem\ncrlfile = ca.crl\n");
	assert_both(at, NULL, &at->client, NULL);
	assert_both(at, NAME, &at->client, "client_certificate_revoked");
	make(at, "cafile = ca.pem\ncrlfile = ca.crl\n", "cafile = ca.pem\n");
	assert_both(at, NULL, &at->client, "client_certificate_revoked");
	assert_both(at, NAME, &at->client, NULL);
}

static void
a_name_has_its_own_protocols(void **state)
{
	static const unsigned char offer[] = "\2h2\10http/1.1";
	struct stage *at = *state;
	SSL_CTX *client = client_ctx_new(NULL, TLS1_3_VERSION);
	struct outcome outcome;

	assert_int_equal(
		SSL_CTX_set_alpn_protos(client, offer, sizeof offer - 1), 0);
	make(at, "alpn_protocols = h2\n", "alpn_protocols = http/1.1\n");
	outcome = handshake(tls_ctx_ssl(at->root), client, NULL);
	assert_string_equal(outcome.alpn, "h2");
	outcome_done(&outcome);
	outcome = handshake_for(tls_ctx_ssl(at->root), client, NULL, NAME);
	assert_string_equal(outcome.alpn, "http/1.1");
	outcome_done(&outcome);
	SSL_CTX_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_name_may_ask_for_more_than_its_listener),
		TEST(a_name_may_ask_for_less_than_its_listener),
		TEST(a_name_may_ask_politely),
		TEST(a_name_has_its_own_cas),
		TEST(a_name_tells_its_own_cas),
		TEST(a_name_may_ask_for_a_higher_version),
		TEST(a_name_may_allow_a_lower_version),
		TEST(a_weak_listener_does_not_weaken_a_name),
		TEST(a_name_has_its_own_ciphers),
		TEST(a_name_has_its_own_ciphersuites),
		TEST(a_name_has_its_own_groups),
		TEST(a_name_has_its_own_strictness),
		TEST(a_name_has_its_own_crl_check),
		TEST(a_name_has_its_own_protocols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
