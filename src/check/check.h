#pragma once

#include <stdbool.h>

struct file_source;
struct report;

/*
 * `sallyport check`: everything that a start would find, and what clients
 * would find after it; no service. Runs as the user who calls it, reads the
 * files itself and builds every TLS context in this process, which then ends.
 */
struct check_options {
	const char *path;
	const char *listener; /* only that one and its names; NULL: all */
	bool strict;          /* warnings are fatal */
	bool json;            /* findings as one JSON object on stdout */
	bool print;           /* the effective settings on stdout */
};

/* Prints all findings and the closing count to stderr, unless JSON. Returns
 * the exit status: 0 fine, 1 errors (or warnings, if STRICT). */
int check_main(const struct check_options *options);

/* Adds to REPORT what loading PATH and building its contexts finds: all that
 * a start would stop at. */
void check_all(const char *path, struct report *report);

/* A source of what PATH names that leaves nothing behind, and has what a start
 * would make: for looking, not for serving. The caller frees. */
struct file_source *check_files(const char *path);
