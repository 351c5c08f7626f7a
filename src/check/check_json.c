/* Findings for machines. */
#include "check/check_json.h"

#include <stddef.h>

#include "check/check_text.h"
#include "conf/report.h"

static void
put_text(const char *text, FILE *out)
{
	check_text_put(text, LOG_PLACE_JSON, out);
}

static const char *
severity_name(enum report_severity severity)
{
	switch (severity) {
	case REPORT_WARNING:
		return "warning";
	case REPORT_ERROR:
		return "error";
	}
	return "error";
}

struct findings {
	FILE *out;
	size_t n;
};

static void
put_finding(const struct report_finding *finding, void *arg)
{
	struct findings *findings = arg;
	FILE *out = findings->out;

	(void)fprintf(out, "%s{\"severity\":\"%s\",\"file\":",
		findings->n++ > 0 ? "," : "", severity_name(finding->severity));
	put_text(finding->file, out);
	(void)fprintf(out, ",\"line\":%u,\"section\":", finding->line);
	put_text(finding->section, out);
	(void)fputs(",\"text\":", out);
	put_text(finding->text, out);
	(void)fputc('}', out);
}

void
check_json_print(const struct report *report, const char *path, FILE *out)
{
	struct findings findings = {.out = out};

	(void)fputs("{\"file\":", out);
	put_text(path, out);
	(void)fprintf(out, ",\"errors\":%zu,\"warnings\":%zu,\"findings\":[",
		report_errors(report), report_warnings(report));
	report_walk(report, put_finding, &findings);
	(void)fputs("]}\n", out);
}
