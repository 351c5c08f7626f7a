#include "tls/tls_verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "crls.h"
#include "handshake.h"
#include "tls/tls_ctx.h"
#include "tls/tls_seen.h"
#include "tls_contexts.h"

#define LINES "certfile = gw.pem\nkeyfile = gw.key\ncafile = ca.pem\n"

/* A server, and a client with an intermediate of its own. */
struct gate {
	struct fixture *it;
	struct cert ca, middle, server, client;
	struct tls_ctx *ctx;
};

static struct gate
gate_open(struct fixture *it, const char *lines)
{
	struct gate gate = {.it = it, .ca = cert_make_ca("ca")};
	char all[512];

	gate.middle = cert_make(
		&(struct cert_spec){.cn = "middle", .is_ca = true}, &gate.ca);
	gate.server = cert_make_server("localhost", NULL);
	gate.client = cert_make_client("x", &gate.middle);
	fixture_write_cert(it, "ca", &gate.ca);
	fixture_write_cert(it, "gw", &gate.server);
	(void)snprintf(all, sizeof all, LINES "%s", lines);
	gate.ctx = context_make(it, "gw", all);
	tls_verify_skew(0);
	return gate;
}

static void
gate_close(struct gate *gate)
{
	tls_verify_skew(0);
	tls_ctx_unref(&gate->ctx);
	cert_done(&gate->client);
	cert_done(&gate->middle);
	cert_done(&gate->server);
	cert_done(&gate->ca);
}

/* CLIENT comes to CTX; SENT (may be NULL) and TOO (may be NULL) go along. Was
 * it recognised? */
static bool
comes(struct tls_ctx *ctx, const struct cert *client, X509 *sent, X509 *too,
	struct outcome *outcome_out)
{
	SSL_CTX *client_ctx = client_ctx_new(client, TLS1_3_VERSION);
	uint64_t before = tls_verify_recalled();

	if (sent != NULL)
		assert_int_equal(SSL_CTX_add1_chain_cert(client_ctx, sent), 1);
	if (too != NULL)
		assert_int_equal(SSL_CTX_add1_chain_cert(client_ctx, too), 1);
	*outcome_out = handshake(tls_ctx_ssl(ctx), client_ctx, NULL);
	SSL_CTX_free(client_ctx);
	return tls_verify_recalled() > before;
}

static void
assert_let_in(struct gate *gate, bool recalled)
{
	struct outcome outcome;

	assert_int_equal(comes(gate->ctx, &gate->client, gate->middle.x509,
				 NULL, &outcome),
		recalled);
	assert_true(outcome.server_done);
	assert_string_equal(outcome.subject, "CN=x");
	outcome_done(&outcome);
}

static void
assert_refused(struct gate *gate, const char *token)
{
	struct outcome outcome;

	assert_false(comes(
		gate->ctx, &gate->client, gate->middle.x509, NULL, &outcome));
	assert_false(outcome.server_done);
	assert_string_equal(outcome.failure.token, token);
	outcome_done(&outcome);
}

static void
a_client_seen_before_is_recalled(void **state)
{
	struct gate gate = gate_open(*state, "allow_cn = x\n");

	assert_let_in(&gate, false);
	assert_let_in(&gate, true);
	assert_let_in(&gate, true);
	gate_close(&gate);
}

static void
the_same_leaf_behind_other_certificates_is_verified(void **state)
{
	struct gate gate = gate_open(*state, "");
	struct cert other = cert_make_ca("other");
	struct outcome outcome;

	assert_let_in(&gate, false);
	assert_false(comes(gate.ctx, &gate.client, gate.middle.x509, other.x509,
		&outcome));
	assert_true(outcome.server_done);
	outcome_done(&outcome);
	/* Without the intermediate there is no chain at all. */
	assert_false(comes(gate.ctx, &gate.client, NULL, NULL, &outcome));
	assert_false(outcome.server_done);
	outcome_done(&outcome);
	assert_let_in(&gate, true);
	cert_done(&other);
	gate_close(&gate);
}

