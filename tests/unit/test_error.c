#include "config.h"

#include "base/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
setting_an_error_formats_it_and_returns_minus_one(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(error_set(&err, "port %d of \"%s\"", 7, "x"), -1);
	assert_string_equal(err.text, "port 7 of \"x\"");
}

static void
an_errno_value_is_spelled_out_at_the_end(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(error_set_errno(&err, ENOENT, "open %s", "a"), -1);
	assert_string_equal(err.text, "open a: No such file or directory");
}

static void
an_unknown_errno_value_is_no_trouble(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(error_set_errno(&err, 99999, "open"), -1);
	assert_string_equal(err.text, "open: Unknown error 99999");
}

static void
a_prefix_stands_before_the_text(void **state)
{
	struct error err;

	(void)state;
	(void)error_set(&err, "not a port");
	assert_int_equal(error_prefix(&err, "%s:%d", "f.ini", 3), -1);
	assert_string_equal(err.text, "f.ini:3: not a port");
}

static void
an_error_may_quote_itself(void **state)
{
	struct error err;

	(void)state;
	(void)error_set(&err, "inner");
	(void)error_set(&err, "outer (%s)", err.text);
	assert_string_equal(err.text, "outer (inner)");
	(void)error_prefix(&err, "%s again", err.text);
	assert_string_equal(err.text, "outer (inner) again: outer (inner)");
}

static void
a_text_that_is_too_long_is_cut_and_says_so(void **state)
{
	char text[2 * ERROR_TEXT_MAX];
	struct error err;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_int_equal(error_set(&err, "%s", text), -1);
	assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
	assert_string_equal(err.text + ERROR_TEXT_MAX - 5, "x...");
	assert_int_equal(error_prefix(&err, "%s", text), -1);
	assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
	assert_int_equal(error_set_errno(&err, EIO, "%s", text), -1);
	assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
}

static void
a_text_of_just_the_right_length_is_not_cut(void **state)
{
	char text[ERROR_TEXT_MAX];
	struct error err;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	(void)error_set(&err, "%s", text);
	assert_string_equal(err.text, text);
}

static void
nobody_has_to_want_the_text(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, "x"), -1);
	assert_int_equal(error_set_errno(NULL, EIO, "x"), -1);
	assert_int_equal(error_prefix(NULL, "x"), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			setting_an_error_formats_it_and_returns_minus_one),
		cmocka_unit_test(an_errno_value_is_spelled_out_at_the_end),
		cmocka_unit_test(an_unknown_errno_value_is_no_trouble),
		cmocka_unit_test(a_prefix_stands_before_the_text),
		cmocka_unit_test(an_error_may_quote_itself),
		cmocka_unit_test(a_text_that_is_too_long_is_cut_and_says_so),
		cmocka_unit_test(a_text_of_just_the_right_length_is_not_cut),
		cmocka_unit_test(nobody_has_to_want_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
