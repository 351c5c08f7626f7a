#include "config.h"

#include "supervisor/finding.h"

#include <stddef.h>

#include "conf/report.h"

void
finding_log(enum log_level level, const char *message,
	const struct report_finding *finding)
{
	const struct log_field fields[] = {
		{.key = "file", .text = finding->file},
		{.key = finding->line == 0 ? NULL : "line",
			.number = finding->line},
		{.key = *finding->section == '\0' ? NULL : "section",
			.text = finding->section},
		{.key = "detail", .text = finding->text},
	};

	log_event(level, message, fields, sizeof fields / sizeof fields[0]);
}
