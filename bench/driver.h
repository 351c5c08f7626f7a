#pragma once

#include <stddef.h>
#include <stdint.h>

struct plan;
struct tally;

/* Words between a driver and the parent. */
#define DRIVER_READY 'r' /* driver: warmed up, all connections are there */
#define DRIVER_GO    'g' /* parent */
#define DRIVER_DONE  'd' /* driver: tally and samples are complete */
#define DRIVER_END   'e' /* parent */

/* What a driver leaves in memory that it shares with the parent. */
struct driver_results {
	struct tally *tally;
	uint32_t *samples; /* microseconds of each exchange, see below */
	size_t samples_max;
	size_t n_samples; /* it ever took; those past the maximum are lost */
	char group[32];   /* of the last handshake: what was agreed on */
	char cipher[64];
	char signature[32];
};

/*
 * Drives the clients of one process, member NUMBER of the plan, as the words
 * from CONTROL say. A sample is the time of an exchange, in turnover from the
 * connect on. Returns 0, or 1 after a line on stderr.
 */
int driver_run(const struct plan *plan, size_t number, int control,
	struct driver_results *results);