static void
another_context_verifies_for_itself(void **state)
{
	struct gate gate = gate_open(*state, "");
	struct gate same = gate;
	struct gate strict = gate;

	same.ctx = context_make(gate.it, "web", LINES);
	strict.ctx = context_make(gate.it, "ops", LINES "allow_cn = y\n");
	assert_let_in(&gate, false);
	assert_let_in(&same, false);
	assert_refused(&strict, TLS_FAILURE_DENIED);
	assert_let_in(&same, true);
	tls_ctx_unref(&same.ctx);
	tls_ctx_unref(&strict.ctx);
	gate_close(&gate);
}

static void
a_context_that_goes_takes_its_clients_along(void **state)
{
	struct gate gate = gate_open(*state, "");

	assert_let_in(&gate, false);
	assert_let_in(&gate, true);
	tls_ctx_unref(&gate.ctx);
	/* Mostly at the same place in memory. */
	gate.ctx = context_make(gate.it, "gw", LINES "allow_cn = y\n");
	assert_refused(&gate, TLS_FAILURE_DENIED);
	gate_close(&gate);
}

static void
a_refused_client_is_not_remembered(void **state)
{
	struct gate gate = gate_open(*state, "allow_cn = y\n");

	assert_refused(&gate, TLS_FAILURE_DENIED);
	assert_refused(&gate, TLS_FAILURE_DENIED);
	gate_close(&gate);
}

/* Comes twice, and again SECONDS later: is it recognised? */
static void
assert_later(struct gate *gate, int64_t seconds, bool recalled)
{
	assert_let_in(gate, false);
	assert_let_in(gate, true);
	tls_verify_skew(seconds);
	assert_let_in(gate, recalled);
}

static void
nobody_is_remembered_for_longer_than_minutes(void **state)
{
	struct gate gate = gate_open(*state, "");

	assert_later(&gate, TLS_SEEN_LIFE_S - 60, true);
	tls_verify_skew(TLS_SEEN_LIFE_S);
	assert_let_in(&gate, false);
	gate_close(&gate);
}

static void
a_clock_that_went_back_ends_the_memory(void **state)
{
	struct gate gate = gate_open(*state, "");

	assert_later(&gate, -60, false);
	gate_close(&gate);
}

static void
the_end_of_any_certificate_ends_the_memory(void **state)
{
	struct gate gate = gate_open(*state, "");

	cert_done(&gate.client);
	gate.client = cert_make(
		&(struct cert_spec){
			.cn = "x", .eku = "clientAuth", .until_s = 120},
		&gate.middle);
	assert_later(&gate, 60, true);
	tls_verify_skew(120);
	assert_let_in(&gate, false);
	cert_done(&gate.middle);
	cert_done(&gate.client);
	gate.middle = cert_make(
		&(struct cert_spec){
			.cn = "middle", .is_ca = true, .until_s = 120},
		&gate.ca);
	gate.client = cert_make_client("x", &gate.middle);
	tls_verify_skew(0);
	assert_later(&gate, 60, true);
	tls_verify_skew(120);
	assert_let_in(&gate, false);
	gate_close(&gate);
}

/* A gate whose CA and intermediate have CRLs; the latter has SPEC's. */
static void
use_crls(struct gate *gate, const struct crl_spec *spec)
{
	char *of_ca = crl_pem(&(struct crl_spec){0}, &gate->ca);
	char *of_middle = crl_pem(&(struct crl_spec){0}, &gate->middle);
	char *second = crl_pem(spec, &gate->middle);

	fixture_write(gate->it, "ca.crl", of_ca);
	fixture_write(gate->it, "middle.crl", of_middle);
	fixture_write(gate->it, "second.crl", second);
	tls_ctx_unref(&gate->ctx);
	gate->ctx = context_make(gate->it, "gw",
		LINES "crlfile = ca.crl\n\tmiddle.crl\n\tsecond.crl\n");
	free(of_ca);
	free(of_middle);
	free(second);
}

