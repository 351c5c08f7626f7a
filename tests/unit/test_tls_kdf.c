#include "tls/tls_kdf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/core.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include "kdf_pair.h"

static struct kdf_pair tls13, tls12;

static int
setup(void **state)
{
	(void)state;
	return kdf_pair_init(&tls13, "TLS13-KDF") &&
			       kdf_pair_init(&tls12, "TLS1-PRF")
		       ? 0
		       : -1;
}

static int
teardown(void **state)
{
	(void)state;
	kdf_pair_done(&tls13);
	kdf_pair_done(&tls12);
	return 0;
}

/* ---- what both kinds are asked, as libssl asks it, in two parts ---- */

struct question {
	const struct kdf_pair *pair;
	OSSL_PARAM first[8], rest[2], all[9];
};

static void
join(struct question *question)
{
	size_t n = 0;

	for (const OSSL_PARAM *at = question->first; at->key != NULL; at++)
		question->all[n++] = *at;
	question->all[n++] = question->rest[0];
	question->all[n] = OSSL_PARAM_construct_end();
	question->rest[1] = OSSL_PARAM_construct_end();
}

static struct question
question_of_tls13(unsigned char *noise)
{
	static int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
	static char digest[] = "SHA2-256";
	struct question question = {
		.pair = &tls13,
		.first =
			{
				OSSL_PARAM_construct_int(
					OSSL_KDF_PARAM_MODE, &mode),
				OSSL_PARAM_construct_utf8_string(
					OSSL_KDF_PARAM_DIGEST, digest, 0),
				OSSL_PARAM_construct_octet_string(
					OSSL_KDF_PARAM_KEY, noise, 32),
				OSSL_PARAM_construct_octet_string(
					OSSL_KDF_PARAM_PREFIX, noise + 1, 6),
				OSSL_PARAM_construct_octet_string(
					OSSL_KDF_PARAM_LABEL, noise + 2, 12),
				OSSL_PARAM_construct_end(),
			},
		.rest = {OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_DATA, noise + 3, 32)},
	};

	join(&question);
	return question;
}

static struct question
question_of_tls12(unsigned char *noise)
{
	static char digest[] = "SHA2-256";
	struct question question = {
		.pair = &tls12,
		.first =
			{
				OSSL_PARAM_construct_utf8_string(
					OSSL_KDF_PARAM_DIGEST, digest, 0),
				OSSL_PARAM_construct_octet_string(
					OSSL_KDF_PARAM_SECRET, noise, 48),
				OSSL_PARAM_construct_end(),
			},
		.rest = {OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_SEED, noise + 1, 47)},
	};

	join(&question);
	return question;
}

/* ---- tests ---- */

static void
handshakes_get_ours_before_3_2(void **state)
{
	const char *expected =
		OpenSSL_version_num() < 0x30200000L ? "lean" : "default";

	(void)state;
	assert_string_equal(
		OSSL_PROVIDER_get0_name(EVP_KDF_get0_provider(tls13.ours)),
		expected);
	assert_string_equal(
		OSSL_PROVIDER_get0_name(EVP_KDF_get0_provider(tls12.ours)),
		expected);
}

/* Set first and derived then; again, with all of it; and after a reset, which
 * forgets what was set. */
static void
assert_steps_are_the_same(const struct question *question)
{
	EVP_KDF_CTX *ctxs[] = {EVP_KDF_CTX_new(question->pair->theirs),
		EVP_KDF_CTX_new(question->pair->ours)};
	struct kdf_reply set[2], again[2], reset[2], anew[2];

	for (int i = 0; i < 2; i++) {
		EVP_KDF_CTX *ctx = ctxs[i];

		assert_int_equal(
			EVP_KDF_CTX_set_params(ctx, question->first), 1);
		set[i] = kdf_pair_ask_one(ctx, question->rest, 32);
		again[i] = kdf_pair_ask_one(ctx, question->all, 32);
		EVP_KDF_CTX_reset(ctx);
		reset[i] = kdf_pair_ask_one(ctx, question->rest, 32);
		EVP_KDF_CTX_reset(ctx);
		anew[i] = kdf_pair_ask_one(ctx, question->all, 32);
		EVP_KDF_CTX_free(ctx);
	}
	kdf_pair_assert_same(&set[0], &set[1]);
	kdf_pair_assert_same(&again[0], &again[1]);
	kdf_pair_assert_same(&reset[0], &reset[1]);
	kdf_pair_assert_same(&anew[0], &anew[1]);
	assert_int_equal(set[0].result, 1);
	assert_int_equal(reset[0].result, 0);
	kdf_pair_assert_same(&set[0], &anew[0]);
}

