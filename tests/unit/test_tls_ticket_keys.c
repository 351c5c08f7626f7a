#include "tls/tls_ticket_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#define HOUR 3600
#define NOON ((int64_t)500000 * HOUR) /* of some day; on the hour */

static const unsigned char secret[] = "0123456789abcdef0123456789abcdef";
static const unsigned char another[] = "0123456789abcdef0123456789abcdeg";

static int
setup(void **state)
{
	*state = tls_ticket_keys_new(secret, 32);
	return *state == NULL;
}

static int
teardown(void **state)
{
	struct tls_ticket_keys *keys = *state;

	tls_ticket_keys_unref(&keys);
	assert_null(keys);
	return 0;
}

static struct tls_ticket_key
key_at(struct tls_ticket_keys *keys, int64_t unix_s)
{
	const struct tls_ticket_key *key = tls_ticket_keys_at(keys, unix_s);

	assert_non_null(key);
	return *key;
}

static enum tls_ticket_opening
opening(struct tls_ticket_keys *keys, int64_t sealed_at, int64_t opened_at)
{
	struct tls_ticket_key key = key_at(keys, sealed_at);
	enum tls_ticket_opening opening;
	const struct tls_ticket_key *found =
		tls_ticket_keys_find(keys, opened_at, key.name, &opening);

	assert_int_equal(found != NULL, opening != TLS_TICKET_UNKNOWN);
	if (found != NULL)
		assert_memory_equal(found, &key, sizeof key);
	return opening;
}

static void
the_key_of_the_cache_depends_on_the_secret_alone(void **state)
{
	const struct tls_ticket_keys *keys = *state;
	struct tls_ticket_keys *same = tls_ticket_keys_new(secret, 32);
	struct tls_ticket_keys *other = tls_ticket_keys_new(another, 32);

	assert_memory_equal(
		tls_ticket_keys_cache(keys), tls_ticket_keys_cache(same), 32);
	assert_memory_not_equal(
		tls_ticket_keys_cache(keys), tls_ticket_keys_cache(other), 32);
	tls_ticket_keys_unref(&same);
	tls_ticket_keys_unref(&other);
}

static void
the_same_secret_makes_the_same_keys_everywhere(void **state)
{
	struct tls_ticket_keys *elsewhere = tls_ticket_keys_new(secret, 32);
	struct tls_ticket_key one = key_at(*state, NOON + 1);
	struct tls_ticket_key two = key_at(elsewhere, NOON + HOUR - 1);

	assert_memory_equal(&one, &two, sizeof one);
	tls_ticket_keys_unref(&elsewhere);
}

/* Computed with another implementation of RFC 5869 and 64-bit big-endian
 * hours: machines of different releases must agree. */
static void
the_derivation_never_changes(void **state)
{
	static const unsigned char name[16] = {0xa9, 0xcf, 0x26, 0xf5, 0xab,
		0xbe, 0x34, 0xaf, 0x96, 0x79, 0x38, 0x35, 0xe3, 0x3d, 0xed,
		0xb6};
	static const unsigned char mac_end[4] = {0x79, 0x52, 0xb7, 0xb8};
	struct tls_ticket_key key = key_at(*state, NOON);

	assert_memory_equal(key.name, name, sizeof name);
	assert_memory_equal(key.mac + 28, mac_end, sizeof mac_end);
}

static void
another_secret_makes_other_keys(void **state)
{
	struct tls_ticket_keys *elsewhere = tls_ticket_keys_new(another, 32);
	struct tls_ticket_key one = key_at(*state, NOON);
	struct tls_ticket_key two = key_at(elsewhere, NOON);

	assert_memory_not_equal(one.name, two.name, sizeof one.name);
	assert_memory_not_equal(one.aes, two.aes, sizeof one.aes);
	assert_memory_not_equal(one.mac, two.mac, sizeof one.mac);
	tls_ticket_keys_unref(&elsewhere);
}

static void
every_byte_of_a_long_secret_counts(void **state)
{
	unsigned char longer[64] = {0};
	struct tls_ticket_keys *one = tls_ticket_keys_new(longer, 64);
	struct tls_ticket_keys *two;
	struct tls_ticket_key first, second;

	(void)state;
	longer[63] = 1;
	two = tls_ticket_keys_new(longer, 64);
	first = key_at(one, NOON);
	second = key_at(two, NOON);
	assert_memory_not_equal(first.aes, second.aes, sizeof first.aes);
	tls_ticket_keys_unref(&one);
	tls_ticket_keys_unref(&two);
}

