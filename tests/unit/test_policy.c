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
#include "base/error.h"
#include "policy_fixture.h"

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* IDENTITY NULL is a client without a certificate. */
struct decision_case {
	const char *rules;
	const char *identity;
	bool allowed;
	const char *reason; /* all of it, or its beginning where denied */
};

static void
check_case(const struct decision_case *it)
{
	struct error err = {""};
	struct policy_rules *rules = fixture_rules(it->rules, &err);
	struct identity *identity =
		it->identity != NULL ? fixture_identity(it->identity) : NULL;
	struct policy_decision decision;

	if (rules == NULL)
		fail_msg("%s: %s", it->rules, err.text);
	policy_decide(rules, identity, &decision);
	if (decision.allowed != it->allowed)
		fail_msg("%s against %s: allowed=%d (%s)", it->identity,
			it->rules, decision.allowed, decision.reason);
	assert_true(decision.allowed ? strcmp(decision.reason, it->reason) == 0
				     : strncmp(decision.reason, it->reason,
					       strlen(it->reason)) == 0);
	identity_free(&identity);
	policy_rules_free(&rules);
}

static void
check_cases(const struct decision_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_case(&cases[i]);
}

#define CHECK(cases) check_cases(cases, sizeof cases / sizeof cases[0])
#define NONE         "no rule matches"

static void
without_a_rule_a_verified_chain_is_enough(void **state)
{
	static const struct decision_case cases[] = {
		{"", "cn billing", true, "no rule"},
		{"", "", true, "no rule"},
		{"", "bad|uri spiffe://a/b|uri spiffe://c/d", true, "no rule"},
		{"", NULL, true, "no rule"},
		{"deny_serial 0a", "serial 0b", true, "no rule"},
	};

	(void)state;
	CHECK(cases);
}

static void
no_rule_matches_a_client_without_a_certificate(void **state)
{
	static const struct decision_case cases[] = {
		{"allow_cn billing", NULL, false, "no certificate"},
		{"authorize any", NULL, false, "no certificate"},
		{"deny_serial 0a", NULL, false, "no certificate"},
		{"authorize p|[p]|allow_cn x", NULL, false, "no certificate"},
	};

	(void)state;
	CHECK(cases);
}

static void
subject_attributes_match_exactly_and_any_of_them(void **state)
{
	static const struct decision_case cases[] = {
		{"allow_cn billing", "cn billing", true, "allow_cn billing"},
		{"allow_cn billing", "cn x|cn billing", true,
			"allow_cn billing"},
		{"allow_cn a|allow_cn b", "cn b", true, "allow_cn b"},
		{"allow_cn Zo\xc3\xab", "cn Zo\xc3\xab", true,
			"allow_cn Zo\xc3\xab"},
		{"allow_ou Ops", "ou Ops", true, "allow_ou Ops"},
		{"allow_o Corp", "o Corp", true, "allow_o Corp"},
		{"allow_cn billing", "cn Billing", false, NONE},
		{"allow_cn billing", "cn billing ", false, NONE},
		{"allow_cn billing", "cn xbilling", false, NONE},
		{"allow_cn billing", "ou billing|o billing", false, NONE},
		{"allow_cn billing", "cn billing,CN=x", false, NONE},
		{"allow_cn *", "cn billing", false, NONE},
		{"allow_cn billing", "", false, NONE},
		/* Decomposed is another text than composed. */
		{"allow_cn Zo\xc3\xab", "cn Zoe\xcc\x88", false, NONE},
	};

	(void)state;
	CHECK(cases);
}

static void
names_never_fall_back_to_the_common_name(void **state)
{
	static const struct decision_case cases[] = {
		{"allow_dns_san a.example", "dns a.example", true,
			"allow_dns_san a.example"},
		{"allow_dns_san a.example", "cn a.example", false, NONE},
		{"allow_email_san a@b.example", "cn a@b.example", false, NONE},
		{"allow_ip_san 192.0.2.1", "cn 192.0.2.1", false, NONE},
		{"allow_ip_san 192.0.2.1", "dns 192.0.2.1", false, NONE},
		{"allow_uri_san https://a.example/x", "dns a.example", false,
			NONE},
		{"allow_dns_san a.example", "uri https://a.example", false,
			NONE},
		{"allow_cn a.example", "dns a.example", false, NONE},
	};

	(void)state;
	CHECK(cases);
}

