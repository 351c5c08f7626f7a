#include "tls/tls_kdf12.h"

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

/* As many as libssl gives, empty ones included. */
#define N_SEEDS 5

static struct kdf_pair pair;

static int
setup(void **state)
{
	(void)state;
	return kdf_pair_init(&pair, "TLS1-PRF") && tls_hmac_open() ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	kdf_pair_done(&pair);
	return 0;
}

struct question {
	const char *digest; /* NULL: left out */
	int secret;         /* length; -1: left out */
	int seeds[N_SEEDS]; /* lengths; -1: left out, 0: empty */
	size_t len;         /* of the answer */
};

static unsigned char *noise;

static void
write_params(OSSL_PARAM *at, const struct question *question)
{
	if (question->digest != NULL)
		*at++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
			(char *)(uintptr_t)question->digest, 0);
	if (question->secret >= 0)
		*at++ = OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_SECRET, noise, (size_t)question->secret);
	for (int i = 0; i < N_SEEDS; i++)
		if (question->seeds[i] == 0)
			*at++ = OSSL_PARAM_construct_octet_string(
				OSSL_KDF_PARAM_SEED, NULL, 0);
		else if (question->seeds[i] > 0)
			*at++ = OSSL_PARAM_construct_octet_string(
				OSSL_KDF_PARAM_SEED, noise + 1 + i,
				(size_t)question->seeds[i]);
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

/* As libssl asks for a Finished. */
static struct question
finished_question(void)
{
	return (struct question){.digest = "SHA2-256",
		.secret = 48,
		.seeds = {15, 32, 0, 0, 0},
		.len = 12};
}

/* All of a handshake, in the order of their coming. */
static const struct question handshake_questions[] = {
	/* master secret: of X25519, P-384, RSA */
	{"SHA2-256", 32, {13, 32, 0, 32, 0}, 48},
	{"SHA2-384", 48, {13, 32, 0, 32, 0}, 48},
	/* extended master secret */
	{"SHA2-256", 32, {22, 32, 0, 0, 0}, 48},
	{"SHA2-384", 48, {22, 48, 0, 0, 0}, 48},
	/* key expansion: GCM with both keys, ChaCha20, CBC with SHA-384 */
	{"SHA2-256", 48, {13, 32, 32, 0, 0}, 40},
	{"SHA2-384", 48, {13, 32, 32, 0, 0}, 72},
	{"SHA2-256", 48, {13, 32, 32, 0, 0}, 88},
	{"SHA2-384", 48, {13, 32, 32, 0, 0}, 192},
	/* Finished */
	{"SHA2-256", 48, {15, 32, 0, 0, 0}, 12},
	{"SHA2-384", 48, {15, 48, 0, 0, 0}, 12},
};

#define N_HANDSHAKE_QUESTIONS                                                  \
	(sizeof handshake_questions / sizeof handshake_questions[0])

static void
what_handshakes_ask_for_is_the_same(void **state)
{
	uint32_t seed = 1;

	(void)state;
	noise = kdf_pair_noise(&seed);
	for (size_t i = 0; i < N_HANDSHAKE_QUESTIONS; i++)
		assert_true(assert_same(handshake_questions[i]));
}

/* Every length that may go in or out, with either digest, and beyond. */
static void
all_lengths_are_the_same(void **state)
{
	uint32_t seed = 2;

	(void)state;
	noise = kdf_pair_noise(&seed);
	for (int n = 1; n <= 400; n++) {
		struct question question = finished_question();

		if (n % 2 == 0)
			question.digest = "SHA2-384";
		question.len = (size_t)n;
		assert_true(assert_same(question));
		question.secret = n;
		assert_true(assert_same(question));
		question.secret = 48;
		question.seeds[1] = n;
		assert_true(assert_same(question));
		question.seeds[0] = -1;
		assert_true(assert_same(question));
	}
}

static int
pick_length(uint32_t *seed)
{
	static const int lengths[] = {-1, 0, 1, 13, 22, 32, 47, 48, 49, 63, 64,
		65, 127, 128, 129, 200, 256, 1023, 1024, 1025};

	return lengths[kdf_pair_pick(seed, sizeof lengths / sizeof lengths[0])];
}

static void
anything_else_is_the_same(void **state)
{
	static const char *const names[] = {"SHA2-256", "SHA256", "SHA2-384",
		"SHA384", "MD5-SHA1", "md5-sha1", "sha256", "SHA512", "SHA1",
		"MD5", "SHAKE128", "none", NULL};
	uint32_t seed = 20;
	int n_good = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct question question = finished_question();

		noise = kdf_pair_noise(&seed);
		question.digest = names[kdf_pair_pick(&seed, 4)];
		/* Several at once are refused for the first alone. */
		switch (kdf_pair_pick(&seed, 5)) {
		case 0:
			question.digest = names[kdf_pair_pick(
				&seed, sizeof names / sizeof names[0])];
			break;
		case 1:
			question.secret = pick_length(&seed);
			break;
		case 2:
			for (int j = 0; j < N_SEEDS; j++)
				question.seeds[j] = pick_length(&seed);
			break;
		case 3:
			question.seeds[0] = pick_length(&seed);
			question.seeds[1] = -1;
			break;
		default:
			question.len = (size_t)kdf_pair_pick(&seed, 600);
			break;
		}
		n_good += assert_same(question);
	}
	/* Of both kinds; OpenSSL 3.5 answers more of them than 3.0. */
	assert_in_range(n_good, ROUNDS / 4, ROUNDS - ROUNDS / 100);
}