static void
the_next_hour_has_another_key(void **state)
{
	struct tls_ticket_key one = key_at(*state, NOON + HOUR - 1);
	struct tls_ticket_key two = key_at(*state, NOON + HOUR);

	assert_memory_not_equal(one.name, two.name, sizeof one.name);
	assert_memory_not_equal(one.aes, two.aes, sizeof one.aes);
	assert_memory_not_equal(one.mac, two.mac, sizeof one.mac);
}

static void
a_ticket_of_this_hour_is_current(void **state)
{
	assert_int_equal(opening(*state, NOON, NOON), TLS_TICKET_CURRENT);
	assert_int_equal(
		opening(*state, NOON, NOON + HOUR - 1), TLS_TICKET_CURRENT);
}

static void
a_ticket_of_the_hour_before_is_aging(void **state)
{
	assert_int_equal(opening(*state, NOON, NOON + HOUR), TLS_TICKET_AGING);
	assert_int_equal(
		opening(*state, NOON, NOON + 2 * HOUR - 1), TLS_TICKET_AGING);
}

static void
a_ticket_of_two_hours_before_is_not_opened(void **state)
{
	assert_int_equal(
		opening(*state, NOON, NOON + 2 * HOUR), TLS_TICKET_UNKNOWN);
}

static void
a_ticket_of_a_machine_whose_clock_is_ahead_is_opened(void **state)
{
	assert_int_equal(opening(*state, NOON, NOON - 1), TLS_TICKET_AGING);
	assert_int_equal(
		opening(*state, NOON, NOON - HOUR - 1), TLS_TICKET_UNKNOWN);
}

static void
an_unknown_name_is_not_opened(void **state)
{
	static const unsigned char name[TLS_TICKET_NAME_SIZE] = {0};
	enum tls_ticket_opening how;

	assert_null(tls_ticket_keys_find(*state, NOON, name, &how));
	assert_int_equal(how, TLS_TICKET_UNKNOWN);
}

static void
random_keys_are_never_the_same(void **state)
{
	struct tls_ticket_keys *one = tls_ticket_keys_new_random();
	struct tls_ticket_keys *two = tls_ticket_keys_new_random();
	struct tls_ticket_key first = key_at(one, NOON);
	struct tls_ticket_key second = key_at(two, NOON);

	(void)state;
	assert_memory_not_equal(first.name, second.name, sizeof first.name);
	tls_ticket_keys_unref(&one);
	tls_ticket_keys_unref(&two);
}

static void
whoever_gets_keys_of_one_secret_gets_the_same_ones(void **state)
{
	struct tls_ticket_keys *one = tls_ticket_keys_get(secret, 32);
	struct tls_ticket_keys *two = tls_ticket_keys_get(secret, 32);
	struct tls_ticket_keys *other = tls_ticket_keys_get(another, 32);
	struct tls_ticket_key of_one = key_at(one, NOON);
	struct tls_ticket_key of_all = key_at(*state, NOON);

	assert_ptr_equal(one, two);
	assert_ptr_not_equal(one, other);
	assert_ptr_not_equal(one, *state); /* was not made for others */
	assert_memory_equal(&of_one, &of_all, sizeof of_one);
	tls_ticket_keys_unref(&one);
	tls_ticket_keys_unref(&two);
	tls_ticket_keys_unref(&other);
}

static void
shared_keys_live_as_long_as_somebody_has_them(void **state)
{
	struct tls_ticket_keys *first = tls_ticket_keys_get(another, 32);
	struct tls_ticket_keys *one = tls_ticket_keys_get(secret, 32);
	struct tls_ticket_keys *two = tls_ticket_keys_get(secret, 32);
	struct tls_ticket_keys *last = tls_ticket_keys_get(another, 33);
	struct tls_ticket_key before = key_at(one, NOON);
	struct tls_ticket_key after;

	(void)state;
	tls_ticket_keys_unref(&one);
	one = tls_ticket_keys_get(secret, 32);
	assert_ptr_equal(one, two);
	tls_ticket_keys_unref(&one);
	tls_ticket_keys_unref(&two);
	one = tls_ticket_keys_get(secret, 32); /* anew, with others around */
	after = key_at(one, NOON);
	assert_memory_equal(&before, &after, sizeof before);
	tls_ticket_keys_unref(&one);
	tls_ticket_keys_unref(&last);
	tls_ticket_keys_unref(&first);
}