static void
asking_in_steps_is_the_same(void **state)
{
	uint32_t seed = 4;
	unsigned char *noise = kdf_pair_noise(&seed);
	struct question of_tls13 = question_of_tls13(noise);
	struct question of_tls12 = question_of_tls12(noise);

	(void)state;
	assert_steps_are_the_same(&of_tls13);
	assert_steps_are_the_same(&of_tls12);
}

static size_t
size_after(EVP_KDF *kdf, const OSSL_PARAM *params)
{
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	size_t size;

	assert_int_equal(EVP_KDF_CTX_set_params(ctx, params), 1);
	size = EVP_KDF_CTX_get_kdf_size(ctx);
	EVP_KDF_CTX_free(ctx);
	return size;
}

static void
assert_params_are_the_same(const struct question *question)
{
	EVP_KDF *theirs = question->pair->theirs, *ours = question->pair->ours;
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(ours);

	assert_ptr_equal(EVP_KDF_settable_ctx_params(ours),
		EVP_KDF_settable_ctx_params(theirs));
	assert_ptr_equal(EVP_KDF_gettable_ctx_params(ours),
		EVP_KDF_gettable_ctx_params(theirs));
	assert_ptr_equal(EVP_KDF_CTX_settable_params(ctx),
		EVP_KDF_settable_ctx_params(theirs));
	assert_ptr_equal(EVP_KDF_CTX_gettable_params(ctx),
		EVP_KDF_gettable_ctx_params(theirs));
	EVP_KDF_CTX_reset(ctx); /* with nothing in it */
	EVP_KDF_CTX_free(ctx);
	assert_int_equal(size_after(ours, question->first),
		size_after(theirs, question->first));
}

static void
what_there_is_to_set_and_get_is_the_same(void **state)
{
	uint32_t seed = 10;
	unsigned char *noise = kdf_pair_noise(&seed);
	struct question of_tls13 = question_of_tls13(noise);
	struct question of_tls12 = question_of_tls12(noise);

	(void)state;
	assert_params_are_the_same(&of_tls13);
	assert_params_are_the_same(&of_tls12);
}

/* ---- where one is missing ---- */

static void
assert_not_replaced(const char *one, const char *other)
{
	static const OSSL_DISPATCH none[] = {{0, NULL}};
	OSSL_ALGORITHM kdfs[] = {
		{"HKDF", "provider=default", none, NULL},
		{one, "provider=default", none, NULL},
		{other, "provider=default", none, NULL},
		{NULL, NULL, NULL, NULL},
	};

	assert_false(tls_kdf_replace(kdfs));
	for (int i = 0; i < 3; i++)
		assert_ptr_equal(kdfs[i].implementation, none);
}

static void
a_table_without_them_stays_as_it_was(void **state)
{
	(void)state;
	assert_not_replaced("TLS13-KDF-2", "TLS1-PR");
}

/* And they serve as before. */
static void
those_without_functions_stay_as_they_were(void **state)
{
	assert_not_replaced("TLS13-KDF", "TLS1-PRF");
	assert_not_replaced("TLS13-KDF:1", "TLS1-PRF:2");
	asking_in_steps_is_the_same(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshakes_get_ours_before_3_2),
		cmocka_unit_test(asking_in_steps_is_the_same),
		cmocka_unit_test(what_there_is_to_set_and_get_is_the_same),
		cmocka_unit_test(a_table_without_them_stays_as_it_was),
		cmocka_unit_test(those_without_functions_stay_as_they_were),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