static void
the_end_of_any_crl_ends_the_memory(void **state)
{
	struct gate gate = gate_open(*state, "");

	use_crls(&gate, &(struct crl_spec){.until_s = 120});
	assert_later(&gate, 60, true);
	tls_verify_skew(120);
	assert_let_in(&gate, false);
	gate_close(&gate);
}

static void
a_crl_that_comes_into_force_ends_the_memory(void **state)
{
	struct gate gate = gate_open(*state, "");

	use_crls(&gate,
		&(struct crl_spec){.from_s = 120, .revoked = &gate.client});
	assert_later(&gate, 60, true);
	tls_verify_skew(120);
	assert_let_in(&gate, false);
	gate_close(&gate);
}

static void
a_new_crl_is_asked(void **state)
{
	struct gate gate = gate_open(*state, "");

	use_crls(&gate, &(struct crl_spec){0});
	assert_let_in(&gate, false);
	assert_let_in(&gate, true);
	use_crls(&gate,
		&(struct crl_spec){.from_s = -60, .revoked = &gate.client});
	assert_refused(&gate, "client_certificate_revoked");
	gate_close(&gate);
}

/* Says that it is OWNER's, and signs with THIEF's. */
static EVP_PKEY *
forged_key(const EVP_PKEY *owner, const EVP_PKEY *thief)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	unsigned char point[256];
	OSSL_PARAM *params;
	EVP_PKEY *forged = NULL;
	BIGNUM *secret = NULL;
	size_t len;

	assert_int_equal(
		EVP_PKEY_get_octet_string_param(owner, OSSL_PKEY_PARAM_PUB_KEY,
			point, sizeof point, &len),
		1);
	assert_int_equal(
		EVP_PKEY_get_bn_param(thief, OSSL_PKEY_PARAM_PRIV_KEY, &secret),
		1);
	assert_true(OSSL_PARAM_BLD_push_utf8_string(build,
			    OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
		    OSSL_PARAM_BLD_push_octet_string(
			    build, OSSL_PKEY_PARAM_PUB_KEY, point, len) == 1 &&
		    OSSL_PARAM_BLD_push_BN(
			    build, OSSL_PKEY_PARAM_PRIV_KEY, secret) == 1);
	params = OSSL_PARAM_BLD_to_param(build);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(
		EVP_PKEY_fromdata(ctx, &forged, EVP_PKEY_KEYPAIR, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_clear_free(secret);
	EVP_PKEY_CTX_free(ctx);
	return forged;
}

/* What is remembered is the chain. The key has to be there every time. */
static void
a_chain_without_its_key_is_of_no_use(void **state)
{
	struct gate gate = gate_open(*state, "");
	struct cert thief = cert_make_client("thief", &gate.middle);
	EVP_PKEY *owned = gate.client.key;
	struct outcome outcome;

	assert_let_in(&gate, false);
	gate.client.key = forged_key(owned, thief.key);
	assert_true(comes(
		gate.ctx, &gate.client, gate.middle.x509, NULL, &outcome));
	assert_false(outcome.server_done);
	assert_string_equal(outcome.failure.token, "client_certificate_bad");
	outcome_done(&outcome);
	EVP_PKEY_free(gate.client.key);
	gate.client.key = owned;
	assert_let_in(&gate, true);
	cert_done(&thief);
	gate_close(&gate);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_client_seen_before_is_recalled),
		TEST(the_same_leaf_behind_other_certificates_is_verified),
		TEST(another_context_verifies_for_itself),
		TEST(a_context_that_goes_takes_its_clients_along),
		TEST(a_refused_client_is_not_remembered),
		TEST(nobody_is_remembered_for_longer_than_minutes),
		TEST(a_clock_that_went_back_ends_the_memory),
		TEST(the_end_of_any_certificate_ends_the_memory),
		TEST(the_end_of_any_crl_ends_the_memory),
		TEST(a_crl_that_comes_into_force_ends_the_memory),
		TEST(a_new_crl_is_asked),
		TEST(a_chain_without_its_key_is_of_no_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