/* TLS 1.0 and 1.1: both halves of the secret, whether there is a middle or
 * not. */
static void
the_older_protocols_are_the_same(void **state)
{
	struct question question = {"MD5-SHA1", 48, {13, 32, 0, 32, 0}, 104};
	uint32_t seed = 7;

	(void)state;
	noise = kdf_pair_noise(&seed);
	assert_true(assert_same(question));
	question.secret = 47;
	assert_true(assert_same(question));
	question.seeds[1] = 36;
	question.seeds[3] = 0;
	question.len = 12;
	assert_true(assert_same(question));
}

static void
a_repeated_or_mistyped_parameter_is_the_same(void **state)
{
	static const char *const wrong[] = {OSSL_KDF_PARAM_DIGEST,
		OSSL_KDF_PARAM_SECRET, OSSL_KDF_PARAM_SEED, OSSL_KDF_PARAM_KEY,
		"nonsense"};
	struct question question = finished_question();
	char text[] = "SHA2-384";
	uint32_t seed = 5;

	(void)state;
	noise = kdf_pair_noise(&seed);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		OSSL_PARAM params[9];

		params[0] = OSSL_PARAM_construct_utf8_string(wrong[i], text, 0);
		write_params(params + 1, &question);
		(void)kdf_pair_agrees(&pair, params, question.len);
		params[0] = OSSL_PARAM_construct_octet_string(
			wrong[i], text, sizeof text);
		(void)kdf_pair_agrees(&pair, params, question.len);
		params[0] =
			OSSL_PARAM_construct_octet_string(wrong[i], text, 0);
		(void)kdf_pair_agrees(&pair, params, question.len);
	}
}

/* Well-formed: OpenSSL complains of nonsense but once. */
static void
properties_are_the_same(void **state)
{
	struct question question = finished_question();
	char text[] = "provider=default";
	OSSL_PARAM params[9];
	uint32_t seed = 11;

	(void)state;
	noise = kdf_pair_noise(&seed);
	params[0] = OSSL_PARAM_construct_utf8_string(
		OSSL_KDF_PARAM_PROPERTIES, text, 0);
	write_params(params + 1, &question);
	assert_true(kdf_pair_agrees(&pair, params, question.len));
}

static void
a_seed_without_its_bytes_is_the_same(void **state)
{
	struct question question = finished_question();
	OSSL_PARAM params[9];
	uint32_t seed = 8;

	(void)state;
	noise = kdf_pair_noise(&seed);
	params[0] =
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, NULL, 5);
	write_params(params + 1, &question);
	(void)kdf_pair_agrees(&pair, params, question.len);
}

/* ---- without a provider: which are for us ---- */

static bool
is_for_us(struct question question)
{
	OSSL_PARAM params[8];

	write_params(params, &question);
	return kdf_pair_is_for_us(tls_kdf12_answer, params, question.len);
}

static void
what_handshakes_ask_for_is_for_us(void **state)
{
	uint32_t seed = 6;

	(void)state;
	noise = kdf_pair_noise(&seed);
	for (size_t i = 0; i < N_HANDSHAKE_QUESTIONS; i++)
		assert_true(is_for_us(handshake_questions[i]));
}

static void
a_digest_of_another_protocol_is_not_for_us(void **state)
{
	struct question question = finished_question();

	(void)state;
	question.digest = "MD5-SHA1";
	assert_false(is_for_us(question));
	question.digest = "SHA2-512";
	assert_false(is_for_us(question));
	question.digest = NULL;
	assert_false(is_for_us(question));
}

static void
what_is_missing_or_too_long_is_not_for_us(void **state)
{
	unsigned char out[12];
	struct question question = finished_question();
	int result = -1;

	(void)state;
	assert_false(tls_kdf12_answer(NULL, out, sizeof out, &result));
	question.len = 0;
	assert_false(is_for_us(question));
	question = finished_question();
	question.secret = 64;
	assert_true(is_for_us(question));
	question.secret = 65; /* would be hashed first */
	assert_false(is_for_us(question));
	question.secret = 0;
	assert_false(is_for_us(question));
	question.secret = -1;
	assert_false(is_for_us(question));
	question = finished_question();
	question.seeds[1] = 128 - question.seeds[0];
	assert_true(is_for_us(question));
	question.seeds[2] = 1;
	assert_false(is_for_us(question));
	question.seeds[0] = question.seeds[1] = question.seeds[2] = 0;
	assert_false(is_for_us(question));
}

static void
nowhere_to_write_is_not_for_us(void **state)
{
	struct question question = finished_question();
	OSSL_PARAM params[8];
	int result = -1;

	(void)state;
	write_params(params, &question);
	assert_false(tls_kdf12_answer(params, NULL, 12, &result));
	assert_int_equal(result, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_handshakes_ask_for_is_the_same),
		cmocka_unit_test(all_lengths_are_the_same),
		cmocka_unit_test(anything_else_is_the_same),
		cmocka_unit_test(the_older_protocols_are_the_same),
		cmocka_unit_test(a_repeated_or_mistyped_parameter_is_the_same),
		cmocka_unit_test(properties_are_the_same),
		cmocka_unit_test(a_seed_without_its_bytes_is_the_same),
		cmocka_unit_test(what_handshakes_ask_for_is_for_us),
		cmocka_unit_test(a_digest_of_another_protocol_is_not_for_us),
		cmocka_unit_test(what_is_missing_or_too_long_is_not_for_us),
		cmocka_unit_test(nowhere_to_write_is_not_for_us),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
