#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/*
 * Where a listener's connections go. A host name means the addresses that the
 * resolver process found last; a numeric or unix address means itself.
 */
#define BACKEND_ADDRESSES_MAX 16

struct backend {
	struct addr configured;
	struct addr *resolved; /* NULL: it means itself, or nothing yet */
	size_t n_addresses;    /* 0: a host name without an address now */
};

void backend_init(struct backend *backend, const struct addr *configured);
void backend_done(struct backend *backend);

/* Takes in what HOST:PORT means now, if that is this backend's name. An empty
 * answer is ignored when there was a better one: a name server that is away
 * for a minute must not take the service with it. */
void backend_resolved(struct backend *backend, const char *host, uint16_t port,
	const struct addr *addresses, size_t n);

/* The ATTEMPTth (from 0), borrowed until the next answer; NULL beyond the last.
 */
const struct addr *backend_address(
	const struct backend *backend, size_t attempt);

/*
 * Starts a non-blocking connect to the ATTEMPTth address. Returns
 * the descriptor, or -1 with errno; ENXIO: there is no such address.
 */
int backend_dial(const struct backend *backend, size_t attempt);

/* Is that address on this machine? False also when it is there no more. */
bool backend_is_local(const struct backend *backend, size_t attempt);
