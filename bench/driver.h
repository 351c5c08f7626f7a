#pragma once

#include <stddef.h>

struct driver_results;
struct plan;

/* Words between a driver and the parent. */
#define DRIVER_READY 'r' /* driver: warmed up, all connections are there */
#define DRIVER_GO    'g' /* parent */
#define DRIVER_DONE  'd' /* driver: tally and samples are complete */
#define DRIVER_END   'e' /* parent */

/*
 * Drives the clients of one process, member NUMBER of the plan, as the words
 * from CONTROL say. A sample is the time of an exchange, in turnover from the
 * connect on. Returns 0, or 1 after a line on stderr.
 */
int driver_run(const struct plan *plan, size_t number, int control,
	struct driver_results *results);
