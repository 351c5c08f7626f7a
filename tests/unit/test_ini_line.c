#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "conf/ini_line.h"

static void
assert_text(const char *bytes, size_t indent, const char *wanted)
{
	struct ini_line line;

	assert_int_equal(ini_line_parse(bytes, strlen(bytes), &line, NULL), 0);
	assert_int_equal(line.indent, indent);
	assert_int_equal(line.len, strlen(wanted));
	assert_memory_equal(line.text, wanted, line.len);
}

static void
blanks_comments_and_line_ends_are_taken_off(void **state)
{
	(void)state;
	assert_text("", 0, "");
	assert_text(" \t ", 3, "");
	assert_text("; comment", 0, "");
	assert_text("  # comment", 2, "");
	assert_text("a = b", 0, "a = b");
	assert_text("\ta = b  \r", 1, "a = b");
	assert_text("a = b ; comment ; more", 0, "a = b");
	assert_text("a = b\t;comment", 0, "a = b");
	assert_text("a = b;c # d", 0, "a = b;c # d");
	assert_text("a =;b", 0, "a =;b");
	assert_text("a = ;b", 0, "a =");
}

static void
assert_refused(const char *bytes, size_t len, const char *why)
{
	struct ini_line line;
	struct error err = {{0}};

	assert_int_equal(ini_line_parse(bytes, len, &line, &err), -1);
	assert_string_equal(err.text, why);
}

static void
bytes_that_no_text_has_are_refused(void **state)
{
	(void)state;
	assert_refused("a=\0b", 4, "line holds a NUL byte");
	assert_refused("a=b\rc", 5, "line holds a control character (0x0d)");
	assert_refused("a=\033[m", 5, "line holds a control character (0x1b)");
	assert_refused("\x7f", 1, "line holds a control character (0x7f)");
}

static void
assert_header(const char *text, const char *type, const char *name)
{
	const struct ini_line line = {.text = text, .len = strlen(text)};
	struct ini_header header;

	assert_int_equal(ini_line_split_header(&line, &header, NULL), 0);
	assert_string_equal(header.type, type);
	assert_string_equal(header.name, name);
}

static void
headers_have_a_type_and_may_have_a_name(void **state)
{
	(void)state;
	assert_header("[sallyport]", "sallyport", "");
	assert_header("[listener gw]", "listener", "gw");
	assert_header("[ listener \t g-w_1.x ]", "listener", "g-w_1.x");
	assert_header("[listener 1234567890123456789012345678901234567890]",
		"listener", "1234567890123456789012345678901234567890");
}

static void
assert_no_header(const char *text, const char *why)
{
	const struct ini_line line = {.text = text, .len = strlen(text)};
	struct ini_header header = {"untouched", "untouched"};
	struct error err = {{0}};

	assert_int_equal(ini_line_split_header(&line, &header, &err), -1);
	assert_string_equal(err.text, why);
	assert_string_equal(header.type, "untouched");
}

static void
headers_that_inih_would_cut_or_bend_are_refused(void **state)
{
	const char *form =
		"section header is not \"[type]\" or \"[type name]\"";
	const char *name = "name of a section may hold letters, digits, "
			   "\"-\", \"_\" and \".\" only";

	(void)state;
	assert_no_header("[", "section header has no closing \"]\"");
	assert_no_header("[s", "section header has no closing \"]\"");
	assert_no_header("[a] b", "text after the section header");
	assert_no_header("[a]]", "text after the section header");
	assert_no_header("[]", form);
	assert_no_header("[ ]", form);
	assert_no_header("[::1]", form);
	assert_no_header("[a-b c]", form);
	assert_no_header("[listener a b]", name);
	assert_no_header("[listener [a]", name);
	assert_no_header("[listener b\xc3\xa4]", name);
	assert_no_header("[listener 12345678901234567890123456789012345678901]",
		"section header is longer than 49 bytes");
}

static void
assert_pair(const char *text, const char *key, const char *value)
{
	const struct ini_line line = {.text = text, .len = strlen(text)};
	struct ini_pair pair;

	assert_int_equal(ini_line_split_pair(&line, &pair, NULL), 0);
	assert_int_equal(pair.key_len, strlen(key));
	assert_memory_equal(text, key, pair.key_len);
	assert_int_equal(pair.value_len, strlen(value));
	assert_memory_equal(pair.value, value, pair.value_len);
}

static void
pairs_split_at_the_first_sign(void **state)
{
	(void)state;
	assert_pair("a=b", "a", "b");
	assert_pair("a \t=\t b c", "a", "b c");
	assert_pair("listen: [::1]:80", "listen", "[::1]:80");
	assert_pair("listen = [::1]:80", "listen", "[::1]:80");
	assert_pair("ciphers = ALL:@SECLEVEL=0", "ciphers", "ALL:@SECLEVEL=0");
	assert_pair("a =", "a", "");
}

static void
assert_no_pair(const char *text, const char *why)
{
	const struct ini_line line = {.text = text, .len = strlen(text)};
	struct ini_pair pair;
	struct error err = {{0}};

	assert_int_equal(ini_line_split_pair(&line, &pair, &err), -1);
	assert_string_equal(err.text, why);
}

static void
lines_that_are_no_pairs_are_refused(void **state)
{
	(void)state;
	assert_no_pair("words", "line is not \"key = value\"");
	assert_no_pair("= value", "line is not \"key = value\"");
	assert_no_pair("backend 127.0.0.1:80",
		"line is not \"key = value\": a key may hold letters, digits, "
		"\"-\", \"_\" and \".\" only");
	assert_no_pair("a23456789012345678901234567890123456789012345678901=b",
		"key is longer than 49 bytes");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blanks_comments_and_line_ends_are_taken_off),
		cmocka_unit_test(bytes_that_no_text_has_are_refused),
		cmocka_unit_test(headers_have_a_type_and_may_have_a_name),
		cmocka_unit_test(
			headers_that_inih_would_cut_or_bend_are_refused),
		cmocka_unit_test(pairs_split_at_the_first_sign),
		cmocka_unit_test(lines_that_are_no_pairs_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
