#include "config.h"

#include "conf/settings_loader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conf_fixture.h"

static const char whole[] = "[sallyport]\nworkers = 3\n"
			    "[policy p]\nallow_cn = x\n"
			    "[listener gw]\nlisten = 127.0.0.1:8443\n"
			    "backend = 127.0.0.1:80\ncertfile = a.pem\n"
			    "[server_name n]\nlistener = gw\n"
			    "server_name = n.example\n"
			    "[defaults]\nidle_timeout = 7s\n";

/* Steps it took to the end. */
static int
finish(struct settings_loader *loader)
{
	int steps = 1;

	while (settings_loader_step(loader))
		steps++;
	return steps;
}

static void
in_the_end_it_is_what_settings_load_gives(void **state)
{
	struct loaded l = load(whole);
	struct settings_loader *loader =
		settings_loader_new("t.ini", l.source, l.report);
	const struct listener_settings *gw;
	struct settings *settings;

	(void)state;
	(void)finish(loader);
	settings = settings_loader_end(&loader);
	assert_null(loader);
	assert_true(settings->is_read);
	assert_int_equal(settings->process.workers, 3);
	assert_int_equal(settings->n_policies, 1);
	assert_int_equal(settings->n_listeners, 1);
	gw = &settings->listeners[0];
	assert_string_equal(gw->name, "gw");
	assert_int_equal(gw->idle_timeout_ms, 7000);
	assert_int_equal(gw->n_overlays, 1);
	assert_string_equal(gw->overlays[0].tls.certfile.items[0], "a.pem");
	settings_free(&settings);
	unload(&l);
}

static void
it_goes_section_by_section(void **state)
{
	struct loaded few = load("[listener a]\n");
	struct loaded many = load("[listener a]\n[listener b]\n[listener c]\n");
	struct settings_loader *loader;
	struct settings *settings;
	int steps;

	(void)state;
	loader = settings_loader_new("t.ini", few.source, few.report);
	steps = finish(loader);
	settings = settings_loader_end(&loader);
	settings_free(&settings);
	loader = settings_loader_new("t.ini", many.source, many.report);
	assert_true(finish(loader) >= steps + 2);
	settings = settings_loader_end(&loader);
	settings_free(&settings);
	unload(&few);
	unload(&many);
}

static void
it_can_be_given_up_anywhere(void **state)
{
	struct loaded l = load(whole);
	struct settings_loader *loader;
	struct settings *settings;
	bool goes_on = true;

	(void)state;
	for (int steps = 0; goes_on; steps++) {
		loader = settings_loader_new("t.ini", l.source, l.report);
		for (int i = 0; i < steps && goes_on; i++)
			goes_on = settings_loader_step(loader);
		settings = settings_loader_end(&loader);
		assert_non_null(settings);
		settings_free(&settings);
	}
	unload(&l);
}

static void
what_settings_check_would_find_is_left_to_it(void **state)
{
	struct loaded l = load("[sallyport]\n");
	struct report *report = report_new();
	struct settings_loader *loader =
		settings_loader_new("t.ini", l.source, report);
	struct settings *settings;

	(void)state;
	assert_true(report_errors(l.report) > 0);
	(void)finish(loader);
	settings = settings_loader_end(&loader);
	assert_int_equal(report_errors(report), 0);
	settings_free(&settings);
	report_free(&report);
	unload(&l);
}

static void
a_file_that_cannot_be_read_leaves_the_defaults(void **state)
{
	struct loaded l = load("[sallyport]\n");
	struct report *report = report_new();
	struct settings_loader *loader =
		settings_loader_new("other.ini", l.source, report);
	struct settings *settings;

	(void)state;
	assert_int_equal(finish(loader), 1);
	settings = settings_loader_end(&loader);
	assert_int_equal(report_errors(report), 1);
	assert_false(settings->is_read);
	assert_true(settings->process.workers > 0);
	settings_free(&settings);
	report_free(&report);
	unload(&l);
}

static void
settings_go_piece_by_piece(void **state)
{
	struct loaded l = load(whole);
	int pieces = 0;

	(void)state;
	while (settings_free_some(l.settings))
		pieces++;
	/* A listener, a server name, five sections. */
	assert_int_equal(pieces, 7);
	unload(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_the_end_it_is_what_settings_load_gives),
		cmocka_unit_test(it_goes_section_by_section),
		cmocka_unit_test(it_can_be_given_up_anywhere),
		cmocka_unit_test(what_settings_check_would_find_is_left_to_it),
		cmocka_unit_test(
			a_file_that_cannot_be_read_leaves_the_defaults),
		cmocka_unit_test(settings_go_piece_by_piece),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
