#include "authz/policy_uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "authz/identity.h"
#include "base/text.h"

struct uri_case {
	const char *rule;
	const char *uri;
	bool matches;
};

static void
check_cases(const struct uri_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (policy_uri_matches(cases[i].rule, cases[i].uri) !=
			cases[i].matches)
			fail_msg("%s against %s: not %d", cases[i].uri,
				cases[i].rule, cases[i].matches);
	}
}

#define CHECK(cases) check_cases(cases, sizeof cases / sizeof cases[0])

static void
literal_rules_match_the_same_text_only(void **state)
{
	static const struct uri_case cases[] = {
		{"spiffe://corp.example/ns/pay", "spiffe://corp.example/ns/pay",
			true},
		{"spiffe://corp.example/ns/pay",
			"spiffe://corp.example/ns/pay2", false},
		{"spiffe://corp.example/ns/pay", "spiffe://corp.example/ns/pa",
			false},
		{"spiffe://corp.example/ns/pay", "spiffe://corp.example/ns/PAY",
			false},
		{"spiffe://corp.example", "spiffe://corp.example", true},
		{"spiffe://corp.example", "spiffe://corp.example/a", false},
		{"https://a.example/x?y=1", "https://a.example/x?y=1", true},
		{"https://a.example/x", "https://a.example/x?y=1", false},
		{"urn:uuid:1b4e28ba", "urn:uuid:1b4e28ba", true},
		{"urn:uuid:1b4e28ba", "urn:uuid:1b4e28bb", false},
		{"urn:uuid:1b4e28ba", "", false},
		{"urn:uuid:1b4e28ba", "urn", false},
	};

	(void)state;
	CHECK(cases);
}

static void
a_star_stands_for_one_part_or_some_of_it(void **state)
{
	static const struct uri_case cases[] = {
		{"spiffe://c/ns/*/sa/x", "spiffe://c/ns/a/sa/x", true},
		{"spiffe://c/ns/*/sa/x", "spiffe://c/ns/a/b/sa/x", false},
		{"spiffe://c/ns/*/sa/x", "spiffe://c/ns/sa/x", false},
		{"spiffe://c/ns/*", "spiffe://c/ns/a", true},
		{"spiffe://c/ns/*", "spiffe://c/ns/a/b", false},
		{"spiffe://c/ns/*", "spiffe://c/ns", false},
		{"spiffe://c/ns/*", "spiffe://c/ns/", false},
		{"spiffe://c/invoice-*", "spiffe://c/invoice-7", true},
		{"spiffe://c/invoice-*", "spiffe://c/invoice-", false},
		{"spiffe://c/invoice-*", "spiffe://c/invoice", false},
		{"spiffe://c/invoice-*", "spiffe://c/xinvoice-7", false},
		{"spiffe://c/*-job", "spiffe://c/a-job-b-job", true},
		{"spiffe://c/a*b*c", "spiffe://c/a1b2b3c", true},
		{"spiffe://c/a*b*c", "spiffe://c/abc", false},
		{"https://h/*/x", "https://h//x", false},
		{"urn:dev:*", "urn:dev:4711", true},
		{"urn:dev:*", "urn:dew:4711", false},
	};

	(void)state;
	CHECK(cases);
}

static void
two_stars_stand_for_the_rest_of_the_path(void **state)
{
	static const struct uri_case cases[] = {
		{"spiffe://c/ns/**", "spiffe://c/ns/a", true},
		{"spiffe://c/ns/**", "spiffe://c/ns/a/b/c", true},
		{"spiffe://c/ns/**", "spiffe://c/ns", false},
		{"spiffe://c/ns/**", "spiffe://c/ns/", false},
		{"spiffe://c/ns/**", "spiffe://c/nsx/a", false},
		{"spiffe://c/*/x/**", "spiffe://c/a/x/b", true},
		{"spiffe://c/**", "spiffe://d/a", false},
		{"spiffe://c/**", "spiffe://cc/a", false},
	};

	(void)state;
	CHECK(cases);
}

static void
the_authority_is_literal(void **state)
{
	static const struct uri_case cases[] = {
		{"spiffe://corp/**", "spiffe://corp.evil/a", false},
		{"spiffe://corp/**", "spiffe://evil@corp/a", false},
		{"spiffe://corp/**", "spiffe://corp:443/a", false},
		{"spiffe://corp/**", "spiffe://CORP/a", false},
		{"spiffe://corp/**", "spiffe:///corp/a", false},
		{"spiffe://corp/**", "spiffe:/corp/a", false},
		{"https://corp/**", "https://corp:443/a", false},
		{"https://corp/**", "http://corp/a", false},
	};

	(void)state;
	CHECK(cases);
}

static void
the_case_of_a_scheme_does_not_count_but_for_spiffe(void **state)
{
	static const struct uri_case cases[] = {
		{"https://h/a", "HTTPS://h/a", true},
		{"https://h/*", "Https://h/a", true},
		{"spiffe://c/a", "SPIFFE://c/a", false},
		{"spiffe://c/**", "Spiffe://c/a", false},
	};

	(void)state;
	CHECK(cases);
}

