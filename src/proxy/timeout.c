/* Configured durations as libevent likes them. */
#include "proxy/timeout.h"

#include <event2/event.h>
#include <stddef.h>

#include "base/clock.h"

void
timeout_init(struct timeout *timeout, struct event_base *base, uint64_t ms)
{
	timeout->ms = ms;
	timeout->plain = clock_tv_of_ms(ms);
	/* NULL when the base has its fill of different lengths (256): then the
	 * plain one works, only slower. */
	timeout->common =
		ms == 0 ? NULL
			: event_base_init_common_timeout(base, &timeout->plain);
}

const struct timeval *
timeout_tv(const struct timeout *timeout)
{
	if (timeout->ms == 0)
		return NULL;
	return timeout->common != NULL ? timeout->common : &timeout->plain;
}
