#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/ini_source.h"
#include "conf/report.h"

/* What a walk found, as text: one line for each entry, then the report. */
struct seen {
	char *text;
	size_t len;
	FILE *out;
};

static void
note(const struct ini_entry *entry, void *arg)
{
	struct seen *seen = arg;

	(void)fprintf(
		seen->out, "%u %s/%s", entry->line, entry->type, entry->name);
	if (entry->key != NULL)
		(void)fprintf(seen->out, " %s%s<%s>", entry->key,
			entry->continues ? "+" : "=", entry->value);
	else
		assert_null(entry->value);
	(void)fputc('\n', seen->out);
}

static char *
walk(const char *text, size_t len)
{
	struct seen seen = {0};
	struct report *report = report_new();
	struct ini_source *source =
		ini_source_new("t", text, len, note, &seen, report);

	seen.out = open_memstream(&seen.text, &seen.len);
	assert_non_null(seen.out);
	while (ini_source_step(source))
		continue;
	ini_source_free(&source);
	assert_null(source);
	report_print(report, seen.out);
	(void)fclose(seen.out);
	report_free(&report);
	return seen.text;
}

static void
assert_walk_bytes(const char *text, size_t len, const char *wanted)
{
	char *seen = walk(text, len);

	assert_string_equal(seen, wanted);
	free(seen);
}

static void
assert_walk(const char *text, const char *wanted)
{
	assert_walk_bytes(text, strlen(text), wanted);
}

static void
entries_come_in_order_with_their_lines(void **state)
{
	(void)state;
	assert_walk("# a file\n\n[sallyport]\nworkers = 2\n\n"
		    "[listener gw]\nlisten=*:1\n; no\nbackend = x:2 ; yes\n"
		    "[defaults]\n",
		"3 sallyport/\n"
		"4 sallyport/ workers=<2>\n"
		"6 listener/gw\n"
		"7 listener/gw listen=<*:1>\n"
		"9 listener/gw backend=<x:2>\n"
		"10 defaults/\n");
}

static void
nothing_at_all_has_no_entries(void **state)
{
	(void)state;
	assert_walk_bytes(NULL, 0, "");
	assert_walk("\n\n  \n#\n", "");
}

static void
the_last_line_needs_no_newline(void **state)
{
	(void)state;
	assert_walk("[a]\nb = c", "1 a/\n2 a/ b=<c>\n");
	assert_walk("[a]", "1 a/\n");
}

static void
line_ends_of_windows_and_a_byte_order_mark_are_skipped(void **state)
{
	(void)state;
	assert_walk("\xef\xbb\xbf[a]\r\nb = c\r\n\r\n d\r\n",
		"1 a/\n2 a/ b=<c>\n4 a/ b+<d>\n");
	assert_walk("[a]\n\xef\xbb\xbf"
		    "b = c\n",
		"1 a/\n"
		"t:2: [a] line is not \"key = value\": a key may hold letters, "
		"digits, \"-\", \"_\" and \".\" only\n");
}

static void
a_deeper_line_continues_the_key_above(void **state)
{
	(void)state;
	assert_walk("[a]\nb = 1\n\t2 ; two\n# no\n\n   3 # x\n  ; no\nc = 4\n",
		"1 a/\n"
		"2 a/ b=<1>\n"
		"3 a/ b+<2>\n"
		"6 a/ b+<3 # x>\n"
		"8 a/ c=<4>\n");
	assert_walk("[a]\nb =\n  [::1]:80\n  x=y\n",
		"1 a/\n2 a/ b=<>\n3 a/ b+<[::1]:80>\n4 a/ b+<x=y>\n");
}

static void
keys_that_are_all_indented_are_still_keys(void **state)
{
	(void)state;
	assert_walk("[a]\n  b = 1\n  c = 2\n    3\n  [d]\n  e = 4\n",
		"1 a/\n2 a/ b=<1>\n3 a/ c=<2>\n4 a/ c+<3>\n"
		"5 d/\n6 d/ e=<4>\n");
}

