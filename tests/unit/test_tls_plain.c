#include "tls/tls_plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
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

/* Knows digests, and nothing else. */
static const OSSL_ALGORITHM *
query(void *context, int operation, int *no_cache)
{
	(void)context;
	return operation == OSSL_OP_DIGEST
		       ? OSSL_PROVIDER_query_operation(
				 tls_plain_provider(), operation, no_cache)
		       : NULL;
}

static void
a_variant_answers_by_itself(void **state)
{
	static const OSSL_DISPATCH functions[] = {
		{OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
		{0, NULL},
	};
	static OSSL_LIB_CTX *variant; /* for the life of the process */
	EVP_MD *md;

	(void)state;
	if (tls_plain_provider() == NULL)
		skip();
	variant = tls_plain_variant("digests", functions);
	assert_non_null(variant);
	md = EVP_MD_fetch(variant, "SHA256", NULL);
	assert_non_null(md);
	assert_int_equal(
		EVP_Digest("", 0, (unsigned char[32]){0}, NULL, md, NULL), 1);
	assert_null(EVP_CIPHER_fetch(variant, "AES-128-GCM", NULL));
	EVP_MD_free(md);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_has_another_provider_is_left_alone),
		cmocka_unit_test(before_3_2_it_is_the_default_one),
		cmocka_unit_test(a_variant_answers_by_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
