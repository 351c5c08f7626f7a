#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/fd.h"
#include "conf/report.h"

static char *
printed(const struct report *report)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	report_print(report, out);
	(void)fclose(out);
	return text;
}

static void
assert_printed(const struct report *report, const char *wanted)
{
	char *text = printed(report);

	assert_string_equal(text, wanted);
	free(text);
}

static void
assert_count(const struct report *report, const char *wanted)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	report_print_count(report, "configuration not loaded", out);
	(void)fclose(out);
	assert_string_equal(text, wanted);
	free(text);
}

static void
add(struct report *report, enum report_severity severity, unsigned line,
	const char *section, const char *text)
{
	const struct conf_pos pos = {.file = "t.ini", .line = line};

	report_add(report, severity, &pos, section, "%s", text);
}

static void
findings_are_printed_sorted_by_place_then_discovery(void **state)
{
	struct report *report = report_new();

	(void)state;
	add(report, REPORT_ERROR, 12, "listener gw", "third");
	add(report, REPORT_WARNING, 7, "listener gw", "first");
	add(report, REPORT_ERROR, 7, NULL, "second");
	add(report, REPORT_ERROR, 0, NULL, "the whole file");
	assert_printed(report, "t.ini: the whole file\n"
			       "t.ini:7: warning: [listener gw] first\n"
			       "t.ini:7: second\n"
			       "t.ini:12: [listener gw] third\n");
	report_free(&report);
	assert_null(report);
}

static void
further_lines_of_a_finding_are_indented(void **state)
{
	struct report *report = report_new();

	(void)state;
	add(report, REPORT_ERROR, 6, "listener gw", "one\ntwo\nthree");
	assert_printed(
		report, "t.ini:6: [listener gw] one\n    two\n    three\n");
	report_free(&report);
}

static void
the_same_finding_at_the_same_place_is_kept_once(void **state)
{
	struct report *report = report_new();

	(void)state;
	add(report, REPORT_ERROR, 6, "defaults", "bad");
	add(report, REPORT_ERROR, 6, "defaults", "bad");
	add(report, REPORT_ERROR, 7, "defaults", "bad");
	assert_int_equal(report_errors(report), 2);
	report_free(&report);
}

static void
what_two_sections_inherit_is_wrong_once(void **state)
{
	struct report *report = report_new();

	(void)state;
	add(report, REPORT_ERROR, 6, "listener a", "bad");
	add(report, REPORT_ERROR, 6, "listener b", "bad");
	add(report, REPORT_WARNING, 6, "listener b", "bad");
	assert_printed(report, "t.ini:6: [listener a] bad\n"
			       "t.ini:6: warning: [listener b] bad\n");
	report_free(&report);
}

static void
note_line(const struct report_finding *finding, void *arg)
{
	char *lines = arg;
	size_t len = strlen(lines);

	assert_string_equal(finding->file, "t.ini");
	assert_string_equal(finding->text, "bad");
	assert_string_equal(finding->section, finding->line == 3 ? "" : "s");
	lines[len] = (char)('0' + finding->line);
	lines[len + 1] = finding->severity == REPORT_ERROR ? 'e' : 'w';
}

static void
a_walk_meets_all_findings_sorted(void **state)
{
	struct report *report = report_new();
	char lines[16] = "";

	(void)state;
	report_walk(report, note_line, lines);
	assert_string_equal(lines, "");
	add(report, REPORT_WARNING, 7, "s", "bad");
	add(report, REPORT_ERROR, 3, NULL, "bad");
	add(report, REPORT_ERROR, 7, "s", "bad");
	report_walk(report, note_line, lines);
	assert_string_equal(lines, "3e7w7e");
	report_free(&report);
}

static void
control_bytes_cannot_reach_a_terminal(void **state)
{
	struct report *report = report_new();

	(void)state;
	add(report, REPORT_ERROR, 1, "a\033b", "c\033[31m\rd\x7f");
	assert_printed(report, "t.ini:1: [a?b] c?[31m?d?\n");
	report_free(&report);
}

static void
the_closing_count_speaks_in_numbers(void **state)
{
	struct report *report = report_new();

	(void)state;
	assert_count(report,
		"sallyport: no errors, no warnings; configuration not "
		"loaded\n");
	add(report, REPORT_ERROR, 1, NULL, "a");
	add(report, REPORT_WARNING, 2, NULL, "b");
	assert_count(report,
		"sallyport: 1 error, 1 warning; configuration not loaded\n");
	add(report, REPORT_ERROR, 3, NULL, "c");
	add(report, REPORT_WARNING, 4, NULL, "d");
	assert_count(report,
		"sallyport: 2 errors, 2 warnings; configuration not "
		"loaded\n");
	assert_int_equal(report_warnings(report), 2);
	report_free(&report);
}

