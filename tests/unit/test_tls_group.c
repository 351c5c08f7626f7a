#include "tls/tls_group.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "handshake.h"
#include "tls/tls_ctx.h"
#include "tls_contexts.h"

#define CERT "certfile = gw.pem\nkeyfile = gw.key\n"

static int
setup(void **state)
{
	struct cert server = cert_make_server("gw", NULL);
	int status = fixture_setup(state);

	fixture_write_cert(*state, "gw", &server);
	cert_done(&server);
	return status;
}

/* The client knows CLIENT_GROUPS. */
static void
assert_negotiated(struct fixture *it, const char *lines,
	const char *client_groups, const char *expected)
{
	SSL_CTX *client = client_ctx_new(NULL, TLS1_3_VERSION);
	struct tls_ctx *ctx = context_make(it, "gw", lines);
	struct outcome outcome;

	ctx_set_groups(client, client_groups);
	outcome = handshake(tls_ctx_ssl(ctx), client, NULL);
	if (expected == NULL)
		assert_string_equal(outcome.failure.token, "no_shared_cipher");
	else
		assert_string_equal(outcome.group, expected);
	outcome_done(&outcome);
	tls_ctx_unref(&ctx);
	SSL_CTX_free(client);
}

static void
only_the_groups_named_are_negotiated(void **state)
{
	assert_negotiated(*state, CERT "groups = P-384 P-521\n",
		"X25519:P-521:P-384", "secp384r1");
	assert_negotiated(*state, CERT "groups = P-384\n", "X25519", NULL);
}

static void
without_groups_those_of_the_library_are_negotiated(void **state)
{
	assert_negotiated(*state, CERT, "X25519", "x25519");
}

static void
an_unknown_group_is_an_error(void **state)
{
	context_fails(*state, CERT "groups = X25519 X25520\n",
		"context.ini:6: [listener gw] groups: this OpenSSL has no "
		"group \"X25520\"; write \"?X25520\" to use it only where "
		"there is one");
	assert_int_equal(ERR_peek_error(), 0);
}

static void
an_unknown_group_with_a_question_mark_is_left_out(void **state)
{
	assert_negotiated(*state, CERT "groups = ?X25520 P-384\n",
		"X25519:P-384", "secp384r1");
	assert_int_equal(ERR_peek_error(), 0);
}

static void
a_known_group_with_a_question_mark_is_used(void **state)
{
	assert_negotiated(*state, CERT "groups = ?P-521 X25519\n",
		"P-521:X25519", "secp521r1");
}

static void
none_left_is_an_error(void **state)
{
	context_fails(*state, CERT "groups = ?X25520 ?X25521\n",
		"this OpenSSL has none of them");
}

static void
signs_of_newer_releases_are_no_names(void **state)
{
	context_fails(*state, CERT "groups = *X25519\n", "has no group");
	context_fails(*state, CERT "groups = X25519/P-256\n", "has no group");
	context_fails(*state, CERT "groups = X25519 -P-256\n", "has no group");
}

static void
the_hybrid_group_is_negotiated_where_there_is_one(void **state)
{
	SSL_CTX *probe = SSL_CTX_new(TLS_client_method());
	char name[] = "X25519MLKEM768";
	bool known = SSL_CTX_set1_groups_list(probe, name) == 1;

	SSL_CTX_free(probe);
	ERR_clear_error();
	assert_negotiated(*state, CERT "groups = ?X25519MLKEM768 X25519\n",
		known ? "X25519MLKEM768:X25519" : "X25519",
		known ? "X25519MLKEM768" : "x25519");
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_the_groups_named_are_negotiated),
		TEST(without_groups_those_of_the_library_are_negotiated),
		TEST(an_unknown_group_is_an_error),
		TEST(an_unknown_group_with_a_question_mark_is_left_out),
		TEST(a_known_group_with_a_question_mark_is_used),
		TEST(none_left_is_an_error),
		TEST(signs_of_newer_releases_are_no_names),
		TEST(the_hybrid_group_is_negotiated_where_there_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
