#pragma once

#include <netinet/in.h>
#include <stddef.h>

struct plan;

/*
 * Where the connections of one process come from and go to: ports and server
 * names take turns. The storage is the caller's, zeroed but for the first two.
 */
struct route {
	const struct plan *plan;
	size_t number; /* of the process */
	size_t turn;   /* which port and name come next */
	char name[48];
};

/* One connection's way; *NAME_OUT is NULL where there are no names, else it
 * holds until the next call. */
void route_next(struct route *route, struct sockaddr_in *source_out,
	struct sockaddr_in *target_out, char **name_out);