static void
every_kind_of_name_is_looked_up(void **state)
{
	static const struct decision_case cases[] = {
		{"allow_uri_san spiffe://c/ns/*", "uri spiffe://c/ns/x", true,
			"allow_uri_san spiffe://c/ns/*"},
		{"allow_ip_san 192.0.2.0/24", "ip 10.0.0.1|ip 192.0.2.9", true,
			"allow_ip_san 192.0.2.0/24"},
		{"allow_ip_san 192.0.2.1", "ip ::ffff:192.0.2.1", false, NONE},
		{"allow_ip_san ::/0", "ip 192.0.2.1", false, NONE},
		{"allow_email_san Ann@Corp.example", "email Ann@cORP.example",
			true, "allow_email_san Ann@corp.example"},
		{"allow_email_san Ann@Corp.example", "email ann@corp.example",
			false, NONE},
		{"allow_email_san a@corp.example", "email a@x@corp.example",
			false, NONE},
		{"allow_email_san a@corp.example", "email corp.example", false,
			NONE},
		{"allow_cert_sha256 " SHA_A, "sha256 " SHA_A, true,
			"allow_cert_sha256 " SHA_A},
		{"allow_cert_sha256 " SHA_A, "sha256 " SHA_B "|spki " SHA_A,
			false, NONE},
		{"allow_spki_sha256 " SHA_A, "spki " SHA_A, true,
			"allow_spki_sha256 " SHA_A},
		{"allow_spki_sha256 " SHA_A, "sha256 " SHA_A, false, NONE},
	};

	(void)state;
	CHECK(cases);
}

static void
a_wildcard_certificate_is_no_key_to_every_door(void **state)
{
	static const struct decision_case cases[] = {
		{"allow_dns_san *.example.com", "dns *.example.com", false,
			NONE "; a wildcard in a certificate never matches"},
		{"allow_dns_san app.example.com", "dns *.example.com", false,
			NONE "; a wildcard in a certificate never matches"},
		{"allow_dns_san app.example.com",
			"dns *.example.com|dns app.example.com", true,
			"allow_dns_san app.example.com"},
	};

	(void)state;
	CHECK(cases);
}

static void
malformed_names_spoil_all_subject_alternative_names(void **state)
{
	static const struct decision_case cases[] = {
		{"allow_dns_san a.example", "dns a.example|bad", false,
			NONE "; the certificate has malformed names"},
		{"allow_uri_san spiffe://c/a", "uri spiffe://c/a|bad", false,
			NONE "; the certificate has malformed names"},
		{"allow_ip_san 192.0.2.1", "ip 192.0.2.1|bad", false,
			NONE "; the certificate has malformed names"},
		{"allow_email_san a@b.example", "email a@b.example|bad", false,
			NONE "; the certificate has malformed names"},
		{"authorize p|[p]|allow_cn x|allow_dns_san a.example",
			"cn x|dns a.example|bad", false,
			NONE "; the certificate has malformed names"},
		{"allow_cn x|allow_dns_san a.example", "cn x|bad", true,
			"allow_cn x"},
		{"allow_cert_sha256 " SHA_A, "bad|sha256 " SHA_A, true,
			"allow_cert_sha256 " SHA_A},
	};

	(void)state;
	CHECK(cases);
}

