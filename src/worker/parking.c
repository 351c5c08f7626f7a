/* Descriptors on their way to whom they are for. */
#include "worker/parking.h"

#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"

void
parking_add(struct parking *parking, const char *name, int fd)
{
	parking->items = xreallocarray(
		parking->items, parking->n + 1, sizeof *parking->items);
	parking->items[parking->n++] =
		(struct parked){.name = xstrdup(name), .fd = fd};
}

void
parking_done(struct parking *parking)
{
	size_t i;

	for (i = 0; i < parking->n; i++) {
		free(parking->items[i].name);
		fd_close(&parking->items[i].fd);
	}
	free(parking->items);
	*parking = (struct parking){0};
}
