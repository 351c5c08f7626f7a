#pragma once

#include <stddef.h>

/* Descriptors on their way to whom they are for: each to the listener of its
 * name, or to whoever writes to the file of its path. */
struct parked {
	char *name;
	int fd; /* -1: it was fetched */
};

struct parking {
	struct parked *items;
	size_t n;
};

/* Takes FD; copies NAME. PARKING is zero-initialised. */
void parking_add(struct parking *parking, const char *name, int fd);

/* Closes what nobody fetched. */
void parking_done(struct parking *parking);
