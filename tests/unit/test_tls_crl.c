#include "tls/tls_crl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "crls.h"
#include "handshake.h"
#include "tls/tls_ctx.h"
#include "tls/tls_ctx_parts.h"
#include "tls/tls_time.h"
#include "tls_contexts.h"

#define BASE "certfile = gw.pem\nkeyfile = gw.key\ncafile = ca.pem\n"
#define DAY  (24L * 3600)

/* A root with an intermediate CA, and a client of each. */
struct stage {
	struct fixture *it;
	struct cert root;
	struct cert middle;
	struct cert direct;
	struct cert indirect;
};

static void
write_pem(struct stage *at, const char *name, char *pem)
{
	fixture_write(at->it, name, pem);
	free(pem);
}

static int
setup(void **state)
{
	struct stage *at = calloc(1, sizeof *at);
	struct cert server = cert_make_server("gw", NULL);
	void *fixture = NULL;

	assert_non_null(at);
	assert_int_equal(fixture_setup(&fixture), 0);
	at->it = fixture;
	at->root = cert_make_ca("Root");
	at->middle = cert_make(
		&(struct cert_spec){.cn = "Middle", .is_ca = true}, &at->root);
	at->direct = cert_make_client("direct", &at->root);
	at->indirect = cert_make_client("indirect", &at->middle);
	fixture_write_cert(at->it, "gw", &server);
	fixture_write_cert(at->it, "ca", &at->root);
	fixture_write_cert(at->it, "middle", &at->middle);
	write_pem(at, "empty.crl", crl_pem(&(struct crl_spec){0}, &at->root));
	write_pem(at, "direct.crl",
		crl_pem(&(struct crl_spec){.revoked = &at->direct}, &at->root));
	write_pem(
		at, "middle.crl", crl_pem(&(struct crl_spec){0}, &at->middle));
	cert_done(&server);
	*state = at;
	return 0;
}

static int
teardown(void **state)
{
	struct stage *at = *state;
	void *fixture = at->it;

	cert_done(&at->root);
	cert_done(&at->middle);
	cert_done(&at->direct);
	cert_done(&at->indirect);
	free(at);
	return fixture_teardown(&fixture);
}

/* TOKEN NULL: admitted. The client shows its issuer, too. */
static void
assert_client(struct stage *at, const char *lines, const struct cert *cert,
	const char *token)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	struct tls_ctx *ctx = context_make(at->it, "gw", lines);

	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *client = client_ctx_new(cert, versions[i]);
		struct outcome outcome;

		if (cert == &at->indirect)
			assert_int_equal(SSL_CTX_add1_chain_cert(
						 client, at->middle.x509),
				1);
		outcome = handshake(tls_ctx_ssl(ctx), client, NULL);
		if (token == NULL && !outcome.server_done)
			fail_msg("refused: %s", outcome.failure.text);
		if (token != NULL) {
			assert_false(outcome.server_done);
			assert_string_equal(outcome.failure.token, token);
		}
		outcome_done(&outcome);
		SSL_CTX_free(client);
	}
	tls_ctx_unref(&ctx);
}

static void
a_client_that_is_not_on_the_list_is_admitted(void **state)
{
	struct stage *at = *state;

	assert_client(at, BASE "crlfile = empty.crl\n", &at->direct, NULL);
}

static void
a_revoked_client_is_refused(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *ctx =
		context_make(at->it, "gw", BASE "crlfile = direct.crl\n");
	SSL_CTX *client = client_ctx_new(&at->direct, TLS1_3_VERSION);
	struct outcome outcome = handshake(tls_ctx_ssl(ctx), client, NULL);

	assert_false(outcome.server_done);
	assert_int_equal(outcome.client_got_alert, SSL_AD_CERTIFICATE_REVOKED);
	assert_string_equal(
		outcome.failure.token, "client_certificate_revoked");
	assert_non_null(strstr(outcome.failure.text, "CN=direct"));
	outcome_done(&outcome);
	SSL_CTX_free(client);
	tls_ctx_unref(&ctx);
}

static void
a_ca_without_a_list_is_refused_by_name(void **state)
{
	struct stage *at = *state;

	assert_client(at, BASE "crlfile = middle.crl\n", &at->direct,
		"client_crl_missing");
}

static void
an_expired_list_refuses_by_name(void **state)
{
	struct stage *at = *state;

	write_pem(at, "old.crl",
		crl_pem(&(struct crl_spec){.from_s = -2 * DAY, .until_s = -60},
			&at->root));
	assert_client(at, BASE "crlfile = old.crl\n", &at->direct,
		"client_crl_expired");
}