static void
a_certificate_with_two_spiffe_ids_satisfies_no_uri_rule(void **state)
{
	static const struct decision_case cases[] = {
		{"allow_uri_san spiffe://c/a",
			"uri spiffe://c/a|uri spiffe://c/b", false,
			NONE "; the certificate has more than one SPIFFE ID"},
		{"allow_uri_san spiffe://c/**",
			"uri spiffe://c/a|uri spiffe://c/a", false, NONE},
		{"allow_uri_san https://h/a",
			"uri https://h/a|uri spiffe://c/a|uri SPIFFE://c/b",
			false, NONE},
		{"allow_uri_san spiffe://c/a",
			"uri https://h/a|uri spiffe://c/a", false,
			NONE "; the certificate has another URI"},
		{"allow_uri_san https://h/b", "uri https://h/a|uri https://h/b",
			true, "allow_uri_san https://h/b"},
		{"allow_cn x|allow_uri_san spiffe://c/a",
			"cn x|uri spiffe://c/a|uri spiffe://c/b", true,
			"allow_cn x"},
	};

	(void)state;
	CHECK(cases);
}

static void
all_keys_of_a_policy_must_match(void **state)
{
	static const char rules[] =
		"authorize ops|[ops]|allow_ou Ops|allow_ou Admins|"
		"allow_issuer_cn Staff CA";
	const struct decision_case cases[] = {
		{rules, "ou Ops|issuer_cn Staff CA", true, "policy ops"},
		{rules, "ou Admins|issuer_cn Staff CA", true, "policy ops"},
		{rules, "ou Ops|issuer_cn Other CA", false,
			NONE "; policy ops lacks allow_issuer_cn"},
		{rules, "ou Ops", false, NONE},
		{rules, "issuer_cn Staff CA", false,
			NONE "; policy ops lacks allow_ou"},
		{rules, "", false,
			NONE "; policy ops lacks allow_ou, allow_issuer_cn"},
		{"authorize p|[p]|allow_issuer_spki_sha256 " SHA_A,
			"issuer_spki " SHA_A, true, "policy p"},
		{"authorize p|[p]|allow_issuer_spki_sha256 " SHA_A,
			"spki " SHA_A, false, NONE},
	};

	(void)state;
	CHECK(cases);
}

static void
any_policy_or_any_key_lets_in(void **state)
{
	static const char rules[] = "allow_cn x|authorize a|authorize b|"
				    "[a]|allow_ou A|[b]|allow_ou B|[c]|"
				    "allow_ou C";
	const struct decision_case cases[] = {
		{rules, "cn x", true, "allow_cn x"},
		{rules, "ou A", true, "policy a"},
		{rules, "ou B", true, "policy b"},
		{rules, "ou C", false,
			NONE "; not in allow_cn; policy a lacks allow_ou; "
			     "policy b lacks allow_ou"},
	};

	(void)state;
	CHECK(cases);
}

static void
an_empty_policy_never_matches(void **state)
{
	static const struct decision_case cases[] = {
		{"authorize p|[p]", "cn x", false, NONE "; policy p is empty"},
		{"authorize p|[p]", "", false, NONE},
		{"authorize p|[p]|[q]|allow_cn x", "cn x", false, NONE},
	};

	(void)state;
	CHECK(cases);
}

static void
authorize_any_takes_every_verified_certificate(void **state)
{
	static const struct decision_case cases[] = {
		{"authorize any", "cn x", true, "authorize any"},
		{"authorize any", "bad", true, "authorize any"},
		{"authorize any|authorize p|[p]", "cn x", true,
			"authorize any"},
		{"authorize any|deny_serial a", "serial 0A", false,
			"deny_serial a"},
		/* A policy cannot take over the word. */
		{"authorize any|[any]|allow_cn y", "cn x", true,
			"authorize any"},
	};

	(void)state;
	CHECK(cases);
}

