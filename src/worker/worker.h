#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * The worker process: owns connections, knows no file and no key file, and
 * does what the supervisor says over its channel.
 *
 * Takes generations (stage, commit, abort), answers pings, drains. Ends when
 * the supervisor is gone, however that came about: nobody serves a port that
 * nobody owns.
 */
struct worker_options {
	int channel_fd;
	int stats_fd;     /* shared with the supervisor */
	int sessions_fd;  /* shared with the other workers; -1: not */
	size_t max_conns; /* of this worker; 0: what its descriptors allow */
	bool sandbox;
};

/* Returns the exit status of the process. The caller has opened the log and
 * dropped root. */
int worker_main(const struct worker_options *options);