static void
findings_beyond_a_thousand_are_only_counted(void **state)
{
	struct report *report = report_new();
	char *text;

	(void)state;
	for (unsigned i = 1; i <= 1010; i++)
		add(report, REPORT_ERROR, i, NULL, "x");
	assert_int_equal(report_errors(report), 1010);
	text = printed(report);
	assert_non_null(strstr(text, "t.ini:1000: x\nsallyport: 10 more"));
	free(text);
	report_free(&report);
}

static void
a_report_travels_through_a_descriptor(void **state)
{
	struct report *from = report_new();
	struct report *to = report_new();
	int fd;

	(void)state;
	add(from, REPORT_WARNING, 9, "listener a", "one\ntwo");
	add(from, REPORT_ERROR, 3, NULL, "three");
	add(to, REPORT_ERROR, 4, NULL, "mine");
	fd = report_to_fd(from, NULL);
	assert_true(fd >= 0);
	assert_int_equal(report_merge_fd(to, fd, NULL), 0);
	/* Twice is the same as once: a worker like all others. */
	assert_int_equal(report_merge_fd(to, fd, NULL), 0);
	report_merge(to, from);
	assert_printed(to, "t.ini:3: three\n"
			   "t.ini:4: mine\n"
			   "t.ini:9: warning: [listener a] one\n    two\n");
	assert_int_equal(report_errors(to), 2);
	assert_int_equal(report_warnings(to), 1);
	fd_close(&fd);
	report_free(&from);
	report_free(&to);
}

/* Merges BYTES; the report must be as it was when that fails. */
static int
merge_bytes(const char *bytes, size_t len)
{
	struct report *report = report_new();
	int fd = fd_sealed_memfd("t", bytes, len, NULL);
	struct error err = {{0}};
	int rc;

	assert_true(fd >= 0);
	rc = report_merge_fd(report, fd, &err);
	if (rc < 0) {
		assert_int_equal(report_errors(report), 0);
		assert_int_equal(report_warnings(report), 0);
		assert_string_not_equal(err.text, "");
	}
	fd_close(&fd);
	report_free(&report);
	return rc;
}

static void
a_report_cut_or_bent_anywhere_is_refused_or_harmless(void **state)
{
	struct report *from = report_new();
	char *bytes = NULL;
	size_t len = 0;
	int fd;

	(void)state;
	add(from, REPORT_WARNING, 9, "listener a", "text");
	add(from, REPORT_ERROR, 3, NULL, "three");
	fd = report_to_fd(from, NULL);
	assert_int_equal(fd_read_all(fd, 4096, &bytes, &len, NULL), 0);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(merge_bytes(bytes, cut), -1);
	for (size_t i = 0; i < len; i++) {
		char good = bytes[i];

		bytes[i] = (char)(good ^ 0x80);
		(void)merge_bytes(bytes, len);
		bytes[i] = '\xff';
		(void)merge_bytes(bytes, len);
		bytes[i] = good;
	}
	assert_int_equal(merge_bytes(bytes, len), 0);
	free(bytes);
	fd_close(&fd);
	report_free(&from);
}

static void
freeing_no_report_is_fine(void **state)
{
	struct report *report = NULL;

	(void)state;
	report_free(&report);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			findings_are_printed_sorted_by_place_then_discovery),
		cmocka_unit_test(further_lines_of_a_finding_are_indented),
		cmocka_unit_test(
			the_same_finding_at_the_same_place_is_kept_once),
		cmocka_unit_test(what_two_sections_inherit_is_wrong_once),
		cmocka_unit_test(a_walk_meets_all_findings_sorted),
		cmocka_unit_test(control_bytes_cannot_reach_a_terminal),
		cmocka_unit_test(the_closing_count_speaks_in_numbers),
		cmocka_unit_test(findings_beyond_a_thousand_are_only_counted),
		cmocka_unit_test(a_report_travels_through_a_descriptor),
		cmocka_unit_test(
			a_report_cut_or_bent_anywhere_is_refused_or_harmless),
		cmocka_unit_test(freeing_no_report_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
