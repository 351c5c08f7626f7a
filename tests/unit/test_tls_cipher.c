#include "tls/tls_cipher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ssl.h>
#include <openssl/err.h>

#include "tls_fixture.h"

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static SSL_CTX *
set(struct fixture *it, const char *lines, int expected)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	fixture_configure(it, lines);
	assert_int_equal(
		tls_cipher_set(ctx, it->listener, it->report), expected);
	assert_int_equal(ERR_peek_error(), 0);
	return ctx;
}

static bool
has_cipher(const SSL_CTX *ctx, const char *name)
{
	STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(ctx);

	for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
		if (strcmp(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(all, i)),
			    name) == 0)
			return true;
	}
	return false;
}

static void
assert_refused(struct fixture *it, const char *lines, const char *text)
{
	SSL_CTX *ctx = set(it, lines, -1);

	fixture_assert_reported(it, text);
	SSL_CTX_free(ctx);
}

static void
the_default_is_forward_secret_and_authenticated(void **state)
{
	struct fixture *it = *state;
	SSL_CTX *ctx = set(it, "", 0);

	assert_true(has_cipher(ctx, "ECDHE-RSA-AES128-GCM-SHA256"));
	assert_true(has_cipher(ctx, "TLS_AES_256_GCM_SHA384"));
	assert_false(has_cipher(ctx, "AES128-GCM-SHA256"));
	assert_false(has_cipher(ctx, "ECDHE-RSA-AES128-SHA"));
	SSL_CTX_free(ctx);
}

static void
a_legacy_minimum_brings_ciphers_that_old_versions_know(void **state)
{
	struct fixture *it = *state;
	SSL_CTX *ctx = set(it, "minimum_version = TLSv1\n", 0);

	assert_true(has_cipher(ctx, "ECDHE-RSA-AES128-SHA"));
	assert_false(has_cipher(ctx, "AES128-SHA"));
	SSL_CTX_free(ctx);
}

static void
anonymous_and_static_rsa_suites_are_never_taken(void **state)
{
	struct fixture *it = *state;
	SSL_CTX *ctx = set(it, "ciphers = ALL:COMPLEMENTOFALL\n", 0);

	assert_false(has_cipher(ctx, "ADH-AES128-SHA"));
	assert_false(has_cipher(ctx, "AECDH-NULL-SHA"));
	assert_false(has_cipher(ctx, "AES128-SHA"));
	assert_true(has_cipher(ctx, "ECDHE-RSA-AES128-SHA"));
	SSL_CTX_free(ctx);
}

static void
chosen_suites_are_the_only_ones(void **state)
{
	struct fixture *it = *state;
	SSL_CTX *ctx =
		set(it, "ciphersuites = TLS_CHACHA20_POLY1305_SHA256\n", 0);

	assert_true(has_cipher(ctx, "TLS_CHACHA20_POLY1305_SHA256"));
	assert_false(has_cipher(ctx, "TLS_AES_256_GCM_SHA384"));
	SSL_CTX_free(ctx);
}

static void
ciphers_that_do_not_exist_are_an_error(void **state)
{
	struct fixture *it = *state;

	assert_refused(it, "ciphers = NONSENSE\n",
		"sallyport.ini:4: [listener gw] "
		"ciphers \"NONSENSE\" leaves no cipher");
}

static void
ciphers_with_static_rsa_only_are_an_error(void **state)
{
	struct fixture *it = *state;

	assert_refused(it, "ciphers = AES128-SHA\n",
		"ciphers \"AES128-SHA\" leaves no cipher");
}

static void
an_unknown_suite_is_an_error_by_its_name(void **state)
{
	struct fixture *it = *state;

	assert_refused(it,
		"ciphersuites = TLS_AES_256_GCM_SHA384 TLS_NONSENSE\n",
		"sallyport.ini:4: [listener gw] ciphersuites: \"TLS_NONSENSE\" "
		"is no TLS 1.3");
}

static void
a_tls_1_2_cipher_is_no_suite(void **state)
{
	struct fixture *it = *state;

	assert_refused(it, "ciphersuites = ECDHE-RSA-AES128-GCM-SHA256\n",
		"\"ECDHE-RSA-AES128-GCM-SHA256\" is no TLS 1.3");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_default_is_forward_secret_and_authenticated),
		TEST(a_legacy_minimum_brings_ciphers_that_old_versions_know),
		TEST(anonymous_and_static_rsa_suites_are_never_taken),
		TEST(chosen_suites_are_the_only_ones),
		TEST(ciphers_that_do_not_exist_are_an_error),
		TEST(ciphers_with_static_rsa_only_are_an_error),
		TEST(an_unknown_suite_is_an_error_by_its_name),
		TEST(a_tls_1_2_cipher_is_no_suite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