static void
parts_that_lead_elsewhere_match_nothing(void **state)
{
	static const struct uri_case cases[] = {
		{"spiffe://c/a/**", "spiffe://c/a/../admin", false},
		{"spiffe://c/a/**", "spiffe://c/a/./b", false},
		{"spiffe://c/a/**", "spiffe://c/a/b/..", false},
		{"spiffe://c/*/b", "spiffe://c/../b", false},
		{"https://h/a/**", "https://h/a/../admin", false},
		{"https://h/a/**", "https://h/a/%2e%2E/admin", false},
		{"https://h/a/**", "https://h/a/.%2e", false},
		{"https://h/a/**", "https://h/a/%2e", false},
		{"https://h/a/**", "https://h/a/..?x", false},
		{"https://h/a/**", "https://h/a/..b", true},
		{"https://h/a/**", "https://h/a/...", true},
		{"urn:*", "urn:..", false},
	};

	(void)state;
	CHECK(cases);
}

static void
nothing_is_decoded(void **state)
{
	static const struct uri_case cases[] = {
		{"https://h/a", "https://h/%61", false},
		{"https://h/a/b", "https://h/a%2Fb", false},
		{"https://h/*/b", "https://h/a%2Fb", false},
		{"spiffe://c/*", "spiffe://c/%61", false},
	};

	(void)state;
	CHECK(cases);
}

static void
globs_do_not_reach_into_query_or_fragment(void **state)
{
	static const struct uri_case cases[] = {
		{"https://h/**", "https://h/a?b", false},
		{"https://h/*", "https://h/a#b", false},
		{"https://h/*/c", "https://h/a?b/c", false},
		{"spiffe://c/**", "spiffe://c/a?b", false},
		{"spiffe://c/**", "spiffe://c/a#b", false},
	};

	(void)state;
	CHECK(cases);
}

static void
malformed_spiffe_ids_match_nothing(void **state)
{
	static const struct uri_case cases[] = {
		{"spiffe://c/**", "spiffe://c/a//b", false},
		{"spiffe://c/**", "spiffe://c/a/", false},
		{"spiffe://c/**", "spiffe://c//a", false},
		{"spiffe://c/**", "spiffe://c/a:b", false},
		{"spiffe://c/**", "spiffe://c/*", false},
		{"spiffe://c/*", "spiffe://c/*", false},
		{"spiffe://c/**", "spiffe://c/**", false},
		{"spiffe://c/**", "spiffe://", false},
	};

	(void)state;
	CHECK(cases);
}

static void
overlong_uris_match_nothing(void **state)
{
	char uri[4096] = "https://h/";

	(void)state;
	memset(uri + 10, 'a', 2048 - 10);
	assert_true(policy_uri_matches("https://h/*", uri));
	uri[2048] = 'a';
	assert_false(policy_uri_matches("https://h/*", uri));
	assert_false(policy_uri_matches("https://h/**", uri));
}

static void
many_stars_do_not_cost_exponential_time(void **state)
{
	char rule[256] = "https://h/";
	char uri[2049] = "https://h/";

	(void)state;
	for (size_t i = 10; i < 200; i += 2)
		memcpy(rule + i, "a*", 3);
	memcpy(rule + 200, "b", 2);
	memset(uri + 10, 'a', 2048 - 10);
	assert_false(policy_uri_matches(rule, uri));
}

static void
a_spiffe_id_is_the_only_uri_of_a_certificate(void **state)
{
	struct identity identity = {0};
	struct text_list *uris = &identity.uri;

	(void)state;
	assert_null(policy_uri_problem(&identity));
	text_list_add(uris, "https://h/a");
	text_list_add(uris, "https://h/b");
	assert_null(policy_uri_problem(&identity));
	text_list_add(uris, "spiffe://c/a");
	assert_string_equal(policy_uri_problem(&identity),
		"the certificate has another URI beside its SPIFFE ID");
	text_list_add(uris, "SPIFFE://c/b");
	assert_string_equal(policy_uri_problem(&identity),
		"the certificate has more than one SPIFFE ID");
	text_list_done(uris);
	text_list_add(uris, "spiffe://c/a");
	assert_null(policy_uri_problem(&identity));
	text_list_add(uris, "spiffe://c/a");
	assert_non_null(policy_uri_problem(&identity));
	text_list_done(uris);
	text_list_add(uris, "spiffe://c/a?b");
	assert_string_equal(policy_uri_problem(&identity),
		"the certificate's SPIFFE ID is malformed");
	text_list_done(uris);
}

static void
a_spiffe_id_is_not_that_of_a_ca(void **state)
{
	struct identity identity = {.is_authority = true};

	(void)state;
	text_list_add(&identity.uri, "https://h/a");
	assert_null(policy_uri_problem(&identity));
	text_list_done(&identity.uri);
	text_list_add(&identity.uri, "spiffe://c/a");
	assert_string_equal(policy_uri_problem(&identity),
		"the certificate's SPIFFE ID is that of a CA");
	text_list_done(&identity.uri);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literal_rules_match_the_same_text_only),
		cmocka_unit_test(a_star_stands_for_one_part_or_some_of_it),
		cmocka_unit_test(two_stars_stand_for_the_rest_of_the_path),
		cmocka_unit_test(the_authority_is_literal),
		cmocka_unit_test(
			the_case_of_a_scheme_does_not_count_but_for_spiffe),
		cmocka_unit_test(parts_that_lead_elsewhere_match_nothing),
		cmocka_unit_test(nothing_is_decoded),
		cmocka_unit_test(globs_do_not_reach_into_query_or_fragment),
		cmocka_unit_test(malformed_spiffe_ids_match_nothing),
		cmocka_unit_test(overlong_uris_match_nothing),
		cmocka_unit_test(many_stars_do_not_cost_exponential_time),
		cmocka_unit_test(a_spiffe_id_is_the_only_uri_of_a_certificate),
		cmocka_unit_test(a_spiffe_id_is_not_that_of_a_ca),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
