#include "authz/policy_dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "authz/policy_list.h"
#include "base/text.h"

/* NAME against one rule that is as it came out of the configuration. */
static bool
is_match(const char *rule, const char *name)
{
	struct text_list rules = {0};
	bool found;

	text_list_add(&rules, rule);
	found = policy_dns_find(&rules, name) != NULL;
	text_list_done(&rules);
	return found;
}

static void
names_match_whatever_their_case(void **state)
{
	(void)state;
	assert_true(is_match("app.example.com", "app.example.com"));
	assert_true(is_match("app.example.com", "App.EXAMPLE.com"));
	assert_true(is_match("localhost", "LOCALHOST"));
	assert_false(is_match("app.example.com", "app.example.co"));
	assert_false(is_match("app.example.com", "xapp.example.com"));
	assert_false(is_match("app.example.com", "app.example.com.evil.org"));
	assert_false(is_match("app.example.com", ""));
}

static void
a_glob_in_the_rule_stands_for_exactly_one_label(void **state)
{
	static const char rule[] = "*.example.com";

	(void)state;
	assert_true(is_match(rule, "app.example.com"));
	assert_true(is_match(rule, "APP-1.example.COM"));
	assert_true(is_match(rule, "a.example.com"));
	assert_true(is_match(rule, "_srv.example.com"));
	assert_false(is_match(rule, "example.com"));
	assert_false(is_match(rule, ".example.com"));
	assert_false(is_match(rule, "a.b.example.com"));
	assert_false(is_match(rule, "a..example.com"));
	assert_false(is_match(rule, "app.example.com.org"));
	assert_false(is_match(rule, "appexample.com"));
}

static void
a_label_that_is_none_does_not_satisfy_a_glob(void **state)
{
	char label64[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			 "aaaaaaaaaaaaaaaa.example.com";

	(void)state;
	assert_false(is_match("*.example.com", "a b.example.com"));
	assert_false(is_match("*.example.com", "a/b.example.com"));
	assert_false(is_match("*.example.com", "a@b.example.com"));
	assert_false(is_match("*.example.com", "b\xc3\xbc.example.com"));
	assert_false(is_match("*.example.com", label64));
	assert_true(is_match("*.example.com", label64 + 1));
}

static void
a_wildcard_in_the_certificate_matches_nothing(void **state)
{
	(void)state;
	assert_false(is_match("*.example.com", "*.example.com"));
	assert_false(is_match("app.example.com", "*.example.com"));
	assert_false(is_match("*.example.com", "a*.example.com"));
	assert_false(is_match("*.example.com", "*.app.example.com"));
	assert_false(is_match("*.com", "*.com"));
	assert_false(is_match("*.example.com", "*"));
}

static void
idna_names_are_compared_as_a_labels(void **state)
{
	(void)state;
	assert_true(is_match("xn--bcher-kva.example", "XN--bcher-KVA.example"));
	assert_true(is_match("*.example", "xn--bcher-kva.example"));
	assert_false(is_match("xn--bcher-kva.example", "b\xc3\xbc"
						       "cher.example"));
	assert_false(is_match("xn--bcher-kva.example", "bucher.example"));
}

static void
a_trailing_dot_in_the_certificate_matches_nothing(void **state)
{
	(void)state;
	assert_false(is_match("app.example.com", "app.example.com."));
	assert_false(is_match("*.example.com", "app.example.com."));
	assert_false(is_match("app.example.com", "."));
}

static void
overlong_names_match_nothing(void **state)
{
	char *name = malloc(20000);

	(void)state;
	assert_non_null(name);
	memset(name, 'a', 20000);
	memcpy(name + 20000 - 13, ".example.com", 13);
	assert_false(is_match("*.example.com", name));
	assert_false(is_match("a.example.com", name));
	free(name);
}

static void
the_rule_that_matched_is_told(void **state)
{
	struct text_list rules = {0};

	(void)state;
	text_list_add(&rules, "app.example.com");
	text_list_add(&rules, "*.example.com");
	policy_list_sort(&rules);
	assert_string_equal(
		policy_dns_find(&rules, "app.example.com"), "app.example.com");
	assert_string_equal(
		policy_dns_find(&rules, "db.example.com"), "*.example.com");
	text_list_done(&rules);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_match_whatever_their_case),
		cmocka_unit_test(
			a_glob_in_the_rule_stands_for_exactly_one_label),
		cmocka_unit_test(a_label_that_is_none_does_not_satisfy_a_glob),
		cmocka_unit_test(a_wildcard_in_the_certificate_matches_nothing),
		cmocka_unit_test(idna_names_are_compared_as_a_labels),
		cmocka_unit_test(
			a_trailing_dot_in_the_certificate_matches_nothing),
		cmocka_unit_test(overlong_names_match_nothing),
		cmocka_unit_test(the_rule_that_matched_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