static void
keys_before_any_header_are_refused(void **state)
{
	(void)state;
	assert_walk("a = b\n[c]\nd = e\n",
		"2 c/\n3 c/ d=<e>\n"
		"t:1: key before the first section header\n");
}

static void
keys_below_a_refused_header_land_nowhere(void **state)
{
	(void)state;
	assert_walk("[a]\nb = 1\n[c\nd = 2\n  3\nno pair\n[e]\nf = 4\n",
		"1 a/\n2 a/ b=<1>\n7 e/\n8 e/ f=<4>\n"
		"t:3: section header has no closing \"]\"\n");
	assert_walk("[a]\n[listener x y]\nd = 2\n",
		"1 a/\n"
		"t:2: name of a section may hold letters, digits, \"-\", "
		"\"_\" and \".\" only\n");
	assert_walk("[a]\n[b] c\nd = 2\n",
		"1 a/\nt:2: text after the section header\n");
	assert_walk_bytes("[a]\n[b\0]\nd = 2\n", 15,
		"1 a/\nt:2: line holds a NUL byte\n");
}

static void
an_indented_header_is_not_taken_for_a_value(void **state)
{
	(void)state;
	assert_walk("[a]\nb = 1\n  [c]\nd = 2\n",
		"1 a/\n2 a/ b=<1>\n"
		"t:3: section header must not be indented\n");
	assert_walk("[a]\nb = 1\n  [c\nd = 2\n",
		"1 a/\n2 a/ b=<1>\n"
		"t:3: section header must not be indented\n");
}

static void
the_walk_goes_on_after_each_bad_line(void **state)
{
	static const char text[] = "[a]\nb = 1\0\n  2\nc\n  3\n= 4\nd = "
				   "5\n  \001\n  6\ne\033 = 7\nf = 8\n";

	(void)state;
	assert_walk_bytes(text, sizeof text - 1,
		"1 a/\n7 a/ d=<5>\n9 a/ d+<6>\n11 a/ f=<8>\n"
		"t:2: [a] line holds a NUL byte\n"
		"t:4: [a] line is not \"key = value\"\n"
		"t:6: [a] line is not \"key = value\"\n"
		"t:8: [a] line holds a control character (0x01)\n"
		"t:10: [a] line holds a control character (0x1b)\n");
}

/* PREFIX, N times 'x', SUFFIX. */
static char *
with_run(const char *prefix, size_t n, const char *suffix)
{
	char *run = xcalloc(1, n + 1);
	char *text;

	memset(run, 'x', n);
	text = xasprintf("%s%s%s", prefix, run, suffix);
	free(run);
	return text;
}

static void
the_longest_line_is_198_bytes(void **state)
{
	char *text = with_run("[a]\n b  =  ", 196, " ; comment\n  c\nd = e");
	char *wanted =
		with_run("1 a/\n2 a/ b=<", 196, ">\n3 a/ b+<c>\n4 a/ d=<e>\n");

	(void)state;
	assert_walk(text, wanted);
	free(text);
	free(wanted);

	text = with_run("[a]\nb=", 197, "\n  c\nd = e");
	assert_walk(text, "1 a/\n4 a/ d=<e>\n"
			  "t:2: [a] line is longer than 198 bytes\n");
	free(text);
}

static void
the_longest_continuation_is_as_long(void **state)
{
	char *text = with_run("[a]\nb=\n  ", 197, "\n");
	char *wanted = with_run("1 a/\n2 a/ b=<>\n3 a/ b+<", 197, ">\n");

	(void)state;
	assert_walk(text, wanted);
	free(text);
	free(wanted);

	text = with_run("[a]\nb=\n  ", 198, "\n  c\n");
	assert_walk(text, "1 a/\n2 a/ b=<>\n4 a/ b+<c>\n"
			  "t:3: [a] line is longer than 198 bytes\n");
	free(text);
}

static void
a_megabyte_in_a_line_is_one_error(void **state)
{
	char *text = with_run("[a]\nb=", 1024 * 1024, "\nc = d\n");

	(void)state;
	assert_walk(text,
		"1 a/\n3 a/ c=<d>\nt:2: [a] line is longer than 198 bytes\n");
	free(text);
	text = with_run("[a]\n[", 1024 * 1024, "]\nc = d\n");
	assert_walk(
		text, "1 a/\nt:2: section header is longer than 49 bytes\n");
	free(text);
	text = with_run("[a]\n#", 1024 * 1024, "\nc = d\n");
	assert_walk(text, "1 a/\n3 a/ c=<d>\n");
	free(text);
}