/* What OpenSSL does with the two contexts. */
struct sealing {
	EVP_CIPHER_CTX *cipher;
	EVP_MAC_CTX *mac;
};

static struct sealing
sealing_new(void)
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	struct sealing it = {EVP_CIPHER_CTX_new(), EVP_MAC_CTX_new(hmac)};

	EVP_MAC_free(hmac);
	assert_non_null(it.cipher);
	assert_non_null(it.mac);
	return it;
}

static void
sealing_done(struct sealing *it)
{
	EVP_CIPHER_CTX_free(it->cipher);
	EVP_MAC_CTX_free(it->mac);
}

static void
what_was_sealed_is_opened(void **state)
{
	unsigned char name[TLS_TICKET_NAME_SIZE];
	unsigned char iv[TLS_TICKET_IV_SIZE];
	unsigned char text[16] = "fifteen letters";
	unsigned char sealed[32], opened[32], one[32], two[32];
	struct sealing in = sealing_new();
	struct sealing out = sealing_new();
	size_t one_len, two_len;
	int len, end;

	assert_true(tls_ticket_keys_seal(*state, name, iv, in.cipher, in.mac));
	assert_int_equal(
		EVP_EncryptUpdate(in.cipher, sealed, &len, text, 16), 1);
	assert_int_equal(EVP_EncryptFinal(in.cipher, sealed + len, &end), 1);
	assert_int_equal(len + end, 32);
	assert_int_equal(EVP_MAC_init(in.mac, NULL, 0, NULL), 1);
	assert_int_equal(EVP_MAC_update(in.mac, sealed, 32), 1);
	assert_int_equal(EVP_MAC_final(in.mac, one, &one_len, sizeof one), 1);

	assert_int_equal(
		tls_ticket_keys_open(*state, name, iv, out.cipher, out.mac),
		TLS_TICKET_CURRENT);
	assert_int_equal(EVP_MAC_init(out.mac, NULL, 0, NULL), 1);
	assert_int_equal(EVP_MAC_update(out.mac, sealed, 32), 1);
	assert_int_equal(EVP_MAC_final(out.mac, two, &two_len, sizeof two), 1);
	assert_int_equal(one_len, 32);
	assert_int_equal(two_len, 32);
	assert_memory_equal(one, two, 32);
	assert_int_equal(
		EVP_DecryptUpdate(out.cipher, opened, &len, sealed, 32), 1);
	assert_int_equal(EVP_DecryptFinal(out.cipher, opened + len, &end), 1);
	assert_int_equal(len + end, 16);
	assert_memory_equal(opened, text, 16);
	sealing_done(&in);
	sealing_done(&out);
}

static void
nothing_is_freed_twice(void **state)
{
	struct tls_ticket_keys *none = NULL;

	(void)state;
	tls_ticket_keys_unref(&none);
	assert_null(none);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_key_of_the_cache_depends_on_the_secret_alone),
		TEST(the_same_secret_makes_the_same_keys_everywhere),
		TEST(the_derivation_never_changes),
		TEST(another_secret_makes_other_keys),
		TEST(every_byte_of_a_long_secret_counts),
		TEST(the_next_hour_has_another_key),
		TEST(a_ticket_of_this_hour_is_current),
		TEST(a_ticket_of_the_hour_before_is_aging),
		TEST(a_ticket_of_two_hours_before_is_not_opened),
		TEST(a_ticket_of_a_machine_whose_clock_is_ahead_is_opened),
		TEST(an_unknown_name_is_not_opened),
		TEST(random_keys_are_never_the_same),
		TEST(whoever_gets_keys_of_one_secret_gets_the_same_ones),
		TEST(shared_keys_live_as_long_as_somebody_has_them),
		TEST(what_was_sealed_is_opened),
		TEST(nothing_is_freed_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
