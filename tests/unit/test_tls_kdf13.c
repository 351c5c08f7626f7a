#include "tls/tls_kdf13.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "kdf_pair.h"
#include "tls/tls_hmac.h"

#define ROUNDS 2000

static struct kdf_pair pair;

static int
setup(void **state)
{
	(void)state;
	return kdf_pair_init(&pair, "TLS13-KDF") && tls_hmac_open() ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	kdf_pair_done(&pair);
	return 0;
}

/* ---- what both are asked ---- */

struct question {
	int mode;
	const char *digest;                 /* NULL: left out */
	int key, salt, prefix, label, data; /* lengths; -1: left out */
	size_t len;                         /* of the answer */
};

static unsigned char *noise;

static OSSL_PARAM *
add_octets(OSSL_PARAM *at, const char *name, int len, size_t from)
{
	if (len >= 0)
		*at++ = OSSL_PARAM_construct_octet_string(
			name, noise + from, (size_t)len);
	return at;
}

static void
write_params(OSSL_PARAM *at, struct question *question)
{
	if (question->mode >= 0)
		*at++ = OSSL_PARAM_construct_int(
			OSSL_KDF_PARAM_MODE, &question->mode);
	if (question->digest != NULL)
		*at++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
			(char *)(uintptr_t)question->digest, 0);
	at = add_octets(at, OSSL_KDF_PARAM_KEY, question->key, 1);
	at = add_octets(at, OSSL_KDF_PARAM_SALT, question->salt, 2);
	at = add_octets(at, OSSL_KDF_PARAM_PREFIX, question->prefix, 3);
	at = add_octets(at, OSSL_KDF_PARAM_LABEL, question->label, 4);
	at = add_octets(at, OSSL_KDF_PARAM_DATA, question->data, 5);
	*at = OSSL_PARAM_construct_end();
}

/* Whether there was an answer. */
static bool
assert_same(struct question question)
{
	OSSL_PARAM params[8];

	write_params(params, &question);
	return kdf_pair_agrees(&pair, params, question.len);
}

/* As libssl asks for a secret. */
static struct question
expand_question(void)
{
	return (struct question){.mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY,
		.digest = "SHA2-256",
		.key = 32,
		.salt = -1,
		.prefix = 6,
		.label = 12,
		.data = 32,
		.len = 32};
}

static struct question
extract_question(void)
{
	return (struct question){.mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY,
		.digest = "SHA2-256",
		.key = 32,
		.salt = 32,
		.prefix = 6,
		.label = 7,
		.data = -1,
		.len = 32};
}

/* ---- tests ---- */

static void
what_handshakes_ask_for_is_the_same(void **state)
{
	struct question question = expand_question();
	uint32_t seed = 1;

	(void)state;
	noise = kdf_pair_noise(&seed);
	assert_true(assert_same(question));
	question.data = -1; /* a key, then an IV */
	question.len = 16;
	assert_true(assert_same(question));
	question.len = 12;
	assert_true(assert_same(question));
	question = extract_question();
	assert_true(assert_same(question));
	question.salt = -1; /* the first */
	assert_true(assert_same(question));
	question.key = -1;
	assert_true(assert_same(question));
	question.salt = 32; /* the last */
	assert_true(assert_same(question));
}

static int
pick_length(uint32_t *seed)
{
	static const int lengths[] = {-1, -1, 0, 1, 6, 12, 31, 32, 33, 47, 48,
		49, 63, 64, 65, 127, 128, 129, 240, 249, 250, 255, 256, 300};

	return lengths[kdf_pair_pick(seed, sizeof lengths / sizeof lengths[0])];
}

static void
anything_else_is_the_same(void **state)
{
	static const char *const names[] = {"SHA2-256", "SHA256", "SHA2-384",
		"SHA384", "sha256", "SHA512", "SHAKE128", "none", NULL};
	uint32_t seed = 20;
	int n_good = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct question question = kdf_pair_pick(&seed, 2) == 0
						   ? expand_question()
						   : extract_question();

		noise = kdf_pair_noise(&seed);
		question.digest = names[kdf_pair_pick(&seed, 4)];
		/* Several at once are refused for the first alone. */
		switch (kdf_pair_pick(&seed, 8)) {
		case 0:
			question.mode = kdf_pair_pick(&seed, 5) - 1;
			break;
		case 1:
			question.digest = names[kdf_pair_pick(&seed, 9)];
			break;
		case 2:
			question.key = pick_length(&seed);
			break;
		case 3:
			question.salt = pick_length(&seed);
			break;
		case 4:
			question.prefix = pick_length(&seed);
			break;
		case 5:
			question.label = pick_length(&seed);
			break;
		case 6:
			question.data = pick_length(&seed);
			break;
		default:
			question.len = (size_t)kdf_pair_pick(&seed, 200);
			break;
		}
		n_good += assert_same(question);
	}
	assert_in_range(n_good, ROUNDS / 4, ROUNDS - ROUNDS / 4);
}

