#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/hash_index.h"
#include "base/log.h"
#include "worker/parking.h"

struct listener;
struct tls_stock;

/* What a generation consists of: for itself, and for who builds it. */
struct generation {
	uint64_t number;
	struct parking sockets;
	struct parking outputs;
	struct listener **listeners;
	size_t n_listeners;
	struct hash_index by_name;
	struct tls_stock *stock; /* NULL: not built */
	enum log_format log_format;
	enum log_level log_level;
};

/* NULL: there is none of that name. */
struct listener *generation_find_listener(
	const struct generation *generation, const char *name);
