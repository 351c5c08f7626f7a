#include "authz/policy_values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "authz/identity.h"
#include "base/error.h"
#include "policy_fixture.h"

/* One rule against one identity. */
static bool
is_found(enum rule_kind kind, const char *rule, const char *identity_text)
{
	struct text_list list = {0};
	struct policy_values values;
	struct identity *identity = fixture_identity(identity_text);
	bool found;

	text_list_add(&list, rule);
	assert_int_equal(policy_values_init(&values, kind, &list, NULL), 0);
	found = policy_values_find(&values, kind, identity) != NULL;
	policy_values_done(&values);
	text_list_done(&list);
	identity_free(&identity);
	return found;
}

static void
each_kind_looks_at_its_own_field(void **state)
{
	static const char sha[] =
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	static const struct {
		enum rule_kind kind;
		const char *key;
		const char *value;
	} fields[] = {
		{RULE_CN, "cn", "a.b"},
		{RULE_OU, "ou", "a.b"},
		{RULE_O, "o", "a.b"},
		{RULE_ISSUER_CN, "issuer_cn", "a.b"},
		{RULE_DNS_SAN, "dns", "a.b"},
		{RULE_URI_SAN, "uri", "u:v"},
		{RULE_IP_SAN, "ip", "::1"},
		{RULE_EMAIL_SAN, "email", "a@b"},
		{RULE_CERT_SHA256, "sha256", sha},
		{RULE_SPKI_SHA256, "spki", sha},
		{RULE_ISSUER_SPKI_SHA256, "issuer_spki", sha},
	};
	const size_t n = sizeof fields / sizeof fields[0];

	(void)state;
	assert_int_equal(n, RULE_N_KINDS);
	for (size_t i = 0; i < n * n; i++) {
		char identity[100];

		(void)snprintf(identity, sizeof identity, "%s %s",
			fields[i % n].key, fields[i / n].value);
		if (is_found(fields[i / n].kind, fields[i / n].value,
			    identity) != (i % n == i / n))
			fail_msg("kind %zu, %s", i / n, identity);
	}
}

static void
rules_are_brought_into_their_normal_form(void **state)
{
	(void)state;
	assert_true(is_found(RULE_DNS_SAN, "A.Example.", "dns a.example"));
	assert_true(is_found(RULE_IP_SAN, "2001:DB8:0:0::1", "ip 2001:db8::1"));
	assert_true(is_found(RULE_EMAIL_SAN, "a@B.C", "email a@b.c"));
	assert_true(is_found(RULE_URI_SAN, "SPIFFE://C/x", "uri spiffe://c/x"));
}

static void
a_bad_value_leaves_nothing_behind(void **state)
{
	struct text_list list = {0};
	struct policy_values values;
	struct error err = {""};

	(void)state;
	text_list_add(&list, "10.0.0.0/8");
	text_list_add(&list, "10.0.0.0/x");
	assert_int_equal(
		policy_values_init(&values, RULE_IP_SAN, &list, &err), -1);
	assert_int_equal(values.texts.n, 0);
	assert_null(values.ranges);
	assert_non_null(strstr(err.text, "10.0.0.0/x"));
	text_list_done(&list);
}

static void
no_values_find_nothing(void **state)
{
	struct policy_values values = {0};
	struct identity *identity = fixture_identity(
		"cn a|dns a.b|uri u:v|ip ::1|email a@b|sha256 a");

	(void)state;
	for (enum rule_kind kind = 0; kind <= RULE_N_KINDS; kind++)
		assert_null(policy_values_find(&values, kind, identity));
	policy_values_done(&values);
	identity_free(&identity);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_looks_at_its_own_field),
		cmocka_unit_test(rules_are_brought_into_their_normal_form),
		cmocka_unit_test(a_bad_value_leaves_nothing_behind),
		cmocka_unit_test(no_values_find_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
