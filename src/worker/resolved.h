#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "proxy/backend.h"

struct message;

/* What MESSAGE_RESOLVED says: the addresses of a backend's host name. */
struct resolved {
	char host[ADDR_NAME_MAX + 1];
	uint16_t port;
	struct addr addresses[BACKEND_ADDRESSES_MAX];
	size_t n; /* of them; 0: the name has none */
};

/* False if M is not what it should be; OUT is undefined then. */
bool resolved_read(struct message *m, struct resolved *out);
