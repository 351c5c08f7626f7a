#include "tls/tls_offline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "authz/identity.h"
#include "authz/policy.h"
#include "base/error.h"
#include "crls.h"
#include "tls/tls_ctx.h"
#include "tls/tls_error.h"
#include "tls_fixture.h"

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* The CA of a listener that is in IT, with LINES beside the usual ones. */
static struct cert
configure(struct fixture *it, const char *lines)
{
	struct cert ca = cert_make_ca("CA");
	struct cert gw = cert_make_server("gw", &ca);
	char text[1024];

	fixture_write_cert(it, "ca", &ca);
	fixture_write_cert(it, "gw", &gw);
	(void)snprintf(text, sizeof text,
		"certfile = gw.pem\nkeyfile = gw.key\n%s", lines);
	fixture_configure(it, text);
	cert_done(&gw);
	return ca;
}

static void
add(struct tls_offline *offline, const struct cert *cert)
{
	char *pem = cert_pem(cert);
	struct error err;

	assert_int_equal(tls_offline_add(offline, pem, strlen(pem), &err), 0);
	free(pem);
}

struct outcome {
	int status;
	struct policy_decision decision;
	struct tls_failure failure;
};

/* What becomes of CERT with the certificate ABOVE it (may be NULL). */
static struct outcome
show(struct fixture *it, const struct cert *cert, const struct cert *above)
{
	struct tls_ctx *ctx = fixture_ctx(it);
	struct tls_offline *offline = tls_offline_new();
	struct outcome out = {.status = -2};

	add(offline, cert);
	if (above != NULL)
		add(offline, above);
	out.status =
		tls_offline_verify(offline, ctx, &out.decision, &out.failure);
	assert_int_equal(ERR_peek_error(), 0);
	tls_offline_free(&offline);
	assert_null(offline);
	tls_ctx_unref(&ctx);
	return out;
}

/* Takes CERT. */
static void
assert_allowed(struct fixture *it, struct cert cert, const char *rule)
{
	struct outcome out = show(it, &cert, NULL);

	assert_int_equal(out.status, 0);
	assert_true(out.decision.allowed);
	assert_string_equal(out.decision.reason, rule);
	cert_done(&cert);
}

/* Takes CERT. */
static void
assert_refused(struct fixture *it, struct cert cert, const char *token,
	const char *text)
{
	struct outcome out = show(it, &cert, NULL);

	assert_int_equal(out.status, -1);
	assert_string_equal(out.failure.token, token);
	if (strncmp(out.failure.text, text, strlen(text)) != 0)
		fail_msg("not \"%s\" but: %s", text, out.failure.text);
	cert_done(&cert);
}

static void
a_good_chain_without_rules_is_enough(void **state)
{
	struct cert ca = configure(*state, "cafile = ca.pem\n");

	assert_allowed(*state, cert_make_client("x", &ca), "no rule");
	cert_done(&ca);
}

static void
the_rule_that_lets_in_is_named(void **state)
{
	struct cert ca =
		configure(*state, "cafile = ca.pem\nallow_cn = a b\n\tx\n");

	assert_allowed(*state, cert_make_client("x", &ca), "allow_cn x");
	cert_done(&ca);
}

static void
the_verified_issuer_counts(void **state)
{
	struct cert ca =
		configure(*state, "cafile = ca.pem\nauthorize = staff\n"
				  "[policy staff]\nallow_issuer_cn = CA\n");

	assert_allowed(*state, cert_make_client("x", &ca), "policy staff");
	cert_done(&ca);
}

static void
whom_no_rule_lets_in_is_denied(void **state)
{
	struct cert ca =
		configure(*state, "cafile = ca.pem\nallow_cn = billing\n");

	assert_refused(*state, cert_make_client("x", &ca), TLS_FAILURE_DENIED,
		"no rule matches");
	cert_done(&ca);
}

static void
the_chain_goes_before_the_rules(void **state)
{
	struct cert ca = configure(*state, "cafile = ca.pem\nallow_cn = x\n");
	struct cert other = cert_make_ca("Other");

	assert_refused(*state, cert_make_client("x", &other),
		"client_certificate_untrusted",
		"unable to get local issuer certificate: depth 0, "
		"subject \"CN=x\", issuer \"CN=Other\"");
	cert_done(&other);
	cert_done(&ca);
}

static void
dates_and_purpose_are_looked_at(void **state)
{
	struct cert ca = configure(*state, "cafile = ca.pem\n");
	const struct cert_spec old = {.cn = "x",
		.eku = "clientAuth",
		.from_s = -7200,
		.until_s = -60};

	assert_refused(*state, cert_make(&old, &ca),
		"client_certificate_expired", "certificate has expired: ");
	assert_refused(*state, cert_make_server("x", &ca),
		"client_certificate_purpose", "extendedKeyUsage ");
	/* OpenSSL alone would take it. */
	assert_refused(*state, cert_make(&(struct cert_spec){.cn = "x"}, &ca),
		"client_certificate_purpose", "extendedKeyUsage ");
	cert_done(&ca);
}

static void
weak_keys_are_refused_as_in_a_handshake(void **state)
{
	struct cert ca = configure(*state, "cafile = ca.pem\n");
	const struct cert_spec weak = {
		.cn = "x", .eku = "clientAuth", .key = CERT_RSA, .bits = 512};

	assert_refused(*state, cert_make(&weak, &ca), "client_certificate_bad",
		"EE certificate key too weak: ");
	cert_done(&ca);
}

