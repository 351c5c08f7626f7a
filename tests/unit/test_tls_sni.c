#include "tls/tls_sni.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tls/tls_ctx.h"

/* Instead of the real ones: only who is meant counts here. */
struct tls_ctx {
	int refs;
};

static struct tls_ctx exact, wild, other;

struct tls_ctx *
tls_ctx_ref(struct tls_ctx *ctx)
{
	ctx->refs++;
	return ctx;
}

void
tls_ctx_unref(struct tls_ctx **ctx)
{
	(*ctx)->refs--;
	*ctx = NULL;
}

static int
setup(void **state)
{
	struct tls_sni *sni = tls_sni_new();

	assert_true(tls_sni_add(sni, "api.example.com", &exact));
	assert_true(tls_sni_add(sni, "*.example.com", &wild));
	*state = sni;
	return 0;
}

static int
teardown(void **state)
{
	struct tls_sni *sni = *state;

	tls_sni_free(&sni);
	assert_null(sni);
	assert_int_equal(exact.refs, 0);
	assert_int_equal(wild.refs, 0);
	assert_int_equal(other.refs, 0);
	return 0;
}

static struct tls_ctx *
find(void **state, const char *name)
{
	return tls_sni_find(*state, name, strlen(name));
}

static void
an_exact_name_goes_before_a_wildcard(void **state)
{
	assert_ptr_equal(find(state, "api.example.com"), &exact);
}

static void
a_wildcard_stands_for_one_label(void **state)
{
	assert_ptr_equal(find(state, "www.example.com"), &wild);
	assert_null(find(state, "a.www.example.com"));
}

static void
a_wildcard_never_stands_for_the_bare_domain(void **state)
{
	assert_null(find(state, "example.com"));
	assert_null(find(state, ".example.com"));
}

static void
letter_case_does_not_count(void **state)
{
	assert_ptr_equal(find(state, "API.Example.COM"), &exact);
	assert_ptr_equal(find(state, "WWW.Example.COM"), &wild);
}

static void
names_are_added_without_regard_to_case(void **state)
{
	assert_true(tls_sni_add(*state, "Shop.Example.NET.", &other));
	assert_ptr_equal(find(state, "shop.example.net"), &other);
	assert_false(tls_sni_add(*state, "shop.EXAMPLE.net", &exact));
}

static void
one_trailing_dot_is_ignored(void **state)
{
	assert_ptr_equal(find(state, "api.example.com."), &exact);
	assert_ptr_equal(find(state, "www.example.com."), &wild);
	assert_null(find(state, "api.example.com.."));
}

static void
a_name_that_is_there_is_not_added_again(void **state)
{
	assert_false(tls_sni_add(*state, "api.example.com", &other));
	assert_int_equal(other.refs, 0);
	assert_ptr_equal(find(state, "api.example.com"), &exact);
}

static void
what_can_be_no_name_is_not_added(void **state)
{
	char name[300];

	memset(name, 'a', sizeof name);
	name[254] = '\0';
	assert_false(tls_sni_add(*state, "", &other));
	assert_false(tls_sni_add(*state, ".", &other));
	assert_false(tls_sni_add(*state, name, &other));
	name[253] = '\0';
	assert_true(tls_sni_add(*state, name, &other));
	assert_ptr_equal(find(state, name), &other);
}

static void
names_of_odd_bytes_fit_nobody(void **state)
{
	static const char with_nul[] = "api.example.com\0.evil.org";

	assert_null(find(state, ""));
	assert_null(find(state, "."));
	assert_null(find(state, ".."));
	assert_null(find(state, "api.example.com "));
	assert_null(find(state, "\xff\xfe.example.org"));
	assert_null(tls_sni_find(*state, with_nul, sizeof with_nul - 1));
	assert_null(tls_sni_find(*state, "api.example.com", 16));
	assert_null(tls_sni_find(*state, NULL, 0));
}

static void
names_of_any_length_are_looked_up(void **state)
{
	char name[2048];

	memset(name, 'x', sizeof name);
	for (size_t len = 0; len <= sizeof name; len++)
		assert_null(tls_sni_find(*state, name, len));
	memcpy(name + 240, ".example.com", 12);
	assert_ptr_equal(tls_sni_find(*state, name, 252), &wild);
}

static void
ten_thousand_names_are_all_found(void **state)
{
	char name[32];

	for (int i = 0; i < 10000; i++) {
		(void)snprintf(name, sizeof name, "n%d.example.org", i);
		assert_true(tls_sni_add(*state, name, &other));
	}
	for (int i = 0; i < 10000; i++) {
		(void)snprintf(name, sizeof name, "n%d.example.org", i);
		assert_ptr_equal(find(state, name), &other);
	}
	assert_ptr_equal(find(state, "api.example.com"), &exact);
	assert_null(find(state, "n10000.example.org"));
}

static void
nothing_is_freed_twice(void **state)
{
	struct tls_sni *none = NULL;

	(void)state;
	tls_sni_free(&none);
	assert_null(none);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_exact_name_goes_before_a_wildcard),
		TEST(a_wildcard_stands_for_one_label),
		TEST(a_wildcard_never_stands_for_the_bare_domain),
		TEST(letter_case_does_not_count),
		TEST(names_are_added_without_regard_to_case),
		TEST(one_trailing_dot_is_ignored),
		TEST(a_name_that_is_there_is_not_added_again),
		TEST(what_can_be_no_name_is_not_added),
		TEST(names_of_odd_bytes_fit_nobody),
		TEST(names_of_any_length_are_looked_up),
		TEST(ten_thousand_names_are_all_found),
		TEST(nothing_is_freed_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
