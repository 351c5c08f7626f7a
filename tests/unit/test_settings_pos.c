#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_fixture.h"

static const char text[] = "[defaults]\nidle_timeout = 7s\n"
			   "alpn_protocols = h2 http/1.1\n"
			   "[listener gw]\nlisten = 127.0.0.1:1\n"
			   "backend = 127.0.0.1:9\n"
			   "certfile = one\n  two\n"
			   "[server_name x]\nlistener = gw\n"
			   "server_name = x.example\n  y.example\n"
			   "backend = 127.0.0.1:8\n";

static void
each_value_of_a_server_name_has_its_place(void **state)
{
	struct loaded l = load(text);
	const struct listener_settings *x =
		&l.settings->listeners[0].overlays[0];

	(void)state;
	assert_findings(&l, "");
	assert_int_equal(settings_pos(x, "server_name", 0).line, 11);
	assert_int_equal(settings_pos(x, "server_name", 1).line, 12);
	assert_int_equal(settings_pos(x, "backend", 0).line, 13);
	assert_int_equal(settings_pos(x, "certfile", 1).line, 8);
	assert_int_equal(settings_pos(x, "alpn_protocols", 1).line, 3);
	assert_int_equal(settings_pos(x, "cafile", 0).line, 9);
	/* Not inherited, though the listener has it. */
	assert_int_equal(settings_pos(x, "listen", 0).line, 9);
	unload(&l);
}

static void
a_finding_is_told_for_the_section_that_uses_the_value(void **state)
{
	struct loaded l = load(text);
	const struct listener_settings *gw = &l.settings->listeners[0];

	(void)state;
	settings_report(&gw->overlays[0], "certfile", 1, REPORT_ERROR, l.report,
		"certfile \"%s\" is odd", "two");
	settings_report(
		gw, "idle_timeout", 0, REPORT_WARNING, l.report, "100%%");
	assert_findings(&l,
		"t.ini:2: warning: [listener gw] 100%\n"
		"t.ini:8: [server_name x] certfile \"two\" is odd\n");
	unload(&l);
}

static void
it_is_known_where_a_value_comes_from(void **state)
{
	struct loaded l = load(text);
	const struct listener_settings *gw = &l.settings->listeners[0];
	const struct listener_settings *x = &gw->overlays[0];

	(void)state;
	assert_int_equal(settings_origin(gw, "certfile"), ORIGIN_SECTION);
	assert_int_equal(
		settings_origin(gw, "idle_timeout"), ORIGIN_DEFAULTS_SECTION);
	assert_int_equal(settings_origin(gw, "cafile"), ORIGIN_DEFAULT);
	assert_int_equal(settings_origin(x, "backend"), ORIGIN_SECTION);
	assert_int_equal(settings_origin(x, "certfile"), ORIGIN_LISTENER);
	assert_int_equal(
		settings_origin(x, "idle_timeout"), ORIGIN_DEFAULTS_SECTION);
	assert_int_equal(settings_origin(x, "cafile"), ORIGIN_DEFAULT);
	assert_int_equal(settings_origin(x, "listen"), ORIGIN_DEFAULT);
	unload(&l);
}

static void
values_of_the_process_have_a_place_too(void **state)
{
	struct loaded l = load("[sallyport]\nworkers = 2\n");

	(void)state;
	assert_int_equal(settings_process_pos(l.settings, "workers").line, 2);
	unload(&l);
}

static void
keys_of_policies_have_places_too(void **state)
{
	struct loaded l = load("[listener gw]\nlisten = 127.0.0.1:1\n"
			       "backend = 127.0.0.1:9\ncertfile = c\n"
			       "cafile = ca\nauthorize = ops\n"
			       "[policy ops]\nallow_o = a\nallow_o = b\n");
	const struct policy_settings *ops = &l.settings->policies[0];

	(void)state;
	assert_findings(&l, "");
	assert_int_equal(settings_policy_pos(ops, "allow_o").line, 8);
	assert_int_equal(settings_policy_pos(ops, "allow_cn").line, 7);
	unload(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_value_of_a_server_name_has_its_place),
		cmocka_unit_test(
			a_finding_is_told_for_the_section_that_uses_the_value),
		cmocka_unit_test(it_is_known_where_a_value_comes_from),
		cmocka_unit_test(values_of_the_process_have_a_place_too),
		cmocka_unit_test(keys_of_policies_have_places_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
