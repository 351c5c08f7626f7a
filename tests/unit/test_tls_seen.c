#include "tls/tls_seen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/x509.h>

#include "certs.h"

#define NOW   INT64_C(1000000)
#define NEVER INT64_MAX

static struct fixture {
	struct tls_seen *seen;
	struct cert ca, a, b;
} f;

/* Two contexts. */
static const int gw, web;

static int
setup(void **state)
{
	(void)state;
	f.seen = tls_seen_new();
	assert_non_null(f.seen);
	f.ca = cert_make_ca("ca");
	f.a = cert_make_client("a", &f.ca);
	f.b = cert_make_client("b", &f.ca);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	tls_seen_free(&f.seen);
	assert_null(f.seen);
	cert_done(&f.a);
	cert_done(&f.b);
	cert_done(&f.ca);
	return 0;
}

/* Counted; SECOND may be NULL. */
static STACK_OF(X509) * chain_of(X509 *first, X509 *second)
{
	STACK_OF(X509) *chain = sk_X509_new_null();

	assert_non_null(chain);
	assert_int_equal(X509_up_ref(first), 1);
	assert_int_equal(sk_X509_push(chain, first), 1);
	if (second != NULL) {
		assert_int_equal(X509_up_ref(second), 1);
		assert_int_equal(sk_X509_push(chain, second), 2);
	}
	return chain;
}

static struct tls_seen_key
key_of(const void *owner, X509 *first, X509 *second)
{
	STACK_OF(X509) *sent = chain_of(first, second);
	struct tls_seen_key key;

	assert_true(tls_seen_key(owner, sent, &key));
	sk_X509_pop_free(sent, X509_free);
	return key;
}

/* One of many, as if of a client. */
static struct tls_seen_key
key_number(const void *owner, unsigned n)
{
	struct tls_seen_key key = {.owner = owner};

	key.digest[0] = (unsigned char)(n >> 8);
	key.digest[1] = (unsigned char)n;
	key.digest[31] = (unsigned char)(n >> 16);
	return key;
}

static void
add(const struct tls_seen_key *key, int64_t until_s)
{
	tls_seen_add(f.seen, key, chain_of(f.a.x509, f.ca.x509), NOW, until_s);
}

static void
what_was_added_is_found_with_its_chain(void **state)
{
	struct tls_seen_key key = key_of(&gw, f.a.x509, NULL);
	STACK_OF(X509) * chain;

	(void)state;
	assert_null(tls_seen_find(f.seen, &key, NOW));
	add(&key, NEVER);
	chain = tls_seen_find(f.seen, &key, NOW);
	assert_int_equal(sk_X509_num(chain), 2);
	assert_ptr_equal(sk_X509_value(chain, 0), f.a.x509);
	assert_ptr_equal(sk_X509_value(chain, 1), f.ca.x509);
	/* The same bytes in another object. */
	key = key_of(&gw, f.a.x509, NULL);
	assert_non_null(tls_seen_find(f.seen, &key, NOW));
}

static void
other_certificates_are_not_found(void **state)
{
	struct tls_seen_key key = key_of(&gw, f.a.x509, f.ca.x509);
	const struct tls_seen_key others[] = {
		key_of(&gw, f.b.x509, f.ca.x509),
		key_of(&gw, f.a.x509, f.b.x509),
		key_of(&gw, f.ca.x509, f.a.x509),
		key_of(&gw, f.a.x509, NULL),
		key_of(&web, f.a.x509, f.ca.x509),
	};

	(void)state;
	add(&key, NEVER);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_null(tls_seen_find(f.seen, &others[i], NOW));
	assert_non_null(tls_seen_find(f.seen, &key, NOW));
}

static void
nothing_and_too_much_have_no_key(void **state)
{
	STACK_OF(X509) *sent = sk_X509_new_null();
	struct tls_seen_key key;

	(void)state;
	assert_false(tls_seen_key(&gw, NULL, &key));
	assert_false(tls_seen_key(&gw, sent, &key));
	for (int i = 0; i < 8; i++)
		assert_true(sk_X509_push(sent, f.a.x509) > 0);
	assert_true(tls_seen_key(&gw, sent, &key));
	assert_true(sk_X509_push(sent, f.a.x509) > 0);
	assert_false(tls_seen_key(&gw, sent, &key));
	sk_X509_free(sent);
}

