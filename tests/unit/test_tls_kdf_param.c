#include "tls/tls_kdf_param.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/params.h>

static char sha256[] = "SHA2-256", sha512[] = "SHA2-512";
static unsigned char bytes[] = {1, 2, 3};

static void
a_digest_is_read(void **state)
{
	const OSSL_PARAM param =
		OSSL_PARAM_construct_utf8_string("digest", sha256, 0);
	const struct tls_hmac *hmac = NULL;

	(void)state;
	assert_true(tls_kdf_param_read_digest(&param, &hmac));
	assert_ptr_equal(hmac, tls_hmac_find("SHA256"));
	assert_false(tls_kdf_param_read_digest(&param, &hmac)); /* again */
	assert_ptr_equal(hmac, tls_hmac_find("SHA256"));
}

static void
what_is_no_digest_of_ours_is_not_read(void **state)
{
	const OSSL_PARAM wrong[] = {
		OSSL_PARAM_construct_utf8_string("digest", sha512, 0),
		OSSL_PARAM_construct_utf8_string("digest", sha256 + 1, 0),
		OSSL_PARAM_construct_octet_string("digest", sha256, 8),
		{"digest", OSSL_PARAM_UTF8_STRING, NULL, 0, 0},
	};
	const struct tls_hmac *hmac = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		assert_false(tls_kdf_param_read_digest(&wrong[i], &hmac));
		assert_null(hmac);
	}
}

static void
bytes_are_read(void **state)
{
	const OSSL_PARAM param = OSSL_PARAM_construct_octet_string(
		"secret", bytes, sizeof bytes);
	struct tls_hmac_bytes out = {NULL, 0};

	(void)state;
	assert_true(tls_kdf_param_read_bytes(&param, &out));
	assert_ptr_equal(out.at, bytes);
	assert_int_equal(out.len, sizeof bytes);
	assert_false(tls_kdf_param_read_bytes(&param, &out)); /* again */
}

static void
what_are_no_bytes_are_not_read(void **state)
{
	const OSSL_PARAM wrong[] = {
		OSSL_PARAM_construct_octet_string("secret", bytes, 0),
		OSSL_PARAM_construct_octet_string("secret", NULL, 3),
		OSSL_PARAM_construct_utf8_string("secret", sha256, 0),
	};
	struct tls_hmac_bytes out = {NULL, 0};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		assert_false(tls_kdf_param_read_bytes(&wrong[i], &out));
		assert_null(out.at);
		assert_int_equal(out.len, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_digest_is_read),
		cmocka_unit_test(what_is_no_digest_of_ours_is_not_read),
		cmocka_unit_test(bytes_are_read),
		cmocka_unit_test(what_are_no_bytes_are_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