static void
names_of_49_bytes_are_whole_and_longer_ones_refused(void **state)
{
	char *text = with_run("[a]\n", 49, " = b\n");
	char *wanted = with_run("1 a/\n2 a/ ", 49, "=<b>\n");

	(void)state;
	assert_walk(text, wanted);
	free(text);
	free(wanted);
	text = with_run("[a]\n", 50, " = b\n  c\nd = e\n");
	assert_walk(text,
		"1 a/\n4 a/ d=<e>\nt:2: [a] key is longer than 49 bytes\n");
	free(text);
	text = with_run("[a]\n[b ", 48, "]\nc = d\n");
	assert_walk(
		text, "1 a/\nt:2: section header is longer than 49 bytes\n");
	free(text);
}

static void
garbage_yields_errors_and_no_entries(void **state)
{
	char bytes[8192];
	uint32_t random = 1;
	char *seen;

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++) {
		random = random * 1664525U + 1013904223U;
		bytes[i] = (char)(random >> 24);
	}
	seen = walk(bytes, sizeof bytes);
	assert_int_equal(strncmp(seen, "t:1: ", 5), 0);
	free(seen);
}

/* Every cut of a text must be walked without reading past its end. */
static void
every_beginning_of_a_file_can_be_walked(void **state)
{
	static const char text[] = "\xef\xbb\xbf# x\r\n[listener gw] ; c\n"
				   "listen = *:1 ; d\n  [::1]:2\nx\n[y\n";

	(void)state;
	for (size_t len = 0; len < sizeof text; len++) {
		char *copy = xcalloc(1, len == 0 ? 1 : len);

		memcpy(copy, text, len);
		free(walk(copy, len));
		free(copy);
	}
}

static void
count(const struct ini_entry *entry, void *arg)
{
	(void)entry;
	++*(int *)arg;
}

/* And what stands before the first one. */
static void
a_step_goes_up_to_the_next_section(void **state)
{
	static const char text[] = "; hello\n[a]\nx = 1\n  [::1]:2\n\n"
				   "[b]\n[c]\ny = 1\nz = 1";
	static const int entries[] = {0, 3, 4, 7};
	struct report *report = report_new();
	int seen = 0;
	struct ini_source *source = ini_source_new(
		"t", text, sizeof text - 1, count, &seen, report);

	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(ini_source_step(source), i < 3);
		assert_int_equal(seen, entries[i]);
	}
	assert_int_equal(report_errors(report), 0);
	ini_source_free(&source);
	report_free(&report);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_step_goes_up_to_the_next_section),
		cmocka_unit_test(entries_come_in_order_with_their_lines),
		cmocka_unit_test(nothing_at_all_has_no_entries),
		cmocka_unit_test(the_last_line_needs_no_newline),
		cmocka_unit_test(
			line_ends_of_windows_and_a_byte_order_mark_are_skipped),
		cmocka_unit_test(a_deeper_line_continues_the_key_above),
		cmocka_unit_test(keys_that_are_all_indented_are_still_keys),
		cmocka_unit_test(keys_before_any_header_are_refused),
		cmocka_unit_test(keys_below_a_refused_header_land_nowhere),
		cmocka_unit_test(an_indented_header_is_not_taken_for_a_value),
		cmocka_unit_test(the_walk_goes_on_after_each_bad_line),
		cmocka_unit_test(the_longest_line_is_198_bytes),
		cmocka_unit_test(the_longest_continuation_is_as_long),
		cmocka_unit_test(a_megabyte_in_a_line_is_one_error),
		cmocka_unit_test(
			names_of_49_bytes_are_whole_and_longer_ones_refused),
		cmocka_unit_test(garbage_yields_errors_and_no_entries),
		cmocka_unit_test(every_beginning_of_a_file_can_be_walked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
