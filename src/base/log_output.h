#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Where the lines of the log go: stderr, without ever waiting for it (but for
 * the patience below).
 *
 * Whoever reads a pipe or a terminal may stop reading; a worker that waits for
 * them serves nobody. So a line that does not fit is lost, and counted.
 *
 * Opens stderr anew for itself, so that O_NONBLOCK stays off the description
 * that other processes share. To be called before root is dropped: a pipe
 * belongs to whoever made it. Where that does not work (a file, a descriptor
 * of somebody else's) writing is as it was. Calling it again changes nothing.
 */
void log_output_open(void);

/* For a process that serves nobody itself: a line waits up to MS milliseconds
 * for a reader that is slow. Whoever let one wait in vain is not waited for
 * again until it has taken another line. 0, as at the start: never. */
void log_output_set_patience(int ms);

/* One line, whole, in one write. False: it was lost. */
bool log_output_write(const char *line, size_t len);

/* Lines lost since the last call. */
unsigned long log_output_lost(void);
