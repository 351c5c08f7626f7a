#include "route.h"

#include <stdint.h>
#include <stdio.h>

#include "plan.h"

void
route_next(struct route *route, struct sockaddr_in *source_out,
	struct sockaddr_in *target_out, char **name_out)
{
	const struct plan *plan = route->plan;

	/* An address for each process: so none runs out of ports. */
	*source_out = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_addr.s_addr =
			htonl(INADDR_LOOPBACK + 1 + (in_addr_t)route->number)};
	*target_out = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(
			(uint16_t)(plan->port + route->turn % plan->ports))};
	*name_out = NULL;
	if (plan->names > 0) {
		(void)snprintf(route->name, sizeof route->name,
			"n%zu.bench.example",
			route->turn % (size_t)plan->names);
		*name_out = route->name;
	}
	route->turn++;
}
