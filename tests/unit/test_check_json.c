#include "check/check_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/report.h"

static void
assert_json(const struct report *report, const char *path, const char *wanted)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	check_json_print(report, path, out);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, wanted);
	free(text);
}

static void
no_findings_are_an_empty_list(void **state)
{
	struct report *report = report_new();

	(void)state;
	assert_json(report, "gw.ini",
		"{\"file\":\"gw.ini\",\"errors\":0,\"warnings\":0,"
		"\"findings\":[]}\n");
	report_free(&report);
}

static void
findings_come_sorted_with_their_places(void **state)
{
	struct report *report = report_new();
	const struct conf_pos whole = {.file = "gw.ini"};
	const struct conf_pos late = {.file = "gw.ini", .line = 9};

	(void)state;
	report_add(report, REPORT_WARNING, &late, "listener gw", "odd");
	report_add(report, REPORT_ERROR, &whole, NULL, "wrong");
	assert_json(report, "gw.ini",
		"{\"file\":\"gw.ini\",\"errors\":1,\"warnings\":1,"
		"\"findings\":["
		"{\"severity\":\"error\",\"file\":\"gw.ini\",\"line\":0,"
		"\"section\":\"\",\"text\":\"wrong\"},"
		"{\"severity\":\"warning\",\"file\":\"gw.ini\",\"line\":9,"
		"\"section\":\"listener gw\",\"text\":\"odd\"}]}\n");
	report_free(&report);
}

static void
what_json_cannot_hold_is_escaped(void **state)
{
	struct report *report = report_new();
	const struct conf_pos pos = {.file = "a\"b\\c", .line = 1};

	(void)state;
	report_add(report, REPORT_ERROR, &pos, NULL, "one\ntwo \xff \xc3\xa9");
	assert_json(report, "\x01\xfe",
		"{\"file\":\"\\u0001\\\\xfe\",\"errors\":1,\"warnings\":0,"
		"\"findings\":["
		"{\"severity\":\"error\",\"file\":\"a\\\"b\\\\c\",\"line\":1,"
		"\"section\":\"\",\"text\":\"one\\u000atwo \\\\xff \xc3\xa9\"}]"
		"}\n");
	report_free(&report);
}

static void
a_long_text_is_not_cut(void **state)
{
	struct report *report = report_new();
	const struct conf_pos pos = {.file = "f", .line = 1};
	char text[5001], wanted[40000];

	(void)state;
	memset(text, '\n', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	report_add(report, REPORT_ERROR, &pos, "s", "%s", text);
	(void)snprintf(wanted, sizeof wanted,
		"{\"file\":\"f\",\"errors\":1,\"warnings\":0,\"findings\":["
		"{\"severity\":\"error\",\"file\":\"f\",\"line\":1,"
		"\"section\":\"s\",\"text\":\"");
	for (size_t i = 0; i < sizeof text - 1; i++)
		memcpy(wanted + strlen(wanted), "\\u000a", 7);
	memcpy(wanted + strlen(wanted), "\"}]}\n", 6);
	assert_json(report, "f", wanted);
	report_free(&report);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_findings_are_an_empty_list),
		cmocka_unit_test(findings_come_sorted_with_their_places),
		cmocka_unit_test(what_json_cannot_hold_is_escaped),
		cmocka_unit_test(a_long_text_is_not_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
