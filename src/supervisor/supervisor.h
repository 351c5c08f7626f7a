#pragma once

/*
 * The supervisor: reads the configuration, owns the listening sockets and the
 * children, and never sees a peer's byte.
 *
 * A start is the first reload: load a generation, stage it in every worker,
 * commit when all have it. SIGTERM and SIGINT drain, a second one stops at
 * once; SIGHUP reloads; SIGUSR2 has the binary that is at our path now take
 * over.
 */

struct supervisor_options {
	const char *path; /* of the configuration */
	char **argv;      /* main()'s, for another binary in our place */
};

/* Runs in the foreground until stopped. Returns the exit status: 0 after a
 * stop, 1 when there was no start. */
int supervisor_main(const struct supervisor_options *options);
