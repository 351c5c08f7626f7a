#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/kdf.h>

/* One key derivation function twice: OpenSSL's own, and the one that handshakes
 * get, which is ours before 3.2. Whatever is asked, the answers are the same.
 */
struct kdf_pair {
	EVP_KDF *theirs;
	EVP_KDF *ours;
};

/* False if there is none of that NAME. */
bool kdf_pair_init(struct kdf_pair *pair, const char *name);
void kdf_pair_done(struct kdf_pair *pair);

/* Of everything that goes in or out. */
#define KDF_ROOM 1500

struct kdf_reply {
	int result;
	unsigned long error;
	unsigned char out[KDF_ROOM];
};

/* Of one of the two, to LEN bytes. */
struct kdf_reply kdf_pair_ask_one(
	EVP_KDF_CTX *ctx, const OSSL_PARAM *params, size_t len);

void kdf_pair_assert_same(
	const struct kdf_reply *one, const struct kdf_reply *other);

/* Asks both, and wants the same of both: bytes or error. Whether there was an
 * answer. */
bool kdf_pair_agrees(
	const struct kdf_pair *pair, const OSSL_PARAM *params, size_t len);

/* The part of it that is ours, without a provider. */
typedef bool (*kdf_answer_fn)(const OSSL_PARAM *params, unsigned char *out,
	size_t len, int *result_out);

/* Does it take PARAMS on? Then it answers with LEN bytes and no more, else it
 * leaves everything as it was. */
bool kdf_pair_is_for_us(
	kdf_answer_fn answer, const OSSL_PARAM *params, size_t len);

/* Something to ask about, always the same for one SEED, which moves on. */
unsigned char *kdf_pair_noise(uint32_t *seed);
int kdf_pair_pick(uint32_t *seed, int below);
