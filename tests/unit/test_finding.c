#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf/report.h"
#include "supervisor/finding.h"

/* What FINDING looks like as a line, without the stamp. */
static void
assert_logged(const struct report_finding *finding, const char *wanted)
{
	char line[LOG_LINE_MAX] = "";
	int before = dup(STDERR_FILENO);
	FILE *out = tmpfile();

	assert_non_null(out);
	assert_true(dup2(fileno(out), STDERR_FILENO) >= 0);
	log_open("supervisor", LOG_FORMAT_TEXT, LOG_LEVEL_NOTICE);
	finding_log(LOG_LEVEL_ERROR, "wrong", finding);
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	(void)close(before);
	rewind(out);
	assert_non_null(fgets(line, sizeof line, out));
	(void)fclose(out);
	assert_non_null(strstr(line, " error supervisor["));
	assert_non_null(strstr(line, "] "));
	assert_string_equal(strstr(line, "] ") + 2, wanted);
}

static void
a_finding_has_its_place(void **state)
{
	const struct report_finding finding = {
		.severity = REPORT_ERROR,
		.file = "/etc/s.ini",
		.line = 7,
		.section = "listener gw",
		.text = "no such key",
	};

	(void)state;
	assert_logged(&finding, "wrong file=/etc/s.ini line=7 "
				"section=\"listener gw\" "
				"detail=\"no such key\"\n");
}

static void
what_has_no_line_or_section_says_none(void **state)
{
	const struct report_finding finding = {
		.severity = REPORT_ERROR,
		.file = "/etc/s.ini",
		.line = 0,
		.section = "",
		.text = "missing",
	};

	(void)state;
	assert_logged(&finding, "wrong file=/etc/s.ini detail=missing\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_finding_has_its_place),
		cmocka_unit_test(what_has_no_line_or_section_says_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
