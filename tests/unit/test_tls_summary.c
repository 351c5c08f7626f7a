#include "tls/tls_summary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tls/tls_ctx.h"
#include "tls_fixture.h"

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#define GATEWAY "certfile = gw.pem\nkeyfile = gw.key\n"

static struct tls_ctx *
make(struct fixture *it, const char *lines)
{
	struct cert ca = cert_make_ca("CA");
	struct cert cert = cert_make_server("gw", &ca);

	fixture_write_cert(it, "ca", &ca);
	fixture_write_cert(it, "gw", &cert);
	fixture_configure(it, lines);
	cert_done(&cert);
	cert_done(&ca);
	return fixture_ctx(it);
}

static void
assert_has(struct tls_ctx *ctx, const char *key, const char *word)
{
	char *text = tls_summary_of(ctx, key);

	assert_non_null(text);
	if (strstr(text, word) == NULL)
		fail_msg("%s: no %s in: %s", key, word, text);
	free(text);
}

static void
assert_lacks(struct tls_ctx *ctx, const char *key, const char *word)
{
	char *text = tls_summary_of(ctx, key);

	assert_non_null(text);
	if (strstr(text, word) != NULL)
		fail_msg("%s: %s in: %s", key, word, text);
	free(text);
}

static void
assert_is(struct tls_ctx *ctx, const char *key, const char *wanted)
{
	char *text = tls_summary_of(ctx, key);

	assert_non_null(text);
	assert_string_equal(text, wanted);
	free(text);
}

static void
defaults_are_named_as_openssl_names_them(void **state)
{
	struct tls_ctx *ctx = make(*state, GATEWAY);

	assert_has(ctx, "options", "SSL_OP_NO_COMPRESSION");
	assert_has(ctx, "options", "SSL_OP_NO_RENEGOTIATION");
	assert_has(ctx, "options", "SSL_OP_CIPHER_SERVER_PREFERENCE");
	assert_lacks(ctx, "options", "0x");
	assert_has(ctx, "verify_flags", "X509_V_FLAG_X509_STRICT");
	assert_has(ctx, "verify_flags", "X509_V_FLAG_TRUSTED_FIRST");
	assert_has(ctx, "verify_flags", "X509_V_FLAG_PARTIAL_CHAIN");
	assert_lacks(ctx, "verify_flags", "0x");
	assert_is(ctx, "verify_mode", "SSL_VERIFY_NONE");
	assert_is(ctx, "minimum_version", "TLS1_2_VERSION");
	assert_is(ctx, "maximum_version", "the highest that OpenSSL has");
	tls_ctx_unref(&ctx);
}

static void
ciphers_are_those_that_are_left(void **state)
{
	struct tls_ctx *ctx =
		make(*state, GATEWAY "ciphers = ECDHE-ECDSA-AES128-GCM-SHA256\n"
				     "ciphersuites = TLS_AES_256_GCM_SHA384\n");

	assert_is(ctx, "ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256");
	assert_is(ctx, "ciphersuites", "TLS_AES_256_GCM_SHA384");
	tls_ctx_unref(&ctx);
}

static void
ciphers_of_versions_that_are_off_are_none(void **state)
{
	struct tls_ctx *ctx =
		make(*state, GATEWAY "maximum_version = TLSv1.2\n");

	assert_is(ctx, "ciphersuites", "none");
	assert_is(ctx, "maximum_version", "TLS1_2_VERSION");
	tls_ctx_unref(&ctx);
}

static void
groups_are_told_in_order(void **state)
{
	struct tls_ctx *ctx = make(*state, GATEWAY "groups = P-384 X25519\n");
	char *text = tls_summary_of(ctx, "groups");

	assert_non_null(text);
	assert_int_equal(strncmp(text, "secp384r1 ", 10), 0);
	assert_non_null(strstr(text, "25519"));
	free(text);
	tls_ctx_unref(&ctx);
}

static void
the_groups_of_the_library_are_told(void **state)
{
	struct tls_ctx *ctx = make(*state, GATEWAY);

	assert_has(ctx, "groups", "25519");
	assert_has(ctx, "groups", "secp256r1");
	tls_ctx_unref(&ctx);
}

/* Client and server versions of a context are the same thing twice. */
static void
groups_are_told_whatever_the_versions(void **state)
{
	struct tls_ctx *ctx = make(
		*state, GATEWAY "minimum_version = TLSv1.3\ngroups = P-256\n");

	assert_is(ctx, "groups", "secp256r1");
	tls_ctx_unref(&ctx);
}

static void
verification_of_clients_is_named(void **state)
{
	struct tls_ctx *ctx = make(*state, GATEWAY "cafile = ca.pem\n");

	assert_is(ctx, "verify_mode",
		"SSL_VERIFY_PEER SSL_VERIFY_FAIL_IF_NO_PEER_CERT");
	tls_ctx_unref(&ctx);
}

static void
keys_that_openssl_does_not_know_have_no_summary(void **state)
{
	struct tls_ctx *ctx = make(*state, GATEWAY);

	assert_null(tls_summary_of(ctx, "listen"));
	assert_null(tls_summary_of(ctx, ""));
	tls_ctx_unref(&ctx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(defaults_are_named_as_openssl_names_them),
		TEST(ciphers_are_those_that_are_left),
		TEST(ciphers_of_versions_that_are_off_are_none),
		TEST(groups_are_told_in_order),
		TEST(the_groups_of_the_library_are_told),
		TEST(groups_are_told_whatever_the_versions),
		TEST(verification_of_clients_is_named),
		TEST(keys_that_openssl_does_not_know_have_no_summary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
