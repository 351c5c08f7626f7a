#include "authz/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "policy_fixture.h"

static void
assert_no_rules(const char *text, const char *expected)
{
	struct error err = {""};

	assert_null(fixture_rules(text, &err));
	if (strstr(err.text, expected) == NULL)
		fail_msg("%s: \"%s\"", text, err.text);
}

static void
values_that_make_no_sense_are_refused(void **state)
{
	(void)state;
	assert_no_rules("allow_ip_san 10.0.0.0/40", "allow_ip_san: ");
	assert_no_rules("allow_cn a|allow_dns_san a*.b", "allow_dns_san: ");
	assert_no_rules("deny_serial xyz", "deny_serial: ");
	assert_no_rules("deny_cert_sha256 00", "deny_cert_sha256: ");
	assert_no_rules("authorize p|[p]|allow_cn a|allow_uri_san x",
		"[policy p]: allow_uri_san: ");
}

static void
unknown_policies_are_refused(void **state)
{
	(void)state;
	assert_no_rules("authorize p", "there is no [policy p]");
	assert_no_rules("authorize p|[q]|allow_cn x", "[policy p]");
	assert_no_rules("authorize any|authorize ANY", "[policy ANY]");
}

static void
issuers_are_for_policies_only(void **state)
{
	(void)state;
	assert_no_rules("allow_issuer_cn CA", "[policy]");
	assert_no_rules("allow_cn x|allow_issuer_spki_sha256 "
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			"aaaaaaaaaaa",
		"[policy]");
}

static bool
exist(const char *text)
{
	struct policy_rules *rules = fixture_rules(text, NULL);
	bool answer;

	assert_non_null(rules);
	answer = policy_rules_exist(rules);
	policy_rules_free(&rules);
	assert_null(rules);
	return answer;
}

static void
any_key_is_a_rule(void **state)
{
	(void)state;
	assert_false(exist(""));
	assert_false(exist("[unused]|allow_cn x"));
	assert_true(exist("allow_cn x"));
	assert_true(exist("deny_serial 1"));
	assert_true(exist("authorize any"));
	assert_true(exist("authorize p|[p]"));
}

static void
freeing_nothing_is_fine(void **state)
{
	struct policy_rules *rules = NULL;

	(void)state;
	policy_rules_free(&rules);
}

static bool
are_equal(const char *left, const char *right)
{
	struct policy_rules *a = fixture_rules(left, NULL);
	struct policy_rules *b = fixture_rules(right, NULL);
	char *a_text, *b_text;
	bool answer;

	assert_non_null(a);
	assert_non_null(b);
	a_text = policy_rules_text(a);
	b_text = policy_rules_text(b);
	answer = strcmp(a_text, b_text) == 0;
	free(a_text);
	free(b_text);
	policy_rules_free(&a);
	policy_rules_free(&b);
	return answer;
}

static void
equal_rules_have_equal_texts(void **state)
{
	(void)state;
	assert_true(are_equal("", "[unused]|allow_cn x"));
	assert_true(
		are_equal("allow_cn a|allow_cn b", "allow_cn b|allow_cn a"));
	assert_true(are_equal("allow_cn a|allow_cn a", "allow_cn a"));
	assert_true(are_equal("allow_dns_san A.B.", "allow_dns_san a.b"));
	assert_true(are_equal("deny_serial 0x0A", "deny_serial a"));
	assert_true(are_equal("allow_ip_san 2001:DB8:0::/32|allow_ip_san ::1",
		"allow_ip_san ::1/128|allow_ip_san 2001:db8::/32"));
	assert_true(are_equal("authorize a|authorize b|[a]|allow_o x|[b]",
		"authorize b|authorize a|[b]|[a]|allow_o x"));
}

static void
other_rules_have_other_texts(void **state)
{
	(void)state;
	assert_false(are_equal("", "authorize any"));
	assert_false(are_equal("", "deny_serial a"));
	assert_false(are_equal("allow_cn a", "allow_ou a"));
	assert_false(are_equal("allow_cn a", "allow_cn A"));
	assert_false(are_equal("allow_cn a", "allow_cn a|allow_cn b"));
	assert_false(are_equal(
		"allow_ip_san 10.0.0.0/8", "allow_ip_san 10.0.0.0/9"));
	assert_false(are_equal(
		"authorize p|[p]|allow_cn a", "authorize p|[p]|allow_cn b"));
	assert_false(are_equal("authorize p|[p]|allow_cn a", "allow_cn a"));
	assert_false(are_equal("authorize p|[p]", ""));
	assert_false(are_equal("authorize p|authorize q|[p]|allow_cn a|[q]",
		"authorize p|authorize q|[p]|[q]|allow_cn a"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_that_make_no_sense_are_refused),
		cmocka_unit_test(unknown_policies_are_refused),
		cmocka_unit_test(issuers_are_for_policies_only),
		cmocka_unit_test(any_key_is_a_rule),
		cmocka_unit_test(freeing_nothing_is_fine),
		cmocka_unit_test(equal_rules_have_equal_texts),
		cmocka_unit_test(other_rules_have_other_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
