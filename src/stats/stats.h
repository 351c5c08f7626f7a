#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/*
 * The numbers of one worker in memory that it shares with the supervisor.
 * The worker alone writes (relaxed stores: single writer), others read. Fixed
 * layout, no text, no I/O. Survives the worker: counters of a crashed worker
 * are not lost.
 */
enum stats_counter {
	STATS_ACCEPTED,          /* sockets taken from a listening socket */
	STATS_HANDSHAKES,        /* finished well */
	STATS_HANDSHAKES_FAILED, /* refused or broken off */
	STATS_RESUMED,
	STATS_PROBES,         /* went away without a byte */
	STATS_BACKEND_FAILED, /* no backend connection came about */
	STATS_CLOSED,         /* every end of a connection */
	STATS_BYTES_UP,       /* client to backend, plaintext */
	STATS_BYTES_DOWN,
	STATS_ACCEPT_PAUSED, /* descriptors or connections ran out */
	STATS_N_COUNTERS
};

enum stats_gauge {
	STATS_CONNECTIONS, /* all that have a descriptor */
	STATS_HANDSHAKING,
	STATS_N_GAUGES
};

struct stats;

/* Shared memory in a memfd that the caller owns. */
int stats_create_fd(struct error *err);

/* Maps FD; the descriptor may be closed afterwards. NULL with ERR. */
struct stats *stats_map(int fd, struct error *err);
void stats_unmap(struct stats **stats);

void stats_count(struct stats *stats, enum stats_counter which, uint64_t n);
void stats_set(struct stats *stats, enum stats_gauge which, uint64_t n);
uint64_t stats_get(const struct stats *stats, enum stats_counter which);
uint64_t stats_get_gauge(const struct stats *stats, enum stats_gauge which);
