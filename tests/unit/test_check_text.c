#include "check/check_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The caller frees. */
static char *
put(const char *text, enum log_place place)
{
	char *out_text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&out_text, &len);

	assert_non_null(out);
	check_text_put(text, place, out);
	assert_int_equal(fclose(out), 0);
	return out_text;
}

static void
assert_put(const char *text, enum log_place place, const char *wanted)
{
	char *got = put(text, place);

	assert_string_equal(got, wanted);
	free(got);
}

static void
what_could_drive_a_terminal_is_escaped(void **state)
{
	(void)state;
	assert_put("a\x1b[2Jb\n", LOG_PLACE_MESSAGE, "a\\x1b[2Jb\\x0a");
	assert_put("\xff", LOG_PLACE_MESSAGE, "\\xff");
}

static void
what_is_harmless_stays_as_it_is(void **state)
{
	(void)state;
	assert_put("", LOG_PLACE_MESSAGE, "");
	assert_put("J\xc3\xa4ger, \"x\" = 1", LOG_PLACE_MESSAGE,
		"J\xc3\xa4ger, \"x\" = 1");
}

static void
json_gets_a_string(void **state)
{
	(void)state;
	assert_put("", LOG_PLACE_JSON, "\"\"");
	assert_put("a\"\\\n", LOG_PLACE_JSON, "\"a\\\"\\\\\\u000a\"");
}

static void
no_length_is_too_long(void **state)
{
	char text[5001];
	char *got;

	(void)state;
	memset(text, '\n', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	got = put(text, LOG_PLACE_JSON);
	assert_int_equal(strlen(got), 6 * strlen(text) + 2);
	free(got);
	got = put(text, LOG_PLACE_MESSAGE);
	assert_int_equal(strlen(got), 4 * strlen(text));
	free(got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_could_drive_a_terminal_is_escaped),
		cmocka_unit_test(what_is_harmless_stays_as_it_is),
		cmocka_unit_test(json_gets_a_string),
		cmocka_unit_test(no_length_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
