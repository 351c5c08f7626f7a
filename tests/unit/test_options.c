#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "conf/options.h"
#include "conf/settings.h"

static void
every_row_is_complete(const struct option *table, unsigned sections)
{
	for (const struct option *o = table; o->name != NULL; o++) {
		assert_non_null(o->help);
		assert_true(strlen(o->help) > 0);
		assert_int_equal(o->help[strlen(o->help) - 1], '.');
		assert_true(o->sections != 0);
		assert_int_equal(o->sections & ~sections, 0);
		assert_true(strlen(o->name) < 50); /* what inih keeps */
		assert_true((o->type == OPT_CHOICE) == (o->choices != NULL));
		if (o->type == OPT_INT || o->type == OPT_DURATION_MS)
			assert_true(o->min < o->max);
		/* Rows are found by their own name: none is there twice. */
		assert_ptr_equal(option_find(table, o->name), o);
	}
}

static void
every_row_of_both_tables_is_complete(void **state)
{
	(void)state;
	every_row_is_complete(process_options, IN_PROCESS);
	every_row_is_complete(listener_options, IN_DEFAULTS | IN_LISTENER);
}

static void
a_name_means_one_thing_in_all_sections(void **state)
{
	(void)state;
	for (const struct option *o = process_options; o->name != NULL; o++)
		assert_null(option_find(listener_options, o->name));
}

static void
an_unknown_name_is_not_found(void **state)
{
	(void)state;
	assert_null(option_find(process_options, "worker"));
	assert_null(option_find(process_options, "workers2"));
	assert_null(option_find(process_options, ""));
	assert_null(option_find(process_options, "Workers"));
}

static void
assert_choice(const struct option *table, const char *name, int value,
	const char *word)
{
	const struct option *option = option_find(table, name);

	assert_non_null(option);
	assert_string_equal(option->choices[value], word);
}

static void
choices_stand_in_the_order_of_their_enum(void **state)
{
	(void)state;
	assert_choice(process_options, "log_level", LOG_LEVEL_ERROR, "error");
	assert_choice(process_options, "log_level", LOG_LEVEL_WARN, "warn");
	assert_choice(process_options, "log_level", LOG_LEVEL_NOTICE, "notice");
	assert_choice(process_options, "log_level", LOG_LEVEL_INFO, "info");
	assert_choice(process_options, "log_level", LOG_LEVEL_DEBUG, "debug");
	assert_choice(process_options, "log_format", LOG_FORMAT_AUTO, "auto");
	assert_choice(process_options, "log_format", LOG_FORMAT_TEXT, "text");
	assert_choice(process_options, "log_format", LOG_FORMAT_JSON, "json");
	assert_choice(
		process_options, "log_format", LOG_FORMAT_JOURNAL, "journal");
	assert_choice(process_options, "sandbox", SANDBOX_AUTO, "auto");
	assert_choice(process_options, "sandbox", SANDBOX_OFF, "off");
	assert_choice(listener_options, "verify_mode", VERIFY_NONE, "none");
	assert_choice(
		listener_options, "verify_mode", VERIFY_OPTIONAL, "optional");
	assert_choice(
		listener_options, "verify_mode", VERIFY_REQUIRED, "required");
	assert_choice(
		listener_options, "minimum_version", TLS_VERSION_1_0, "TLSv1");
	assert_choice(listener_options, "minimum_version", TLS_VERSION_1_1,
		"TLSv1.1");
	assert_choice(listener_options, "maximum_version", TLS_VERSION_1_2,
		"TLSv1.2");
	assert_choice(listener_options, "maximum_version", TLS_VERSION_1_3,
		"TLSv1.3");
}

static void
lists_may_be_repeated_and_scalars_not(void **state)
{
	(void)state;
	assert_true(option_is_list(option_find(listener_options, "listen")));
	assert_true(option_is_list(option_find(listener_options, "certfile")));
	assert_true(option_is_list(option_find(listener_options, "keyfile")));
	assert_true(option_is_list(option_find(listener_options, "ciphers")));
	assert_false(option_is_list(option_find(listener_options, "backend")));
	assert_false(
		option_is_list(option_find(listener_options, "password_file")));
	assert_true(option_is_words(option_find(listener_options, "listen")));
	assert_false(
		option_is_words(option_find(listener_options, "certfile")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_both_tables_is_complete),
		cmocka_unit_test(a_name_means_one_thing_in_all_sections),
		cmocka_unit_test(an_unknown_name_is_not_found),
		cmocka_unit_test(choices_stand_in_the_order_of_their_enum),
		cmocka_unit_test(lists_may_be_repeated_and_scalars_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
