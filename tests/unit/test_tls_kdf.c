#include "tls/tls_kdf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/core.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include "tls/tls_lean.h"

/* Of everything that goes in or out here. */
#define ROOM 512

#define ROUNDS 2000

/* OpenSSL's own, and the one of handshakes, which is ours before 3.2. */
static EVP_KDF *theirs, *ours;

static int
setup(void **state)
{
	(void)state;
	tls_lean_init();
	theirs = EVP_KDF_fetch(NULL, "TLS13-KDF", NULL);
	tls_lean_begin();
	ours = EVP_KDF_fetch(NULL, "TLS13-KDF", NULL);
	tls_lean_end();
	return theirs != NULL && ours != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	EVP_KDF_free(theirs);
	EVP_KDF_free(ours);
	return 0;
}

/* ---- what both are asked ---- */

struct question {
	int mode;
	const char *digest;                 /* NULL: left out */
	int key, salt, prefix, label, data; /* lengths; -1: left out */
	size_t len;                         /* of the answer */
};

static unsigned char noise[ROOM];

static void
fill_noise(uint32_t *seed)
{
	for (size_t i = 0; i < sizeof noise; i++) {
		*seed = *seed * 1664525U + 1013904223U;
		noise[i] = (unsigned char)(*seed >> 24);
	}
}

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

struct reply {
	int result;
	unsigned long error;
	unsigned char out[ROOM];
};

static struct reply
ask_ctx(EVP_KDF_CTX *ctx, const OSSL_PARAM *params, size_t len)
{
	struct reply reply = {.result = 0};

	memset(reply.out, 0xaa, sizeof reply.out);
	ERR_clear_error();
	reply.result = EVP_KDF_derive(ctx, reply.out, len, params) > 0;
	reply.error = ERR_peek_error();
	ERR_clear_error();
	return reply;
}

static void
assert_replies_equal(const struct reply *one, const struct reply *other)
{
	assert_int_equal(one->result, other->result);
	assert_int_equal(one->error, other->error);
	if (one->result == 1)
		assert_memory_equal(one->out, other->out, ROOM);
}

static struct reply
ask(EVP_KDF *kdf, struct question question)
{
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	OSSL_PARAM params[8];
	struct reply reply;

	assert_non_null(ctx);
	write_params(params, &question);
	reply = ask_ctx(ctx, params, question.len);
	EVP_KDF_CTX_free(ctx);
	return reply;
}

