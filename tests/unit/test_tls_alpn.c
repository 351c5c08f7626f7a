#include "tls/tls_alpn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "handshake.h"
#include "tls/tls_ctx.h"
#include "tls_contexts.h"

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* A client that offers OFFER (in wire form; NULL: it knows no ALPN) to a
 * server with ALPN_LINE. */
static struct outcome
offer(struct fixture *it, const char *alpn_line, const char *offer)
{
	struct cert server = cert_make_server("gw", NULL);
	SSL_CTX *client = client_ctx_new(NULL, TLS1_3_VERSION);
	struct outcome outcome;
	struct tls_ctx *ctx;
	char lines[512];

	fixture_write_cert(it, "gw", &server);
	(void)snprintf(lines, sizeof lines,
		"certfile = gw.pem\nkeyfile = gw.key\n%s", alpn_line);
	ctx = context_make(it, "gw", lines);
	if (offer != NULL)
		assert_int_equal(SSL_CTX_set_alpn_protos(client,
					 (const unsigned char *)offer,
					 (unsigned)strlen(offer)),
			0);
	outcome = handshake(tls_ctx_ssl(ctx), client, NULL);
	SSL_CTX_free(client);
	tls_ctx_unref(&ctx);
	cert_done(&server);
	return outcome;
}

static void
assert_chosen(struct fixture *it, const char *line, const char *wire,
	const char *protocol)
{
	struct outcome outcome = offer(it, line, wire);

	assert_true(outcome.server_done);
	assert_true(outcome.client_done);
	assert_string_equal(outcome.alpn, protocol);
	outcome_done(&outcome);
}

static void
the_first_of_ours_that_the_client_offers_is_chosen(void **state)
{
	assert_chosen(*state, "alpn_protocols = h2 http/1.1\n",
		"\10http/1.1\2h2", "h2");
	assert_chosen(*state, "alpn_protocols = http/1.1 h2\n",
		"\2h2\10http/1.1", "http/1.1");
	assert_chosen(*state, "alpn_protocols = h2 http/1.1\n",
		"\10http/1.1\4mqtt", "http/1.1");
}

static void
a_client_without_alpn_is_served(void **state)
{
	assert_chosen(*state, "alpn_protocols = h2\n", NULL, "");
}

static void
a_server_without_alpn_ignores_the_offer(void **state)
{
	assert_chosen(*state, "", "\2h2", "");
}

static void
nothing_in_common_is_refused_by_name(void **state)
{
	struct outcome outcome =
		offer(*state, "alpn_protocols = h2\n", "\4mqtt");

	assert_false(outcome.server_done);
	assert_int_equal(
		outcome.client_got_alert, SSL_AD_NO_APPLICATION_PROTOCOL);
	assert_string_equal(outcome.failure.token, "no_application_protocol");
	outcome_done(&outcome);
}

static void
names_are_compared_whole(void **state)
{
	struct outcome outcome =
		offer(*state, "alpn_protocols = h2\n", "\3h2c\1h");

	assert_false(outcome.server_done);
	outcome_done(&outcome);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_of_ours_that_the_client_offers_is_chosen),
		TEST(a_client_without_alpn_is_served),
		TEST(a_server_without_alpn_ignores_the_offer),
		TEST(nothing_in_common_is_refused_by_name),
		TEST(names_are_compared_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
