#include "conf/rule_uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
sensible_rules_are_taken(void **state)
{
	static const char *const good[] = {"spiffe://corp.example/ns/pay",
		"spiffe://corp.example", "spiffe://c/ns/*/sa/invoice-*",
		"spiffe://c/**", "SPIFFE://Corp/x", "https://h/a?b=c#d",
		"urn:uuid:1b4e28ba", "urn:dev:*", "file:///etc/x", "a+b-1.c:x",
		"https://h:443/..a/%2e"};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		const char *why = rule_uri_problem(good[i]);

		if (why != NULL)
			fail_msg("%s: %s", good[i], why);
	}
}

static void
senseless_rules_are_refused(void **state)
{
	static const char *const bad[] = {"", ":", "corp/x", "/x", "//h/x",
		"1a:x", "*://h/x", "urn:", "https://h/a b",
		"https://h/\xc3\xbc", "https://h/\n", "https://*/x",
		"https://*.h/x", "https://h/***", "https://h/**/x",
		"https://h/a**", "https://h/**a", "https://h/../x",
		"https://h/.", "https://h/*?a", "https://h/*#a",
		"spiffe:", "spiffe:/x", "spiffe:x", "spiffe://", "spiffe:///x",
		"spiffe://c/", "spiffe://c//x", "spiffe://c/x/",
		"spiffe://c/x?y", "spiffe://c/x#y", "spiffe://c?x",
		"spiffe://c/%61", "spiffe://u@c/x", "spiffe://c:1/x",
		"spiffe://c*/x"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (rule_uri_problem(bad[i]) == NULL)
			fail_msg("\"%s\" was taken", bad[i]);
	}
}

static void
overlong_rules_are_refused(void **state)
{
	char rule[RULE_URI_MAX + 2] = "https://h/";

	(void)state;
	memset(rule + 10, 'a', RULE_URI_MAX - 10);
	assert_null(rule_uri_problem(rule));
	rule[RULE_URI_MAX] = 'a';
	assert_non_null(rule_uri_problem(rule));
}

static void
overlong_trust_domains_are_refused(void **state)
{
	char rule[300] = "spiffe://";

	(void)state;
	memset(rule + 9, 'a', 255);
	assert_null(rule_uri_problem(rule));
	rule[9 + 255] = 'a';
	assert_non_null(rule_uri_problem(rule));
}

static void
assert_normal(const char *rule, const char *expected)
{
	char *copy = strdup(rule);

	assert_non_null(copy);
	rule_uri_normalise(copy);
	assert_string_equal(copy, expected);
	free(copy);
}

static void
case_goes_where_it_does_not_count(void **state)
{
	(void)state;
	assert_normal(
		"SPIFFE://Corp.Example/NS/Pay", "spiffe://corp.example/NS/Pay");
	assert_normal("Spiffe://CORP", "spiffe://corp");
	assert_normal("HTTPS://Host/Path", "https://Host/Path");
	assert_normal("URN:Uuid:X", "urn:Uuid:X");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sensible_rules_are_taken),
		cmocka_unit_test(senseless_rules_are_refused),
		cmocka_unit_test(overlong_rules_are_refused),
		cmocka_unit_test(overlong_trust_domains_are_refused),
		cmocka_unit_test(case_goes_where_it_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