/* Whether there was an answer. */
static bool
assert_same(struct question question)
{
	struct reply one = ask(theirs, question), other = ask(ours, question);

	assert_replies_equal(&one, &other);
	return one.result == 1;
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
	fill_noise(&seed);
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
pick(uint32_t *seed, int below)
{
	*seed = *seed * 1664525U + 1013904223U;
	return (int)((*seed >> 8) % (uint32_t)below);
}

static int
pick_length(uint32_t *seed)
{
	static const int lengths[] = {-1, -1, 0, 1, 6, 12, 31, 32, 33, 47, 48,
		49, 63, 64, 65, 127, 128, 129, 240, 249, 250, 255, 256, 300};

	return lengths[pick(seed, sizeof lengths / sizeof lengths[0])];
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
		struct question question = pick(&seed, 2) == 0
						   ? expand_question()
						   : extract_question();

		fill_noise(&seed);
		question.digest = names[pick(&seed, 4)];
		/* Several at once are refused for the first alone. */
		switch (pick(&seed, 8)) {
		case 0:
			question.mode = pick(&seed, 5) - 1;
			break;
		case 1:
			question.digest = names[pick(&seed, 9)];
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
			question.len = (size_t)pick(&seed, 200);
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
	fill_noise(&seed);
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

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		EVP_KDF_CTX *one = EVP_KDF_CTX_new(theirs);
		EVP_KDF_CTX *other = EVP_KDF_CTX_new(ours);
		OSSL_PARAM params[9];
		struct reply theirs_said, ours_said;

		params[0] = OSSL_PARAM_construct_utf8_string(wrong[i], text, 0);
		write_params(params + 1, &question);
		theirs_said = ask_ctx(one, params, 32);
		ours_said = ask_ctx(other, params, 32);
		assert_replies_equal(&theirs_said, &ours_said);
		EVP_KDF_CTX_free(one);
		EVP_KDF_CTX_free(other);
	}
}

/* Set first and derived then, twice, with a reset in between; what was set is
 * remembered until then. */
static struct reply
ask_in_steps(EVP_KDF *kdf, struct reply *again_out, struct reply *reset_out)
{
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	struct question question = expand_question();
	OSSL_PARAM params[8], data[2];
	struct reply reply;

	write_params(params, &question);
	data[0] = OSSL_PARAM_construct_octet_string(
		OSSL_KDF_PARAM_DATA, noise, 48);
	data[1] = OSSL_PARAM_construct_end();
	assert_int_equal(EVP_KDF_CTX_set_params(ctx, params), 1);
	reply = ask_ctx(ctx, data, 32);
	*again_out = ask_ctx(ctx, params, 32);
	EVP_KDF_CTX_reset(ctx);
	*reset_out = ask_ctx(ctx, data, 32);
	EVP_KDF_CTX_free(ctx);
	return reply;
}

static void
asking_in_steps_is_the_same(void **state)
{
	struct reply one, one_again, one_reset, other, other_again, other_reset;
	uint32_t seed = 4;

	(void)state;
	fill_noise(&seed);
	one = ask_in_steps(theirs, &one_again, &one_reset);
	other = ask_in_steps(ours, &other_again, &other_reset);
	assert_replies_equal(&one, &other);
	assert_replies_equal(&one_again, &other_again);
	assert_replies_equal(&one_reset, &other_reset);
	assert_int_equal(one.result, 1);
	assert_int_equal(one_reset.result, 0);
}

static size_t
size_after(EVP_KDF *kdf, struct question question)
{
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	OSSL_PARAM params[8];
	size_t size;

	write_params(params, &question);
	assert_int_equal(EVP_KDF_CTX_set_params(ctx, params), 1);
	size = EVP_KDF_CTX_get_kdf_size(ctx);
	EVP_KDF_CTX_free(ctx);
	return size;
}

static void
what_there_is_to_set_and_get_is_the_same(void **state)
{
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(ours);

	(void)state;
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
	assert_int_equal(size_after(ours, expand_question()),
		size_after(theirs, expand_question()));
	assert_int_equal(size_after(ours, extract_question()), 32);
}

static void
handshakes_get_ours_before_3_2(void **state)
{
	const char *provider =
		OSSL_PROVIDER_get0_name(EVP_KDF_get0_provider(ours));

	(void)state;
	assert_string_equal(provider,
		OpenSSL_version_num() < 0x30200000L ? "lean" : "default");
}

/* ---- where there is none to replace ---- */

static void
a_table_without_it_stays_as_it_was(void **state)
{
	OSSL_ALGORITHM kdfs[] = {
		{"HKDF", "provider=default", NULL, NULL},
		{"TLS13-KDF-2", "provider=default", NULL, NULL},
		{NULL, NULL, NULL, NULL},
	};

	(void)state;
	assert_false(tls_kdf_replace(kdfs));
	assert_null(kdfs[0].implementation);
	assert_null(kdfs[1].implementation);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshakes_get_ours_before_3_2),
		cmocka_unit_test(what_handshakes_ask_for_is_the_same),
		cmocka_unit_test(all_lengths_are_the_same),
		cmocka_unit_test(anything_else_is_the_same),
		cmocka_unit_test(a_repeated_or_mistyped_parameter_is_the_same),
		cmocka_unit_test(asking_in_steps_is_the_same),
		cmocka_unit_test(what_there_is_to_set_and_get_is_the_same),
		cmocka_unit_test(a_table_without_it_stays_as_it_was),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
