#pragma once

#include <stdbool.h>

struct report;

/*
 * `sallyport check`: everything that a start would find, and no service.
 * Runs as the user who calls it, reads the files itself and builds every TLS
 * context in this process, which then ends.
 */

/* Prints all findings and the closing count to stderr. Returns the exit
 * status: 0 fine, 1 errors (or warnings, if STRICT). */
int check_main(const char *path, bool strict);

/* Adds to REPORT what loading PATH and building its contexts finds. */
void check_all(const char *path, struct report *report);