static void
a_list_of_tomorrow_refuses_by_name(void **state)
{
	struct stage *at = *state;

	write_pem(at, "new.crl",
		crl_pem(&(struct crl_spec){.from_s = DAY, .until_s = 2 * DAY},
			&at->root));
	assert_client(
		at, BASE "crlfile = new.crl\n", &at->direct, "client_crl_bad");
}

static void
a_leaf_check_asks_for_the_list_of_its_issuer_only(void **state)
{
	struct stage *at = *state;

	assert_client(at, BASE "crlfile = middle.crl\n", &at->indirect, NULL);
	assert_client(at, BASE "crlfile = middle.crl\ncrl_check = chain\n",
		&at->indirect, "client_crl_missing");
	assert_client(at,
		BASE "crlfile = middle.crl\ncrlfile = empty.crl\n"
		     "crl_check = chain\n",
		&at->indirect, NULL);
}

static void
a_chain_check_sees_a_revoked_intermediate(void **state)
{
	struct stage *at = *state;

	write_pem(at, "root.crl",
		crl_pem(&(struct crl_spec){.revoked = &at->middle}, &at->root));
	assert_client(at, BASE "crlfile = middle.crl\ncrlfile = root.crl\n",
		&at->indirect, NULL);
	assert_client(at,
		BASE "crlfile = middle.crl\ncrlfile = root.crl\n"
		     "crl_check = chain\n",
		&at->indirect, "client_certificate_revoked");
}

static void
one_file_may_hold_several_lists(void **state)
{
	struct stage *at = *state;
	char *one = crl_pem(&(struct crl_spec){0}, &at->middle);
	char *two =
		crl_pem(&(struct crl_spec){.revoked = &at->direct}, &at->root);
	char both[8192];

	(void)snprintf(both, sizeof both, "%s%s", one, two);
	fixture_write(at->it, "both.crl", both);
	assert_client(at, BASE "crlfile = both.crl\n", &at->direct,
		"client_certificate_revoked");
	assert_client(at, BASE "crlfile = both.crl\n", &at->indirect, NULL);
	free(one);
	free(two);
}

/* ---- findings ---- */

static void
a_good_list_is_no_finding(void **state)
{
	struct stage *at = *state;

	context_is_fine(at->it, BASE "crlfile = empty.crl\n");
}

static void
a_missing_file_is_an_error(void **state)
{
	struct stage *at = *state;

	context_fails(at->it, BASE "crlfile = none.crl\n",
		"context.ini:7: [listener gw] crlfile \"none.crl\": No such "
		"file or directory");
}

static void
a_file_without_a_list_is_an_error(void **state)
{
	struct stage *at = *state;

	context_fails(at->it, BASE "crlfile = ca.pem\n",
		"crlfile \"ca.pem\" holds no CRL in PEM; it holds a "
		"certificate");
	fixture_write(at->it, "x.crl", "");
	context_fails(at->it, BASE "crlfile = x.crl\n",
		"holds no CRL in PEM: it is empty");
}

static void
a_broken_list_is_an_error_with_its_number(void **state)
{
	struct stage *at = *state;
	char *good = crl_pem(&(struct crl_spec){0}, &at->root);
	char text[8192];

	(void)snprintf(text, sizeof text,
		"%s-----BEGIN X509 CRL-----\nMAMCAQE=\n"
		"-----END X509 CRL-----\n",
		good);
	fixture_write(at->it, "bad.crl", text);
	context_fails(at->it, BASE "crlfile = bad.crl\n",
		"crlfile \"bad.crl\": CRL 2 cannot be read");
	assert_int_equal(ERR_peek_error(), 0);
	free(good);
}

static void
an_expired_list_is_a_warning(void **state)
{
	struct stage *at = *state;

	write_pem(at, "old.crl",
		crl_pem(&(struct crl_spec){.from_s = -2 * DAY, .until_s = -60},
			&at->root));
	context_warns(at->it, BASE "crlfile = old.crl\n",
		"crlfile \"old.crl\" CRL 1 (of CN=Root) has expired: the next "
		"one was due at ");
}

static void
a_list_that_expires_soon_is_a_warning(void **state)
{
	struct stage *at = *state;

	write_pem(at, "soon.crl",
		crl_pem(&(struct crl_spec){.from_s = -25 * DAY,
				.until_s = 5 * DAY},
			&at->root));
	context_warns(
		at->it, BASE "crlfile = soon.crl\n", "expires soon: the next");
}

static void
a_daily_list_is_not_complained_of_every_day(void **state)
{
	struct stage *at = *state;

	write_pem(at, "daily.crl",
		crl_pem(&(struct crl_spec){.from_s = -DAY / 2,
				.until_s = DAY / 2},
			&at->root));
	context_is_fine(at->it, BASE "crlfile = daily.crl\n");
}

