#include "authz/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "authz/identity.h"
#include "base/text.h"
#include "policy_fixture.h"

static void
assert_refused(
	const char *rules_text, const char *identity_text, const char *expected)
{
	struct policy_rules *rules = fixture_rules(rules_text, NULL);
	struct identity *identity = fixture_identity(identity_text);
	struct policy_decision decision;

	assert_non_null(rules);
	policy_decide(rules, identity, &decision);
	assert_false(decision.allowed);
	assert_string_equal(decision.reason, expected);
	identity_free(&identity);
	policy_rules_free(&rules);
}

static void
the_keys_that_were_missing_are_named(void **state)
{
	(void)state;
	assert_refused("allow_cn a|allow_o b", "cn x",
		"no rule matches; not in allow_cn, allow_o");
	assert_refused("allow_cn a|authorize p|[p]|allow_ou O|allow_o P", "o P",
		"no rule matches; not in allow_cn; policy p lacks allow_ou");
}

static void
oddities_are_told_where_a_rule_met_them(void **state)
{
	(void)state;
	assert_refused("allow_cn a",
		"bad|dns *.x|uri spiffe://a/b|"
		"uri spiffe://a/c",
		"no rule matches; not in allow_cn");
	assert_refused("authorize p|[p]|allow_dns_san a", "dns *.x",
		"no rule matches; a wildcard in a certificate never matches; "
		"policy p lacks allow_dns_san");
	assert_refused("allow_uri_san u:x|allow_dns_san a.b",
		"bad|uri spiffe:x",
		"no rule matches; the certificate has malformed names; "
		"the certificate's SPIFFE ID is malformed; "
		"not in allow_dns_san, allow_uri_san");
}

static void
control_bytes_never_get_into_a_reason(void **state)
{
	(void)state;
	assert_refused("authorize a\nb|[a\nb]|allow_cn x", "cn y",
		"no rule matches; policy a\\0Ab lacks allow_cn");
}

static void
a_long_reason_is_cut(void **state)
{
	char rules[800] = "allow_cn a";
	struct policy_rules *compiled;
	struct identity *identity = fixture_identity("cn x");
	struct policy_decision decision;
	size_t len = strlen(rules);

	(void)state;
	for (int i = 0; i < 8; i++)
		len += (size_t)snprintf(rules + len, sizeof rules - len,
			"|authorize a_policy_with_a_long_name%d", i);
	for (int i = 0; i < 8; i++)
		len += (size_t)snprintf(rules + len, sizeof rules - len,
			"|[a_policy_with_a_long_name%d]", i);
	compiled = fixture_rules(rules, NULL);
	assert_non_null(compiled);
	policy_decide(compiled, identity, &decision);
	assert_int_equal(strlen(decision.reason), POLICY_REASON_MAX - 1);
	assert_string_equal(decision.reason + POLICY_REASON_MAX - 4, "...");
	identity_free(&identity);
	policy_rules_free(&compiled);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_keys_that_were_missing_are_named),
		cmocka_unit_test(oddities_are_told_where_a_rule_met_them),
		cmocka_unit_test(control_bytes_never_get_into_a_reason),
		cmocka_unit_test(a_long_reason_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
