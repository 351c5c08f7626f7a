#include "tls/tls_option.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "conf/settings.h"

static int
setup(void **state)
{
	*state = SSL_CTX_new(TLS_server_method());
	return *state == NULL;
}

static int
teardown(void **state)
{
	SSL_CTX_free(*state);
	return 0;
}

static void
assert_option(SSL_CTX *ctx, uint64_t ours, uint64_t theirs)
{
	struct tls_settings tls = {.options = ours};

	tls_option_set(ctx, &tls);
	assert_true((SSL_CTX_get_options(ctx) & theirs) == theirs);
	tls.options = ~ours;
	tls_option_set(ctx, &tls);
	assert_true((SSL_CTX_get_options(ctx) & theirs) == 0);
}

static void
every_option_is_set_and_cleared(void **state)
{
	assert_option(*state, TLS_OPTION_ALL, SSL_OP_ALL);
	assert_option(*state, TLS_OPTION_CIPHER_SERVER_PREFERENCE,
		SSL_OP_CIPHER_SERVER_PREFERENCE);
	assert_option(*state, TLS_OPTION_ENABLE_MIDDLEBOX_COMPAT,
		SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
	assert_option(*state, TLS_OPTION_NO_COMPRESSION, SSL_OP_NO_COMPRESSION);
	assert_option(
		*state, TLS_OPTION_NO_RENEGOTIATION, SSL_OP_NO_RENEGOTIATION);
	assert_option(*state, TLS_OPTION_NO_TICKET, SSL_OP_NO_TICKET);
}

static void
options_that_are_not_for_users_stay(void **state)
{
	const struct tls_settings tls = {.options = 0};

	(void)SSL_CTX_set_options(*state, SSL_OP_NO_ENCRYPT_THEN_MAC);
	tls_option_set(*state, &tls);
	assert_true((SSL_CTX_get_options(*state) &
			    SSL_OP_NO_ENCRYPT_THEN_MAC) != 0);
}

static unsigned long
flags_of(SSL_CTX *ctx, uint64_t ours, enum crl_check crl_check)
{
	const struct tls_settings tls = {
		.verify_flags = ours, .crl_check = (int)crl_check};

	tls_option_set(ctx, &tls);
	return X509_VERIFY_PARAM_get_flags(SSL_CTX_get0_param(ctx));
}

static void
verify_flags_are_exactly_those_given(void **state)
{
	assert_int_equal(
		flags_of(*state, TLS_VERIFY_X509_STRICT, CRL_CHECK_NONE),
		X509_V_FLAG_X509_STRICT);
	assert_int_equal(
		flags_of(*state, TLS_VERIFY_X509_PARTIAL_CHAIN, CRL_CHECK_NONE),
		X509_V_FLAG_PARTIAL_CHAIN);
	assert_int_equal(
		flags_of(*state, TLS_VERIFY_X509_TRUSTED_FIRST, CRL_CHECK_NONE),
		X509_V_FLAG_TRUSTED_FIRST);
	assert_int_equal(
		flags_of(*state, TLS_VERIFY_ALLOW_PROXY_CERTS, CRL_CHECK_NONE),
		X509_V_FLAG_ALLOW_PROXY_CERTS);
	assert_int_equal(flags_of(*state, 0, CRL_CHECK_NONE), 0);
}

static void
crl_check_decides_what_is_checked(void **state)
{
	assert_int_equal(
		flags_of(*state, 0, CRL_CHECK_LEAF), X509_V_FLAG_CRL_CHECK);
	assert_int_equal(flags_of(*state, 0, CRL_CHECK_CHAIN),
		X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_option_is_set_and_cleared),
		TEST(options_that_are_not_for_users_stay),
		TEST(verify_flags_are_exactly_those_given),
		TEST(crl_check_decides_what_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
