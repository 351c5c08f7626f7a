#include "tls/tls_x25519.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "tls/tls_lean.h"

#define SIZE   32
#define ROUNDS 200

static int
setup(void **state)
{
	(void)state;
	tls_lean_init();
	return 0;
}

/* As libssl does, when it answers with a key of its own. */
static EVP_PKEY *
make_inside(void)
{
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key = NULL;

	tls_lean_begin();
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "X25519", NULL);
	assert_non_null(ctx);
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_group_name(ctx, "x25519"), 1);
	assert_int_equal(EVP_PKEY_keygen(ctx, &key), 1);
	EVP_PKEY_CTX_free(ctx);
	tls_lean_end();
	return key;
}

struct raw {
	unsigned char private[SIZE], public[SIZE];
};

static struct raw
raw_of(const EVP_PKEY *key)
{
	struct raw raw;
	size_t len = SIZE;

	assert_int_equal(
		EVP_PKEY_get_raw_private_key(key, raw.private, &len), 1);
	assert_int_equal(len, SIZE);
	assert_int_equal(EVP_PKEY_get_raw_public_key(key, raw.public, &len), 1);
	assert_int_equal(len, SIZE);
	return raw;
}

/* What OpenSSL itself computes from the private half alone. */
static void
the_public_half_is_openssl_s(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		EVP_PKEY *key = make_inside(), *same;
		struct raw raw = raw_of(key);
		unsigned char public[SIZE];
		size_t len = SIZE;

		same = EVP_PKEY_new_raw_private_key(
			EVP_PKEY_X25519, NULL, raw.private, SIZE);
		assert_non_null(same);
		assert_int_equal(
			EVP_PKEY_get_raw_public_key(same, public, &len), 1);
		assert_memory_equal(raw.public, public, SIZE);
		EVP_PKEY_free(same);
		EVP_PKEY_free(key);
	}
}

static void
private_halves_are_clamped_and_never_the_same(void **state)
{
	EVP_PKEY *one = make_inside(), *other = make_inside();
	struct raw a = raw_of(one), b = raw_of(other);

	(void)state;
	assert_int_equal(a.private[0] & 7, 0);
	assert_int_equal(a.private[SIZE - 1] & 0xc0, 0x40);
	assert_memory_not_equal(a.private, b.private, SIZE);
	assert_memory_not_equal(a.public, b.public, SIZE);
	EVP_PKEY_free(one);
	EVP_PKEY_free(other);
}

static void
derive(EVP_PKEY *mine, EVP_PKEY *peer, unsigned char out[SIZE])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, mine, NULL);
	size_t len = SIZE;

	assert_non_null(ctx);
	assert_int_equal(EVP_PKEY_derive_init(ctx), 1);
	assert_int_equal(EVP_PKEY_derive_set_peer(ctx, peer), 1);
	assert_int_equal(EVP_PKEY_derive(ctx, out, &len), 1);
	assert_int_equal(len, SIZE);
	EVP_PKEY_CTX_free(ctx);
}

/* Both sides come to the same secret, one of them outside. */
static void
a_key_agrees_with_one_made_outside(void **state)
{
	EVP_PKEY *inside = make_inside();
	EVP_PKEY *outside = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	unsigned char one[SIZE], other[SIZE];

	(void)state;
	assert_non_null(outside);
	derive(outside, inside, one);
	tls_lean_begin();
	derive(inside, outside, other);
	tls_lean_end();
	assert_memory_equal(one, other, SIZE);
	EVP_PKEY_free(inside);
	EVP_PKEY_free(outside);
}

/* A key with nothing in it takes in what the other side has sent. */
static void
an_empty_key_takes_the_other_side_s(void **state)
{
	EVP_PKEY *peer = EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), *key = NULL;
	unsigned char public[SIZE], *again = NULL;
	EVP_PKEY_CTX *ctx;
	size_t len = SIZE;

	(void)state;
	assert_int_equal(EVP_PKEY_get_raw_public_key(peer, public, &len), 1);
	tls_lean_begin();
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "X25519", NULL);
	assert_non_null(ctx);
	assert_int_equal(EVP_PKEY_paramgen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_paramgen(ctx, &key), 1);
	assert_int_equal(
		EVP_PKEY_set1_encoded_public_key(key, public, SIZE), 1);
	tls_lean_end();
	assert_int_equal(EVP_PKEY_get1_encoded_public_key(key, &again), SIZE);
	assert_memory_equal(again, public, SIZE);
	OPENSSL_free(again);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	EVP_PKEY_free(peer);
}

static void
a_group_of_another_name_is_refused(void **state)
{
	EVP_PKEY_CTX *ctx;

	(void)state;
	tls_lean_begin();
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "X25519", NULL);
	assert_non_null(ctx);
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_true(EVP_PKEY_CTX_set_group_name(ctx, "P-256") <= 0);
	EVP_PKEY_CTX_free(ctx);
	tls_lean_end();
	ERR_clear_error();
}

static void
a_table_without_x25519_stays_as_it_is(void **state)
{
	OSSL_ALGORITHM keymgmts[] = {
		{"X25519MLKEM768", "provider=default", NULL, NULL},
		{"X448:1.3.101.111", "provider=default", NULL, NULL},
		{NULL, NULL, NULL, NULL}};
	OSSL_ALGORITHM exchanges[] = {{NULL, NULL, NULL, NULL}};

	(void)state;
	assert_false(tls_x25519_replace(keymgmts, exchanges, NULL));
	assert_null(keymgmts[0].implementation);
	assert_null(keymgmts[1].implementation);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_public_half_is_openssl_s),
		cmocka_unit_test(private_halves_are_clamped_and_never_the_same),
		cmocka_unit_test(a_key_agrees_with_one_made_outside),
		cmocka_unit_test(an_empty_key_takes_the_other_side_s),
		cmocka_unit_test(a_group_of_another_name_is_refused),
		/* Last: it forgets which provider the others have. */
		cmocka_unit_test(a_table_without_x25519_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
