/* What MESSAGE_RESOLVED says. */
#include "worker/resolved.h"

#include <string.h>
#include <sys/socket.h>

#include "ipc/message.h"

bool
resolved_read(struct message *m, struct resolved *out)
{
	struct sockaddr_storage sa;
	size_t len;

	message_get_text(m, out->host, sizeof out->host);
	out->port = message_get_u16(m);
	out->n = message_get_u32(m);
	if (out->n > BACKEND_ADDRESSES_MAX)
		return false;
	for (size_t i = 0; i < out->n; i++) {
		memset(&sa, 0, sizeof sa);
		len = message_get_bytes(m, &sa, sizeof sa);
		addr_from_sockaddr((const struct sockaddr *)&sa, (socklen_t)len,
			&out->addresses[i]);
	}
	return !m->bad;
}