/* Every length that may go in or out, with either digest. */
static void
all_lengths_are_the_same(void **state)
{
	uint32_t seed = 3;

	(void)state;
	noise = kdf_pair_noise(&seed);
	for (int n = 1; n <= 260; n++) {
		struct question expand = expand_question();
		struct question extract = extract_question();

		if (n % 2 == 0)
			expand.digest = extract.digest = "SHA2-384";
		expand.key = extract.salt = n;
		expand.len = n % 2 == 0 ? 48 : 32;
		extract.len = expand.len;
		assert_true(assert_same(expand));
		assert_true(assert_same(extract));
		expand.data = n;
		assert_int_equal(assert_same(expand), n <= 255);
		expand.data = -1;
		expand.label = n;
		assert_int_equal(assert_same(expand), n + 6 <= 255);
		expand.label = 3;
		expand.len = (size_t)n;
		assert_true(assert_same(expand));
		extract.key = n;
		assert_true(assert_same(extract));
	}
}

static void
a_repeated_or_mistyped_parameter_is_the_same(void **state)
{
	static const char *const wrong[] = {OSSL_KDF_PARAM_MODE,
		OSSL_KDF_PARAM_DIGEST, OSSL_KDF_PARAM_KEY, OSSL_KDF_PARAM_LABEL,
		OSSL_KDF_PARAM_INFO, "nonsense"};
	struct question question = expand_question();
	char text[] = "EXPAND_ONLY";
	uint32_t seed = 5;

	(void)state;
	noise = kdf_pair_noise(&seed);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		OSSL_PARAM params[9];

		params[0] = OSSL_PARAM_construct_utf8_string(wrong[i], text, 0);
		write_params(params + 1, &question);
		(void)kdf_pair_agrees(&pair, params, 32);
	}
}

/* ---- without a provider: which are for us ---- */

static bool
is_for_us(struct question question)
{
	OSSL_PARAM params[8];

	write_params(params, &question);
	return kdf_pair_is_for_us(tls_kdf13_answer, params, question.len);
}

static void
what_handshakes_ask_for_is_for_us(void **state)
{
	struct question question = expand_question();
	uint32_t seed = 6;

	(void)state;
	noise = kdf_pair_noise(&seed);
	assert_true(is_for_us(question));
	question.data = -1;
	question.len = 12;
	assert_true(is_for_us(question));
	question = extract_question();
	assert_true(is_for_us(question));
	question.salt = -1;
	question.key = -1;
	assert_true(is_for_us(question));
}

static void
anything_else_is_not_for_us(void **state)
{
	unsigned char out[32];
	struct question question = expand_question();
	int result = -1;

	(void)state;
	assert_false(tls_kdf13_answer(NULL, out, sizeof out, &result));
	question.mode = -1;
	assert_false(is_for_us(question));
	question.mode = EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND;
	assert_false(is_for_us(question));
	question = expand_question();
	question.digest = "SHA2-512";
	assert_false(is_for_us(question));
	question.digest = NULL;
	assert_false(is_for_us(question));
	question = expand_question();
	question.len = 33;
	assert_false(is_for_us(question));
	question.len = 0;
	assert_false(is_for_us(question));
	question = expand_question();
	question.key = 65;
	assert_false(is_for_us(question));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_handshakes_ask_for_is_the_same),
		cmocka_unit_test(all_lengths_are_the_same),
		cmocka_unit_test(anything_else_is_the_same),
		cmocka_unit_test(a_repeated_or_mistyped_parameter_is_the_same),
		cmocka_unit_test(what_handshakes_ask_for_is_for_us),
		cmocka_unit_test(anything_else_is_not_for_us),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
