#pragma once

struct report;
struct settings;

/* Adds a warning to REPORT, at its place in NEXT, for each key of [sallyport]
 * that differs and that a reload cannot bring to those who run already. */
void process_change_check(const struct settings *running,
	const struct settings *next, struct report *report);
