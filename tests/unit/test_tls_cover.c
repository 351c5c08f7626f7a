#include "tls/tls_cover.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tls_fixture.h"

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#define PLACE "sallyport.ini:7: warning: [server_name api] "

/* The findings on NAMES with a certificate that is for SAN. */
static const char *
findings(struct fixture *it, const char *san, const char *names)
{
	struct cert cert = cert_make(
		&(struct cert_spec){
			.cn = "api.example", .eku = "serverAuth", .san = san},
		NULL);
	char lines[1024];

	fixture_write_cert(it, "api", &cert);
	(void)snprintf(lines, sizeof lines,
		"certfile = gw.pem\n"
		"[server_name api]\nlistener = gw\nserver_name = %s\n"
		"certfile = api.pem\nkeyfile = api.key\n",
		names);
	fixture_configure(it, lines);
	assert_int_equal(it->listener->n_overlays, 1);
	tls_cover_check(&it->listener->overlays[0], it->files, it->report);
	cert_done(&cert);
	return fixture_report(it);
}

static void
names_that_are_in_it_are_covered(void **state)
{
	assert_string_equal(
		findings(*state, "DNS:api.example,DNS:*.API.corp.example",
			"API.EXAMPLE. *.api.corp.example"),
		"");
}

static void
a_name_below_a_wildcard_is_covered(void **state)
{
	assert_string_equal(findings(*state, "DNS:*.corp.example",
				    "a.corp.example b.corp.example"),
		"");
}

static void
a_name_that_is_not_in_it_is_not(void **state)
{
	assert_string_equal(
		strstr(findings(*state,
			       "DNS:other.example,IP:127.0.0.1,IP:::1,"
			       "URI:spiffe://x/y",
			       "api.example"),
			PLACE),
		PLACE "server_name \"api.example\" is not covered by certfile "
		      "\"api.pem\", which is for other.example, 127.0.0.1, "
		      "::1\n");
}

static void
a_common_name_covers_nothing(void **state)
{
	assert_non_null(strstr(findings(*state, NULL, "api.example"),
		"which is for no server name at all"));
}

static void
a_wildcard_covers_one_label(void **state)
{
	struct fixture *it = *state;

	(void)findings(it, "DNS:*.example", "a.b.example");
	fixture_assert_reported(it, PLACE "server_name \"a.b.example\" is not");
	assert_int_equal(report_warnings(it->report), 1);
}

static void
a_wildcard_is_not_covered_by_single_names(void **state)
{
	struct fixture *it = *state;

	(void)findings(it, "DNS:a.corp.example,DNS:*.b.corp.example",
		"*.corp.example");
	fixture_assert_reported(
		it, PLACE "server_name \"*.corp.example\" is not");
}

static void
each_name_is_reported_at_its_own_line(void **state)
{
	struct fixture *it = *state;

	(void)findings(it, "DNS:x.example", "y.example\n\tz.example");
	fixture_assert_reported(it, ":7: warning: [server_name api] "
				    "server_name \"y.example\"");
	fixture_assert_reported(it, ":8: warning: [server_name api] "
				    "server_name \"z.example\"");
}

static void
very_many_names_are_cut(void **state)
{
	struct fixture *it = *state;
	char san[4096] = "DNS:n.example";

	for (size_t i = 0; i < 100; i++)
		(void)snprintf(san + strlen(san), sizeof san - strlen(san),
			",DNS:n%zu.some.example", i);
	(void)findings(it, san, "y.example");
	fixture_assert_reported(
		it, "which is for n.example, n0.some.example, ");
	fixture_assert_reported(it, ".some.example, ...\n");
}

static void
a_listener_has_no_names_to_cover(void **state)
{
	struct fixture *it = *state;

	fixture_configure(it, "certfile = nowhere.pem\n");
	tls_cover_check(it->listener, it->files, it->report);
	assert_string_equal(fixture_report(it), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_that_are_in_it_are_covered),
		TEST(a_name_below_a_wildcard_is_covered),
		TEST(a_name_that_is_not_in_it_is_not),
		TEST(a_common_name_covers_nothing),
		TEST(a_wildcard_covers_one_label),
		TEST(a_wildcard_is_not_covered_by_single_names),
		TEST(each_name_is_reported_at_its_own_line),
		TEST(very_many_names_are_cut),
		TEST(a_listener_has_no_names_to_cover),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
