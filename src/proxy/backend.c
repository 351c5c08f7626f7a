/* Where a listener's connections go. */
#include "proxy/backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/connect.h"

void
backend_init(struct backend *backend, const struct addr *configured)
{
	*backend = (struct backend){.configured = *configured,
		.n_addresses = configured->kind != ADDR_HOST};
}

void
backend_done(struct backend *backend)
{
	free(backend->resolved);
	*backend = (struct backend){0};
}

void
backend_resolved(struct backend *backend, const char *host, uint16_t port,
	const struct addr *addresses, size_t n)
{
	if (backend->configured.kind != ADDR_HOST ||
		backend->configured.port != port ||
		strcmp(backend->configured.name, host) != 0)
		return;
	if (n == 0)
		return;
	free(backend->resolved);
	backend->resolved = xcalloc(n, sizeof *addresses);
	memcpy(backend->resolved, addresses, n * sizeof *addresses);
	backend->n_addresses = n;
}

const struct addr *
backend_address(const struct backend *backend, size_t attempt)
{
	if (attempt >= backend->n_addresses)
		return NULL;
	return backend->resolved != NULL ? &backend->resolved[attempt]
					 : &backend->configured;
}

int
backend_dial(const struct backend *backend, size_t attempt)
{
	const struct addr *address = backend_address(backend, attempt);

	if (address == NULL) {
		errno = ENXIO;
		return -1;
	}
	return connect_start(address);
}

bool
backend_is_local(const struct backend *backend, size_t attempt)
{
	const struct addr *address = backend_address(backend, attempt);

	return address != NULL && addr_is_local(address);
}
