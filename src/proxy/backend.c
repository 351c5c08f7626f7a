/* Where a listener's connections go. */
#include "proxy/backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/connect.h"

static void
set_addresses(struct backend *backend, const struct addr *addresses, size_t n)
{
	free(backend->addresses);
	backend->addresses = xcalloc(n, sizeof *addresses);
	memcpy(backend->addresses, addresses, n * sizeof *addresses);
	backend->n_addresses = n;
}

void
backend_init(struct backend *backend, const struct addr *configured)
{
	*backend = (struct backend){.configured = *configured};
	if (configured->kind != ADDR_HOST)
		set_addresses(backend, configured, 1);
}

void
backend_done(struct backend *backend)
{
	free(backend->addresses);
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
	if (n > 0)
		set_addresses(backend, addresses, n);
}

int
backend_dial(const struct backend *backend, size_t attempt)
{
	if (attempt >= backend->n_addresses) {
		errno = ENXIO;
		return -1;
	}
	return connect_start(&backend->addresses[attempt]);
}

bool
backend_is_local(const struct backend *backend, size_t attempt)
{
	return attempt < backend->n_addresses &&
	       addr_is_local(&backend->addresses[attempt]);
}
