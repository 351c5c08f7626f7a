#pragma once

#include "base/log.h"

struct report_finding;

/* One line of the log for FINDING: MESSAGE with its place and its text. */
void finding_log(enum log_level level, const char *message,
	const struct report_finding *finding);
