#include "check/check_print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/options.h"
#include "tls_fixture.h"

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#define GATEWAY "certfile = gw.pem\nkeyfile = gw.key\n"

/* The settings of a file with LINES as they are printed; kept in IT. */
static const char *
print(struct fixture *it, const char *lines)
{
	struct cert cert = cert_make_server("gw", NULL);
	size_t len = 0;
	FILE *out;

	fixture_write_cert(it, "gw", &cert);
	fixture_configure(it, lines);
	out = open_memstream(&it->text, &len);
	assert_non_null(out);
	check_print_process(it->settings, out);
	for (size_t i = 0; i < it->settings->n_policies; i++)
		check_print_policy(&it->settings->policies[i], out);
	check_print_section(it->listener, it->files, out);
	for (size_t i = 0; i < it->listener->n_overlays; i++)
		check_print_section(&it->listener->overlays[i], it->files, out);
	assert_int_equal(fclose(out), 0);
	cert_done(&cert);
	return it->text;
}

static void
assert_printed(const char *text, const char *wanted)
{
	if (strstr(text, wanted) == NULL)
		fail_msg("no \"%s\" in:\n%s", wanted, text);
}

static void
each_value_says_where_it_came_from(void **state)
{
	const char *text =
		print(*state, GATEWAY "[defaults]\nidle_timeout = 5m\n"
				      "[sallyport]\nworkers = 3\n");

	assert_printed(text, "\n[listener gw]\n");
	assert_printed(text, "\nlisten = 127.0.0.1:0 ; line 2\n");
	assert_printed(text, "\ncertfile = gw.pem ; line 4\n");
	assert_printed(text, "\nkeyfile = gw.key ; line 5\n");
	assert_printed(text, "\nidle_timeout = 5m ; [defaults], line 7\n");
	assert_printed(text, "\nminimum_version = TLSv1.2 ; default\n");
	assert_printed(text, "[sallyport]\nworkers = 3 ; line 9\n");
	assert_printed(text, "\nlog_level = info ; default\n");
}

static void
what_is_not_set_is_named(void **state)
{
	const char *text = print(*state, GATEWAY);

	assert_printed(text, "\n# password_file is not set\n");
	assert_printed(text, "\n# maximum_version is not set\n");
}

static void
a_server_name_says_what_is_its_listeners(void **state)
{
	const char *text = print(*state,
		GATEWAY "minimum_version = TLSv1.3\n[server_name api]\n"
			"listener = gw\n"
			"server_name = localhost\nidle_timeout = 1m\n");

	text = strstr(text, "\n[server_name api]\n");
	assert_non_null(text);
	assert_printed(text, "\nlistener = gw ; line 8\n");
	assert_printed(text, "\nserver_name = localhost ; line 9\n");
	assert_printed(text, "\nidle_timeout = 1m ; line 10\n");
	assert_printed(
		text, "\nminimum_version = TLSv1.3 ; [listener gw], line 6\n");
	assert_null(strstr(text, "\nlisten = "));
}

static void
tls_options_show_what_they_became(void **state)
{
	const char *text = print(*state, GATEWAY);

	assert_printed(text, "\nminimum_version = TLSv1.2 ; default\n"
			     "#   TLS1_2_VERSION\n");
	assert_printed(text, "SSL_OP_NO_COMPRESSION");
	assert_printed(text, "X509_V_FLAG_X509_STRICT");
}

static void
long_lists_are_broken_into_lines_that_can_be_read_back(void **state)
{
	struct fixture *it = *state;
	char lines[1024] = GATEWAY "ciphers = ECDHE-ECDSA-AES128-GCM-SHA256\n";
	struct listener_settings *was;
	struct report *report = report_new();
	struct settings *again;
	char path[128];

	for (size_t i = 0; i < 12; i++)
		(void)snprintf(lines + strlen(lines),
			sizeof lines - strlen(lines),
			"\tECDHE-RSA-AES128-GCM-SHA256\n");
	fixture_write(it, "again.ini", print(it, lines));
	was = it->listener;
	(void)snprintf(path, sizeof path, "%s/again.ini", it->dir);
	again = settings_load(path, it->files, report);
	assert_int_equal(report_errors(report), 0);
	assert_string_equal(again->listeners[0].tls.ciphers, was->tls.ciphers);
	settings_free(&again);
	report_free(&report);
}

static void
policies_show_what_is_written_in_them(void **state)
{
	const char *text = print(*state,
		GATEWAY "cafile = gw.pem\nauthorize = ops\n[policy ops]\n"
			"allow_ou = Ops & Co\n\tBoard\n"
			"allow_dns_san = A.example\n");

	assert_printed(text, "\nauthorize = ops ; line 7\n");
	assert_printed(text, "\n[policy ops]\n"
			     "allow_ou = Ops & Co\n\tBoard ; line 9\n"
			     "allow_dns_san = a.example ; line 11\n\n");
}

static void
every_option_of_a_listener_is_there(void **state)
{
	const char *text = print(*state, GATEWAY);
	char wanted[64];

	for (const struct option *o = listener_options; o->name != NULL; o++) {
		if ((o->sections & IN_LISTENER) == 0)
			continue;
		(void)snprintf(wanted, sizeof wanted, "\n%s = ", o->name);
		if (strstr(text, wanted) != NULL)
			continue;
		(void)snprintf(
			wanted, sizeof wanted, "\n# %s is not set\n", o->name);
		assert_printed(text, wanted);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_value_says_where_it_came_from),
		TEST(what_is_not_set_is_named),
		TEST(a_server_name_says_what_is_its_listeners),
		TEST(tls_options_show_what_they_became),
		TEST(long_lists_are_broken_into_lines_that_can_be_read_back),
		TEST(policies_show_what_is_written_in_them),
		TEST(every_option_of_a_listener_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
