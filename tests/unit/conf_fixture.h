#pragma once

#include "conf/file_source.h"
#include "conf/report.h"
#include "conf/settings.h"

/*
 * Settings loaded from a text, for unit tests. The file is called "t.ini" in
 * all findings: it is read from a bundle that holds nothing else.
 */
struct loaded {
	struct settings *settings;
	struct report *report;
	struct file_source *source;
};

struct loaded load(const char *text);
void unload(struct loaded *l);

/* The report as it is printed. */
void assert_findings(const struct loaded *l, const char *wanted);

/* All that loading TEXT finds. */
void assert_load(const char *text, const char *wanted);
