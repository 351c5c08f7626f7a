#include "check/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tls_fixture.h"

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#define GATEWAY "certfile = gw.pem\nkeyfile = gw.key\n"
#define API                                                                    \
	"[server_name api]\nlistener = gw\nserver_name = localhost\n"          \
	"certfile = api.pem\n"

/* What a start would find in a file with LINES, in IT's report. */
static void
start(struct fixture *it, const char *lines)
{
	struct cert cert = cert_make_server("gw", NULL);
	char path[128];

	fixture_write_cert(it, "gw", &cert);
	fixture_configure(it, lines);
	(void)snprintf(path, sizeof path, "%s/sallyport.ini", it->dir);
	check_all(path, it->report);
	cert_done(&cert);
}

static void
a_good_file_has_no_findings(void **state)
{
	struct fixture *it = *state;

	start(it, GATEWAY);
	assert_string_equal(fixture_report(it), "");
}

static void
the_contexts_of_server_names_are_built_too(void **state)
{
	struct fixture *it = *state;

	start(it, GATEWAY API);
	fixture_assert_reported(it,
		":9: [server_name api] certfile \"api.pem\": No such file or "
		"directory\n");
}

static void
all_sections_are_looked_at_in_one_run(void **state)
{
	struct fixture *it = *state;

	start(it, "certfile = nowhere.pem\nbackend = x\n" API);
	fixture_assert_reported(it, ":4: [listener gw] certfile ");
	fixture_assert_reported(it, ":5: [listener gw] backend ");
	fixture_assert_reported(it, ":9: [server_name api] certfile ");
}

static void
what_only_clients_mind_does_not_keep_from_starting(void **state)
{
	struct fixture *it = *state;
	struct cert ca = cert_make_ca("CA");
	struct cert cert = cert_make_server("lonely", &ca);

	fixture_write_cert(it, "lonely", &cert);
	start(it, "certfile = lonely.pem\nkeyfile = lonely.key\n");
	assert_string_equal(fixture_report(it), "");
	cert_done(&cert);
	cert_done(&ca);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_good_file_has_no_findings),
		TEST(the_contexts_of_server_names_are_built_too),
		TEST(all_sections_are_looked_at_in_one_run),
		TEST(what_only_clients_mind_does_not_keep_from_starting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
