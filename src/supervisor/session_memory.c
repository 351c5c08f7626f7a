/* What all workers remember TLS sessions in. */
#include "supervisor/session_memory.h"

#include <stddef.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "supervisor/handover.h"
#include "tls/tls_session_cache.h"

void
session_memory_init(struct session_memory *memory)
{
	struct error err;

	memory->fd = tls_session_cache_create_fd(&err);
	if (memory->fd < 0)
		log_msg(LOG_LEVEL_ERROR, "%s", err.text);
}

void
session_memory_done(struct session_memory *memory)
{
	fd_close(&memory->fd);
}

void
session_memory_take_over(
	struct session_memory *memory, struct handover *handover, bool foreign)
{
	struct handover_item *sessions =
		handover_take(handover, HANDOVER_SESSIONS);

	if (sessions != NULL && !foreign) {
		fd_close(&memory->fd);
		memory->fd = sessions->fd;
	} else if (sessions != NULL) {
		fd_close(&sessions->fd);
	}
}

void
session_memory_hand_over(
	const struct session_memory *memory, struct handover *handover)
{
	if (memory->fd >= 0)
		handover_add(handover, HANDOVER_SESSIONS, "", "", memory->fd);
}