static void
it_ends_before_the_second_it_was_said_to_end(void **state)
{
	struct tls_seen_key key = key_of(&gw, f.a.x509, NULL);

	(void)state;
	add(&key, NOW + 10);
	assert_non_null(tls_seen_find(f.seen, &key, NOW + 9));
	assert_null(tls_seen_find(f.seen, &key, NOW + 10));
	/* And is gone for good. */
	assert_int_equal(tls_seen_count(f.seen), 0);
	assert_null(tls_seen_find(f.seen, &key, NOW + 9));
}

static void
nothing_is_believed_for_longer_than_its_life(void **state)
{
	struct tls_seen_key key = key_of(&gw, f.a.x509, NULL);

	(void)state;
	add(&key, NEVER);
	assert_non_null(tls_seen_find(f.seen, &key, NOW + TLS_SEEN_LIFE_S - 1));
	assert_null(tls_seen_find(f.seen, &key, NOW + TLS_SEEN_LIFE_S));
}

static void
a_clock_that_went_back_ends_it(void **state)
{
	struct tls_seen_key key = key_of(&gw, f.a.x509, NULL);

	(void)state;
	add(&key, NEVER);
	assert_null(tls_seen_find(f.seen, &key, NOW - 1));
	assert_null(tls_seen_find(f.seen, &key, NOW));
}

static void
what_is_over_when_it_comes_is_never_found(void **state)
{
	struct tls_seen_key key = key_of(&gw, f.a.x509, NULL);

	(void)state;
	add(&key, NOW);
	assert_null(tls_seen_find(f.seen, &key, NOW));
}

static void
adding_again_begins_anew(void **state)
{
	struct tls_seen_key key = key_of(&gw, f.a.x509, NULL);

	(void)state;
	add(&key, NOW + 10);
	tls_seen_add(f.seen, &key, chain_of(f.a.x509, NULL), NOW + 5, NEVER);
	assert_int_equal(tls_seen_count(f.seen), 1);
	assert_int_equal(sk_X509_num(tls_seen_find(f.seen, &key, NOW + 20)), 1);
}

static void
the_table_is_bounded(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 8 * TLS_SEEN_MAX; n++) {
		const struct tls_seen_key key = key_number(&gw, n);

		add(&key, NEVER);
		assert_non_null(tls_seen_find(f.seen, &key, NOW));
	}
	assert_int_equal(tls_seen_count(f.seen), TLS_SEEN_MAX);
}

static void
who_was_not_asked_for_the_longest_goes(void **state)
{
	/* All of them belong in the same few places. */
	struct tls_seen_key keys[5];

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		keys[i] = key_number(&gw, i << 16);
	for (unsigned i = 0; i < 4; i++)
		add(&keys[i], NEVER);
	assert_non_null(tls_seen_find(f.seen, &keys[0], NOW));
	add(&keys[4], NEVER);
	assert_null(tls_seen_find(f.seen, &keys[1], NOW));
	assert_non_null(tls_seen_find(f.seen, &keys[0], NOW));
	assert_non_null(tls_seen_find(f.seen, &keys[2], NOW));
	assert_non_null(tls_seen_find(f.seen, &keys[3], NOW));
	assert_non_null(tls_seen_find(f.seen, &keys[4], NOW));
}

static void
an_owner_takes_all_of_its_own_along(void **state)
{
	struct tls_seen_key mine = key_of(&gw, f.a.x509, NULL);
	struct tls_seen_key other = key_of(&web, f.a.x509, NULL);

	(void)state;
	add(&mine, NEVER);
	add(&other, NEVER);
	tls_seen_forget(f.seen, &gw);
	assert_int_equal(tls_seen_count(f.seen), 1);
	assert_null(tls_seen_find(f.seen, &mine, NOW));
	assert_non_null(tls_seen_find(f.seen, &other, NOW));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_added_is_found_with_its_chain),
		TEST(other_certificates_are_not_found),
		TEST(nothing_and_too_much_have_no_key),
		TEST(it_ends_before_the_second_it_was_said_to_end),
		TEST(nothing_is_believed_for_longer_than_its_life),
		TEST(a_clock_that_went_back_ends_it),
		TEST(what_is_over_when_it_comes_is_never_found),
		TEST(adding_again_begins_anew),
		TEST(the_table_is_bounded),
		TEST(who_was_not_asked_for_the_longest_goes),
		TEST(an_owner_takes_all_of_its_own_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
