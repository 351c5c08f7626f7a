#include "tls/tls_plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

static void
whoever_has_another_provider_is_left_alone(void **state)
{
	OSSL_PROVIDER *none = OSSL_PROVIDER_load(NULL, "null");
	OSSL_PROVIDER *usual = OSSL_PROVIDER_load(NULL, "default");

	(void)state;
	assert_non_null(none);
	assert_non_null(usual);
	assert_null(tls_plain_provider());
	assert_int_equal(OSSL_PROVIDER_unload(usual), 1);
	assert_int_equal(OSSL_PROVIDER_unload(none), 1);
}

static void
before_3_2_it_is_the_default_one(void **state)
{
	OSSL_PROVIDER *provider = tls_plain_provider();

	(void)state;
	if (OpenSSL_version_num() >= 0x30200000L) {
		assert_null(provider);
		return;
	}
	assert_non_null(provider);
	assert_string_equal(OSSL_PROVIDER_get0_name(provider), "default");
	assert_ptr_equal(tls_plain_provider(), provider);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_has_another_provider_is_left_alone),
		cmocka_unit_test(before_3_2_it_is_the_default_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
