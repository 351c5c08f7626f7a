/* Key derivation functions to compare. */
#include "kdf_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "tls/tls_lean.h"

bool
kdf_pair_init(struct kdf_pair *pair, const char *name)
{
	tls_lean_init();
	pair->theirs = EVP_KDF_fetch(NULL, name, NULL);
	tls_lean_begin();
	pair->ours = EVP_KDF_fetch(NULL, name, NULL);
	tls_lean_end();
	return pair->theirs != NULL && pair->ours != NULL;
}

void
kdf_pair_done(struct kdf_pair *pair)
{
	EVP_KDF_free(pair->theirs);
	EVP_KDF_free(pair->ours);
	*pair = (struct kdf_pair){NULL, NULL};
}

struct kdf_reply
kdf_pair_ask_one(EVP_KDF_CTX *ctx, const OSSL_PARAM *params, size_t len)
{
	struct kdf_reply reply = {.result = 0};

	memset(reply.out, 0xaa, sizeof reply.out);
	ERR_clear_error();
	reply.result = EVP_KDF_derive(ctx, reply.out, len, params) > 0;
	reply.error = ERR_peek_error();
	ERR_clear_error();
	return reply;
}

void
kdf_pair_assert_same(const struct kdf_reply *one, const struct kdf_reply *other)
{
	assert_int_equal(one->result, other->result);
	assert_int_equal(one->error, other->error);
	if (one->result == 1)
		assert_memory_equal(one->out, other->out, KDF_ROOM);
}

static struct kdf_reply
ask(EVP_KDF *kdf, const OSSL_PARAM *params, size_t len)
{
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	struct kdf_reply reply;

	assert_non_null(ctx);
	reply = kdf_pair_ask_one(ctx, params, len);
	EVP_KDF_CTX_free(ctx);
	return reply;
}

bool
kdf_pair_agrees(
	const struct kdf_pair *pair, const OSSL_PARAM *params, size_t len)
{
	struct kdf_reply one = ask(pair->theirs, params, len);
	struct kdf_reply other = ask(pair->ours, params, len);

	kdf_pair_assert_same(&one, &other);
	return one.result == 1;
}

int
kdf_pair_pick(uint32_t *seed, int below)
{
	*seed = *seed * 1664525U + 1013904223U;
	return (int)((*seed >> 8) % (uint32_t)below);
}

unsigned char *
kdf_pair_noise(uint32_t *seed)
{
	static unsigned char noise[KDF_ROOM];

	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (unsigned char)kdf_pair_pick(seed, 256);
	return noise;
}

bool
kdf_pair_is_for_us(kdf_answer_fn answer, const OSSL_PARAM *params, size_t len)
{
	unsigned char out[KDF_ROOM];
	int result = -1;
	bool is_ours;

	memset(out, 0xaa, sizeof out);
	is_ours = answer(params, out, len, &result);
	assert_int_equal(result, is_ours ? 1 : -1);
	for (size_t i = is_ours ? len : 0; i < sizeof out; i++)
		assert_int_equal(out[i], 0xaa);
	return is_ours;
}