static void
deny_always_wins(void **state)
{
	static const struct decision_case cases[] = {
		{"allow_cn x|deny_serial 0A:B3", "cn x|serial 0ab3", false,
			"deny_serial ab3"},
		{"allow_cn x|deny_serial 0000ab3", "cn x|serial ab3", false,
			"deny_serial ab3"},
		{"allow_cn x|deny_serial 0", "cn x|serial 00", false,
			"deny_serial 0"},
		{"allow_cn x|deny_serial -0a", "cn x|serial -0a", false,
			"deny_serial -a"},
		{"allow_cn x|deny_serial 0a", "cn x|serial -0a", true,
			"allow_cn x"},
		{"allow_cn x|deny_serial 0a", "cn x|serial 0a00", true,
			"allow_cn x"},
		{"allow_cn x|deny_serial a0", "cn x|serial 0a", true,
			"allow_cn x"},
		{"allow_cn x|deny_cert_sha256 " SHA_A, "cn x|sha256 " SHA_A,
			false, "deny_cert_sha256 " SHA_A},
		{"allow_cn x|deny_cert_sha256 " SHA_A, "cn x|sha256 " SHA_B,
			true, "allow_cn x"},
		{"allow_cn x|deny_cert_sha256 " SHA_A,
			"cn x|sha256 " SHA_B "|twin " SHA_A, false,
			"deny_cert_sha256 " SHA_A},
		{"allow_cn x|deny_cert_sha256 " SHA_A,
			"cn x|sha256 " SHA_A "|twin " SHA_B, false,
			"deny_cert_sha256 " SHA_A},
		{"allow_cert_sha256 " SHA_A, "sha256 " SHA_B "|twin " SHA_A,
			false, NONE},
		{"authorize p|deny_serial 1|[p]|allow_cn x", "cn x|serial 01",
			false, "deny_serial 1"},
		{"deny_serial 1", "serial 01", false, "deny_serial 1"},
		{"allow_cert_sha256 " SHA_A "|deny_cert_sha256 " SHA_A,
			"sha256 " SHA_A, false, "deny_cert_sha256"},
	};

	(void)state;
	CHECK(cases);
}

/* What a peer can make long: nothing of it reaches the reason. */
static void
a_huge_identity_is_only_refused(void **state)
{
	struct policy_rules *rules = fixture_rules(
		"allow_cn x|allow_dns_san *.a.example|allow_uri_san u:*|"
		"allow_ip_san 10.0.0.0/8|allow_email_san a@b.example",
		NULL);
	struct identity *identity = fixture_identity("serial 01");
	struct policy_decision decision;
	char *huge = malloc(10241);

	(void)state;
	memset(huge, 'x', 10240);
	huge[10240] = '\0';
	text_list_add(&identity->cn, huge);
	for (int i = 0; i < 3000; i++) {
		text_list_add(&identity->dns, i == 1500 ? huge : "h.example");
		text_list_add(&identity->uri, i == 1500 ? huge : "v:x");
		text_list_add(&identity->email, i == 1500 ? huge : "c@d.e");
		text_list_add(&identity->ip, "192.0.2.1");
	}
	policy_decide(rules, identity, &decision);
	assert_false(decision.allowed);
	assert_null(strstr(decision.reason, "xx"));
	text_list_add(&identity->dns, "z.A.example");
	policy_decide(rules, identity, &decision);
	assert_true(decision.allowed);
	assert_string_equal(decision.reason, "allow_dns_san *.a.example");
	free(huge);
	identity_free(&identity);
	policy_rules_free(&rules);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_rule_a_verified_chain_is_enough),
		cmocka_unit_test(
			no_rule_matches_a_client_without_a_certificate),
		cmocka_unit_test(
			subject_attributes_match_exactly_and_any_of_them),
		cmocka_unit_test(names_never_fall_back_to_the_common_name),
		cmocka_unit_test(every_kind_of_name_is_looked_up),
		cmocka_unit_test(
			a_wildcard_certificate_is_no_key_to_every_door),
		cmocka_unit_test(
			malformed_names_spoil_all_subject_alternative_names),
		cmocka_unit_test(
			a_certificate_with_two_spiffe_ids_satisfies_no_uri_rule),
		cmocka_unit_test(all_keys_of_a_policy_must_match),
		cmocka_unit_test(any_policy_or_any_key_lets_in),
		cmocka_unit_test(an_empty_policy_never_matches),
		cmocka_unit_test(
			authorize_any_takes_every_verified_certificate),
		cmocka_unit_test(deny_always_wins),
		cmocka_unit_test(a_huge_identity_is_only_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
