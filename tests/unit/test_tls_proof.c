#include "tls/tls_proof.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "tls/tls_ctx.h"
#include "tls_contexts.h"

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* Takes KEY. Nothing but the key of a certificate counts here. */
static bool
is_possible(const struct tls_ctx *ctx, EVP_PKEY *key)
{
	X509 *cert = X509_new();
	bool answer;

	assert_non_null(key);
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	answer = tls_proof_is_possible(ctx, cert);
	X509_free(cert);
	EVP_PKEY_free(key);
	return answer;
}

static bool
is_possible_on(const struct tls_ctx *ctx, const char *curve)
{
	return is_possible(ctx, EVP_EC_gen(curve));
}

static struct tls_ctx *
make(struct fixture *it, const char *lines)
{
	struct cert gw = cert_make_server("gw", NULL);
	struct tls_ctx *ctx;

	fixture_write_cert(it, "gw", &gw);
	cert_done(&gw);
	ctx = context_make(it, "gw", lines);
	assert_non_null(ctx);
	return ctx;
}

#define PAIR "certfile = gw.pem\nkeyfile = gw.key\n"

static void
usual_keys_sign_in_every_version(void **state)
{
	static const char *const lines[] = {PAIR, PAIR "groups = X25519\n",
		PAIR "minimum_version = TLSv1.3\n",
		PAIR "maximum_version = TLSv1.2\n"};

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct tls_ctx *ctx = make(*state, lines[i]);

		assert_true(is_possible(ctx, EVP_RSA_gen(2048)));
		assert_true(is_possible(
			ctx, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")));
		assert_true(is_possible(
			ctx, EVP_PKEY_Q_keygen(NULL, NULL, "ED448")));
		assert_true(is_possible_on(ctx, "P-256"));
		assert_true(is_possible_on(ctx, "P-384"));
		assert_true(is_possible_on(ctx, "P-521"));
		tls_ctx_unref(&ctx);
	}
}

static void
keys_that_do_not_sign_prove_nothing(void **state)
{
	struct tls_ctx *ctx = make(*state, PAIR);
	X509 *empty = X509_new();

	assert_false(is_possible(ctx, EVP_PKEY_Q_keygen(NULL, NULL, "X25519")));
	assert_false(is_possible_on(ctx, "SM2"));
	assert_false(tls_proof_is_possible(ctx, empty));
	X509_free(empty);
	tls_ctx_unref(&ctx);
}

static void
a_curve_must_be_one_of_the_groups_before_tls_1_3(void **state)
{
	struct tls_ctx *ctx = make(*state, PAIR);

	assert_false(is_possible_on(ctx, "secp224r1"));
	assert_false(is_possible_on(ctx, "secp256k1"));
	tls_ctx_unref(&ctx);
	ctx = make(*state, PAIR "groups = X25519 P-224 secp256k1\n");
	assert_true(is_possible_on(ctx, "secp224r1"));
	assert_true(is_possible_on(ctx, "secp256k1"));
	tls_ctx_unref(&ctx);
	ctx = make(*state,
		PAIR "groups = X25519 P-224\nminimum_version = TLSv1.3\n");
	assert_false(is_possible_on(ctx, "secp224r1"));
	tls_ctx_unref(&ctx);
	ctx = make(*state,
		PAIR "groups = X25519 P-256\nmaximum_version = TLSv1.2\n");
	assert_true(is_possible_on(ctx, "P-256"));
	assert_false(is_possible_on(ctx, "P-384"));
	tls_ctx_unref(&ctx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(usual_keys_sign_in_every_version),
		TEST(keys_that_do_not_sign_prove_nothing),
		TEST(a_curve_must_be_one_of_the_groups_before_tls_1_3),
	};

	tls_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
