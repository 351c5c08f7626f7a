#include "tls/tls_digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "base/text.h"

struct result {
	unsigned char bytes[TLS_DIGEST_SIZE];
};

static struct result
of_texts(const char *one, const char *two)
{
	struct tls_digest *digest = tls_digest_new();
	struct result result;

	tls_digest_text(digest, one);
	tls_digest_text(digest, two);
	assert_true(tls_digest_end(&digest, result.bytes));
	assert_null(digest);
	return result;
}

static void
assert_differ(const struct result *one, const struct result *two)
{
	assert_memory_not_equal(one->bytes, two->bytes, TLS_DIGEST_SIZE);
}

static void
bytes_have_their_length_before_them(void **state)
{
	static const char raw[] = "\0\0\0\0\0\0\0\003abc";
	unsigned char expected[EVP_MAX_MD_SIZE];
	struct tls_digest *digest = tls_digest_new();
	struct result result;

	(void)state;
	assert_int_equal(EVP_Digest(raw, sizeof raw - 1, expected, NULL,
				 EVP_sha256(), NULL),
		1);
	tls_digest_bytes(digest, "abc", 3);
	assert_true(tls_digest_end(&digest, result.bytes));
	assert_memory_equal(result.bytes, expected, TLS_DIGEST_SIZE);
}

/* However much there is of it, and however it is cut. */
static void
every_byte_counts_in_its_order(void **state)
{
	static const size_t sizes[] = {
		0, 1, 7, 8, 1000, 1015, 1016, 1017, 1024, 1025, 2048, 5000};
	unsigned char raw[sizeof sizes / sizeof sizes[0]][8 + 5000];
	unsigned char expected[EVP_MAX_MD_SIZE];
	struct tls_digest *digest = tls_digest_new();
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	struct result result;

	(void)state;
	assert_int_equal(EVP_DigestInit_ex(md, EVP_sha256(), NULL), 1);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		memset(raw[i], 0, 8);
		raw[i][6] = (unsigned char)(sizes[i] >> 8);
		raw[i][7] = (unsigned char)sizes[i];
		memset(raw[i] + 8, 'a' + (int)i, sizes[i]);
		tls_digest_bytes(digest, raw[i] + 8, sizes[i]);
		assert_int_equal(EVP_DigestUpdate(md, raw[i], 8 + sizes[i]), 1);
	}
	assert_int_equal(EVP_DigestFinal_ex(md, expected, NULL), 1);
	assert_true(tls_digest_end(&digest, result.bytes));
	assert_memory_equal(result.bytes, expected, TLS_DIGEST_SIZE);
	EVP_MD_CTX_free(md);
}

static void
no_two_sequences_look_alike(void **state)
{
	struct result split = of_texts("ab", "c");
	struct result other = of_texts("a", "bc");
	struct result empty = of_texts("ab", "");
	struct result none = of_texts("ab", NULL);

	(void)state;
	assert_differ(&split, &other);
	assert_differ(&empty, &none);
}

static void
a_list_is_not_its_values(void **state)
{
	char one[] = "a", two[] = "b";
	char *items[] = {one, two};
	const struct text_list list = {items, 2};
	struct tls_digest *digest = tls_digest_new();
	struct result values = of_texts("a", "b");
	struct result result;

	(void)state;
	tls_digest_list(digest, &list);
	assert_true(tls_digest_end(&digest, result.bytes));
	assert_differ(&result, &values);
}

static void
a_failure_sticks(void **state)
{
	struct tls_digest *digest = tls_digest_new();
	struct result result = {{0}};

	(void)state;
	tls_digest_fail(digest);
	tls_digest_text(digest, "a");
	assert_false(tls_digest_end(&digest, result.bytes));
	assert_null(digest);
	assert_int_equal(result.bytes[0], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_have_their_length_before_them),
		cmocka_unit_test(every_byte_counts_in_its_order),
		cmocka_unit_test(no_two_sequences_look_alike),
		cmocka_unit_test(a_list_is_not_its_values),
		cmocka_unit_test(a_failure_sticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
