#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct error;

/*
 * Everything that one reading of the configuration found wrong, so that a
 * user sees all of it in one run, sorted by place.
 *
 * Printed as   FILE:LINE: [SECTION] TEXT
 * or           FILE:LINE: warning: [SECTION] TEXT
 * Further lines of a text (after '\n') are indented by four blanks.
 */
enum report_severity { REPORT_WARNING, REPORT_ERROR };

/* A place in the configuration. FILE is borrowed and outlives the settings
 * (it lives in them); line 0 means the file as a whole. */
struct conf_pos {
	const char *file;
	unsigned line;
};

struct report;

struct report *report_new(void);
void report_free(struct report **report);

/* SECTION ("listener gw") may be NULL. Copies all it is given. The same
 * finding at the same place is kept once, with the section that was first.
 * Control bytes become '?', so that what a file holds cannot drive a terminal.
 * After the first thousand, findings are only counted. */
void report_add(struct report *report, enum report_severity severity,
	const struct conf_pos *pos, const char *section, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

size_t report_errors(const struct report *report);
size_t report_warnings(const struct report *report);

/* How often anything was added, what was there already and what was too much
 * included: has anybody said anything since? */
size_t report_additions(const struct report *report);

/* All findings, sorted by file, line and order of discovery. */
void report_print(const struct report *report, FILE *out);

struct report_finding {
	enum report_severity severity;
	const char *file;
	unsigned line;       /* 0: the file as a whole */
	const char *section; /* "" where there is none */
	const char *text;
};

/* Calls ON_FINDING with each of them, in the same order; what FINDING points
 * to lives as long as REPORT does. */
typedef void (*report_finding_fn)(
	const struct report_finding *finding, void *arg);
void report_walk(
	const struct report *report, report_finding_fn on_finding, void *arg);

/* Adds what FROM holds to REPORT. */
void report_merge(struct report *report, const struct report *from);

/*
 * "sallyport: 5 errors, 1 warning; OUTCOME", or with nothing found
 * "sallyport: no errors, no warnings; OUTCOME".
 */
void report_print_count(
	const struct report *report, const char *outcome, FILE *out);

/* For the way from a worker to the supervisor: a sealed memfd, and back.
 * report_merge_fd() adds what FD holds to REPORT and leaves FD open; bytes
 * that are no report are an error and add nothing. */
int report_to_fd(const struct report *report, struct error *err);
int report_merge_fd(struct report *report, int fd, struct error *err);
