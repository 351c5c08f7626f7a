/* How many connections a worker has descriptors for. */
#include "worker/conn_room.h"

#include "base/fd.h"

/* What a worker needs for itself: standard streams, the loop, the channel,
 * bundles, and a message full of descriptors. */
#define OWN_DESCRIPTORS 32

void
conn_room_init(struct conn_room *room, size_t wanted)
{
	room->descriptors = fd_raise_limit();
	room->wanted = wanted;
}

size_t
conn_room_size(const struct conn_room *room, size_t sockets)
{
	size_t own = OWN_DESCRIPTORS + 2 * sockets;
	size_t size =
		room->descriptors > own + 2 ? (room->descriptors - own) / 2 : 1;

	return room->wanted == 0 || room->wanted > size ? size : room->wanted;
}
