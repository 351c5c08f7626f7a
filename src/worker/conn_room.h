#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * How many connections a worker has descriptors for. The channel must never
 * run short: a message whose descriptors do not fit is the end of it. The
 * storage is the caller's.
 */
struct conn_room {
	size_t descriptors; /* RLIMIT_NOFILE */
	size_t wanted;      /* connections, as asked for; 0: no wish */
};

/* Raises the process's limit of descriptors as far as it goes. */
void conn_room_init(struct conn_room *room, size_t wanted);

/* Connections, at least one: two descriptors for each, beside our own, the
 * SOCKETS that listen and those of a next generation. */
size_t conn_room_size(const struct conn_room *room, size_t sockets);

/* Is SIZE less than was asked for, or, without a wish, next to nothing? */
bool conn_room_is_short(const struct conn_room *room, size_t size);

/* Warns of that in the log: nobody else would miss the connections that wait
 * in the kernel's queue. */
void conn_room_log_short(const struct conn_room *room, size_t size);