static void
a_list_of_a_stranger_is_a_warning(void **state)
{
	struct stage *at = *state;
	struct cert stranger = cert_make_ca("Root"); /* the same name */

	write_pem(at, "x.crl", crl_pem(&(struct crl_spec){0}, &stranger));
	context_warns(at->it, BASE "crlfile = x.crl\n",
		"CRL 1 (of CN=Root) was signed by none of the CAs here");
	cert_done(&stranger);
}

static void
a_ca_without_a_list_is_a_warning(void **state)
{
	struct stage *at = *state;

	context_warns(at->it, BASE "cafile = middle.pem\ncrlfile = empty.crl\n",
		"crl_check: there is no CRL of CA CN=Middle");
}

static void
a_root_that_has_only_cas_needs_no_list_for_a_leaf_check(void **state)
{
	struct stage *at = *state;

	context_is_fine(
		at->it, BASE "cafile = middle.pem\ncrlfile = middle.crl\n");
	context_warns(at->it,
		BASE "cafile = middle.pem\ncrlfile = middle.crl\n"
		     "crl_check = chain\n",
		"crl_check: there is no CRL of CA CN=Root");
}

/* ---- sessions ---- */

static void
sessions_last_no_longer_than_the_list(void **state)
{
	struct stage *at = *state;
	int64_t now = (int64_t)time(NULL);
	struct tls_ctx *ctx =
		context_make(at->it, "gw", BASE "crlfile = empty.crl\n");

	assert_in_range(
		(uint64_t)(ctx->entrance.until_s - now), DAY - 60, DAY + 60);
	tls_ctx_unref(&ctx);
	ctx = context_make(at->it, "gw", BASE);
	assert_true(ctx->entrance.until_s == TLS_TIME_FOREVER);
	tls_ctx_unref(&ctx);
}

static void
the_newest_list_of_a_ca_decides(void **state)
{
	struct stage *at = *state;
	int64_t now = (int64_t)time(NULL);
	struct tls_ctx *ctx;

	write_pem(at, "week.crl",
		crl_pem(&(struct crl_spec){.until_s = 7 * DAY}, &at->root));
	ctx = context_make(
		at->it, "gw", BASE "crlfile = empty.crl\ncrlfile = week.crl\n");
	assert_true(ctx->entrance.until_s > now + 6 * DAY);
	tls_ctx_unref(&ctx);
}

/* ---- those of a directory ---- */

static void
lists_of_a_capath_count_as_well(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *ctx;
	SSL_CTX *client;
	struct outcome outcome;
	char *ca = cert_pem(&at->root);

	fixture_write(at->it, "9d66eef0.0", ca);
	write_pem(at, "9d66eef0.r0",
		crl_pem(&(struct crl_spec){.revoked = &at->direct}, &at->root));
	ctx = context_make(at->it, "gw",
		"certfile = gw.pem\nkeyfile = gw.key\ncapath = .\n"
		"crl_check = leaf\n");
	client = client_ctx_new(&at->direct, TLS1_3_VERSION);
	outcome = handshake(tls_ctx_ssl(ctx), client, NULL);
	assert_string_equal(
		outcome.failure.token, "client_certificate_revoked");
	outcome_done(&outcome);
	SSL_CTX_free(client);
	tls_ctx_unref(&ctx);
	free(ca);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_client_that_is_not_on_the_list_is_admitted),
		TEST(a_revoked_client_is_refused),
		TEST(a_ca_without_a_list_is_refused_by_name),
		TEST(an_expired_list_refuses_by_name),
		TEST(a_list_of_tomorrow_refuses_by_name),
		TEST(a_leaf_check_asks_for_the_list_of_its_issuer_only),
		TEST(a_chain_check_sees_a_revoked_intermediate),
		TEST(one_file_may_hold_several_lists),
		TEST(a_good_list_is_no_finding),
		TEST(a_missing_file_is_an_error),
		TEST(a_file_without_a_list_is_an_error),
		TEST(a_broken_list_is_an_error_with_its_number),
		TEST(an_expired_list_is_a_warning),
		TEST(a_list_that_expires_soon_is_a_warning),
		TEST(a_daily_list_is_not_complained_of_every_day),
		TEST(a_list_of_a_stranger_is_a_warning),
		TEST(a_ca_without_a_list_is_a_warning),
		TEST(a_root_that_has_only_cas_needs_no_list_for_a_leaf_check),
		TEST(sessions_last_no_longer_than_the_list),
		TEST(the_newest_list_of_a_ca_decides),
		TEST(lists_of_a_capath_count_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
