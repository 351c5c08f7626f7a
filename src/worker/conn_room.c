/* How many connections a worker has descriptors for. */
#include "worker/conn_room.h"

#include "base/fd.h"
#include "base/log.h"

/* What a worker needs for itself: standard streams, the loop, the channel,
 * bundles, and a message full of descriptors. */
#define OWN_DESCRIPTORS 32

/* Fewer than any service wants, when nobody said how many. */
#define FEW 16

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

bool
conn_room_is_short(const struct conn_room *room, size_t size)
{
	return size < (room->wanted == 0 ? FEW : room->wanted);
}

void
conn_room_log_short(const struct conn_room *room, size_t size)
{
	const struct log_field fields[] = {
		{.key = "connections", .number = size},
		{.key = "max_connections", .number = room->wanted},
		{.key = "open_files", .number = room->descriptors},
	};

	log_event(LOG_LEVEL_WARN,
		"the limit on open files leaves room for few connections",
		fields, sizeof fields / sizeof fields[0]);
}