static void
an_intermediate_must_be_sent(void **state)
{
	struct fixture *it = *state;
	struct cert ca = configure(it, "cafile = ca.pem\n");
	const struct cert_spec spec = {.cn = "Middle", .is_ca = true};
	struct cert middle = cert_make(&spec, &ca);
	struct cert client = cert_make_client("x", &middle);
	struct outcome out = show(it, &client, &middle);

	assert_int_equal(out.status, 0);
	out = show(it, &client, NULL);
	assert_int_equal(out.status, -1);
	assert_string_equal(out.failure.token, "client_certificate_untrusted");
	cert_done(&client);
	cert_done(&middle);
	cert_done(&ca);
}

static void
the_revoked_are_refused(void **state)
{
	struct fixture *it = *state;
	struct cert ca = configure(it, "cafile = ca.pem\ncrlfile = ca.crl\n");
	struct cert client = cert_make_client("x", &ca);
	char *crl = crl_pem(&(struct crl_spec){.revoked = &client}, &ca);

	fixture_write(it, "ca.crl", crl);
	assert_refused(it, client, "client_certificate_revoked",
		"certificate revoked: ");
	assert_allowed(it, cert_make_client("y", &ca), "no rule");
	free(crl);
	cert_done(&ca);
}

static void
nobody_is_asked_without_verification(void **state)
{
	struct cert ca = configure(*state, "");

	assert_allowed(*state, cert_make_client("x", NULL),
		"verify_mode none: no certificate is asked for");
	cert_done(&ca);
}

static void
more_than_a_handshake_reads_is_refused(void **state)
{
	struct fixture *it = *state;
	struct cert ca = configure(it, "cafile = ca.pem\n");
	struct cert client = cert_make_client("x", &ca);
	struct tls_ctx *ctx = fixture_ctx(it);
	struct tls_offline *offline = tls_offline_new();
	struct policy_decision decision;
	struct tls_failure failure;

	for (int i = 0; i < 400; i++)
		add(offline, &client);
	assert_int_equal(
		tls_offline_verify(offline, ctx, &decision, &failure), -1);
	assert_string_equal(failure.token, "client_certificate_bad");
	assert_string_equal(failure.text,
		"the client's certificate cannot be read: excessive message "
		"size");
	tls_offline_free(&offline);
	tls_ctx_unref(&ctx);
	cert_done(&client);
	cert_done(&ca);
}

static void
assert_unreadable(const char *pem, const char *why)
{
	struct tls_offline *offline = tls_offline_new();
	struct error err = {.text = ""};

	assert_int_equal(tls_offline_add(offline, pem, strlen(pem), &err), -1);
	if (strncmp(err.text, why, strlen(why)) != 0)
		fail_msg("not \"%s\" but: %s", why, err.text);
	assert_int_equal(ERR_peek_error(), 0);
	tls_offline_free(&offline);
}

static void
what_is_no_certificate_is_an_error(void **state)
{
	struct cert cert = cert_make_client("x", NULL);
	char *key = cert_key_pem(&cert, NULL);
	char *pem = cert_pem(&cert);

	(void)state;
	assert_unreadable("", "holds no certificate in PEM");
	assert_unreadable("x", "holds no certificate in PEM");
	assert_unreadable(key, "holds no certificate in PEM");
	pem[strlen(pem) / 2] = '!';
	assert_unreadable(pem, "certificate 1 cannot be read: ");
	free(pem);
	free(key);
	cert_done(&cert);
}

static void
a_private_key_beside_it_is_passed_over(void **state)
{
	struct cert cert = cert_make_client("x", NULL);
	char *key = cert_key_pem(&cert, NULL), *pem = cert_pem(&cert);
	struct tls_offline *offline = tls_offline_new();
	struct identity *identity;
	char both[8192];
	struct error err;

	(void)state;
	(void)snprintf(both, sizeof both, "%s%s", key, pem);
	assert_int_equal(tls_offline_add(offline, both, strlen(both), &err), 0);
	identity = tls_offline_identity(offline);
	assert_string_equal(identity->subject, "CN=x");
	assert_null(identity->issuer_cn);
	identity_free(&identity);
	tls_offline_free(&offline);
	free(pem);
	free(key);
	cert_done(&cert);
}

static void
nothing_can_be_freed(void **state)
{
	struct tls_offline *offline = NULL;

	(void)state;
	tls_offline_free(&offline);
	assert_null(offline);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_good_chain_without_rules_is_enough),
		TEST(the_rule_that_lets_in_is_named),
		TEST(the_verified_issuer_counts),
		TEST(whom_no_rule_lets_in_is_denied),
		TEST(the_chain_goes_before_the_rules),
		TEST(dates_and_purpose_are_looked_at),
		TEST(weak_keys_are_refused_as_in_a_handshake),
		TEST(an_intermediate_must_be_sent),
		TEST(the_revoked_are_refused),
		TEST(nobody_is_asked_without_verification),
		TEST(more_than_a_handshake_reads_is_refused),
		cmocka_unit_test(what_is_no_certificate_is_an_error),
		cmocka_unit_test(a_private_key_beside_it_is_passed_over),
		cmocka_unit_test(nothing_can_be_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
