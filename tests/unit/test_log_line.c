#include "config.h"

#include "base/log_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* TEXT as it would stand in PLACE, in at most MAX bytes. */
static const char *
value(const char *text, enum log_place place, size_t max)
{
	static char bytes[4096];
	struct log_line line = {.bytes = bytes, .size = sizeof bytes - 1};

	log_line_put_value(&line, text, place, max);
	assert_false(line.is_full);
	assert_true(line.len <= max);
	bytes[line.len] = '\0';
	return bytes;
}

static const char *
quoted(const char *text)
{
	return value(text, LOG_PLACE_VALUE, 1000);
}

static const char *
json(const char *text)
{
	return value(text, LOG_PLACE_JSON, 1000);
}

static void
plain_values_need_no_quotes(void **state)
{
	(void)state;
	assert_string_equal(quoted("gw"), "gw");
	assert_string_equal(quoted("[::1]:8443"), "[::1]:8443");
	assert_string_equal(quoted("a,b;c'd"), "a,b;c'd");
}

static void
ambiguous_values_are_quoted(void **state)
{
	(void)state;
	assert_string_equal(quoted(""), "\"\"");
	assert_string_equal(quoted("a b"), "\"a b\"");
	assert_string_equal(quoted("CN=x"), "\"CN=x\"");
	assert_string_equal(quoted("\xc3\xbc"), "\"\xc3\xbc\"");
}

static void
a_peer_cannot_end_a_value_or_a_line(void **state)
{
	(void)state;
	assert_string_equal(
		quoted("x\" reason=\"ok"), "\"x\\x22 reason=\\x22ok\"");
	assert_string_equal(quoted("x\nforged"), "\"x\\x0aforged\"");
	assert_string_equal(quoted("\\x0a"), "\"\\x5cx0a\"");
	assert_string_equal(
		quoted("\t\r\x1b[2J\x7f"), "\"\\x09\\x0d\\x1b[2J\\x7f\"");
}

static void
bytes_that_are_no_utf8_are_escaped(void **state)
{
	(void)state;
	assert_string_equal(quoted("a\xff"), "\"a\\xff\"");
	assert_string_equal(quoted("\xc3"), "\"\\xc3\"");
	assert_string_equal(quoted("\xc0\xaf"), "\"\\xc0\\xaf\"");
}

static void
unseen_characters_are_escaped(void **state)
{
	(void)state;
	/* C1 CSI, line separator, right-to-left override, a tag. */
	assert_string_equal(quoted("\xc2\x9b"), "\"\\xc2\\x9b\"");
	assert_string_equal(quoted("\xe2\x80\xa8"), "\"\\xe2\\x80\\xa8\"");
	assert_string_equal(quoted("\xe2\x80\xae"), "\"\\xe2\\x80\\xae\"");
	assert_string_equal(
		quoted("\xf3\xa0\x81\x81"), "\"\\xf3\\xa0\\x81\\x81\"");
}

static void
a_message_keeps_its_quotes_but_not_its_controls(void **state)
{
	(void)state;
	assert_string_equal(
		value("cannot read \"a\\b\"", LOG_PLACE_MESSAGE, 100),
		"cannot read \"a\\b\"");
	assert_string_equal(
		value("a\nb\xff", LOG_PLACE_MESSAGE, 100), "a\\x0ab\\xff");
	assert_string_equal(value("", LOG_PLACE_MESSAGE, 100), "");
}

static void
json_is_always_quoted_and_always_valid(void **state)
{
	(void)state;
	assert_string_equal(json("gw"), "\"gw\"");
	assert_string_equal(json("a\"b\\c"), "\"a\\\"b\\\\c\"");
	assert_string_equal(json("a\nb\x7f"), "\"a\\u000ab\\u007f\"");
	assert_string_equal(json("\xe2\x80\xae"), "\"\\u202e\"");
	assert_string_equal(json("\xc3\xbc"), "\"\xc3\xbc\"");
	assert_string_equal(json("a\xff"), "\"a\\\\xff\"");
	assert_string_equal(
		json("\xf3\xa0\x81\x81"), "\"\\\\xf3\\\\xa0\\\\x81\\\\x81\"");
}

static void
a_long_value_is_cut_between_characters(void **state)
{
	(void)state;
	assert_string_equal(value("abcdefgh", LOG_PLACE_VALUE, 8), "abcdefgh");
	assert_string_equal(value("abcdefghi", LOG_PLACE_VALUE, 8), "abcde...");
	assert_string_equal(
		value("a bcdefgh", LOG_PLACE_VALUE, 9), "\"a bc...\"");
	assert_string_equal(
		value("ab\xff\xff", LOG_PLACE_VALUE, 10), "\"ab...\"");
	assert_string_equal(
		value("ab\xff\xff", LOG_PLACE_VALUE, 12), "\"ab\\xff\\xff\"");
	assert_string_equal(
		value("a\xe2\x82\xac\xe2\x82\xac", LOG_PLACE_JSON, 8),
		"\"a...\"");
	assert_string_equal(value("\n\n\n", LOG_PLACE_JSON, 5), "\"...\"");
}

static void
what_does_not_fit_is_not_put(void **state)
{
	char bytes[8];
	struct log_line line = {.bytes = bytes, .size = sizeof bytes};

	(void)state;
	log_line_put(&line, "12345678");
	assert_false(line.is_full);
	log_line_put(&line, "");
	assert_false(line.is_full);
	log_line_put(&line, "9");
	assert_true(line.is_full);
	assert_int_equal(line.len, 8);
	line.len = 4;
	log_line_put(&line, "x");
	assert_int_equal(line.len, 4); /* once full, always full */
	line.is_full = false;
	log_line_put_bytes(&line, "y\0", 2);
	assert_memory_equal(bytes,
		"1234y\0"
		"78",
		8);
}

static void
numbers_are_decimal(void **state)
{
	char bytes[64];
	struct log_line line = {.bytes = bytes, .size = sizeof bytes};

	(void)state;
	log_line_put_number(&line, UINT64_MAX);
	log_line_put(&line, " ");
	log_line_put_number(&line, 0);
	assert_int_equal(line.len, 22);
	assert_memory_equal(bytes, "18446744073709551615 0", 22);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_values_need_no_quotes),
		cmocka_unit_test(ambiguous_values_are_quoted),
		cmocka_unit_test(a_peer_cannot_end_a_value_or_a_line),
		cmocka_unit_test(bytes_that_are_no_utf8_are_escaped),
		cmocka_unit_test(unseen_characters_are_escaped),
		cmocka_unit_test(
			a_message_keeps_its_quotes_but_not_its_controls),
		cmocka_unit_test(json_is_always_quoted_and_always_valid),
		cmocka_unit_test(a_long_value_is_cut_between_characters),
		cmocka_unit_test(what_does_not_fit_is_not_put),
		cmocka_unit_test(numbers_are_decimal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
