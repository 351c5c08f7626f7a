/* Signs of life. */
#include "supervisor/pulse.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/systemd.h"
#include "supervisor/workers.h"

/* Unless the watchdog wants them sooner. */
#define PULSE_MS 5000

struct pulse {
	struct workers *workers;
	struct event *timer;
	bool draining;
};

static void
on_timer(int fd, short what, void *arg)
{
	struct pulse *pulse = arg;
	char state[128];
	size_t silent = workers_ping(pulse->workers);

	(void)fd;
	(void)what;
	(void)snprintf(state, sizeof state,
		"STATUS=%s, %" PRIu64 " connections%s",
		pulse->draining ? "draining" : "serving",
		workers_connections(pulse->workers),
		silent == 0 ? "\nWATCHDOG=1" : "");
	systemd_notify(state);
}

struct pulse *
pulse_new(struct event_base *base, struct workers *workers)
{
	struct pulse *pulse = xcalloc(1, sizeof *pulse);
	uint64_t watchdog_ms = systemd_watchdog_us() / 1000;
	struct timeval tv = clock_tv_of_ms(
		watchdog_ms > 0 && watchdog_ms / 3 < PULSE_MS ? watchdog_ms / 3
							      : PULSE_MS);

	pulse->workers = workers;
	pulse->timer = event_new(base, -1, EV_PERSIST, on_timer, pulse);
	(void)event_add(pulse->timer, &tv);
	return pulse;
}

void
pulse_free(struct pulse **pulse)
{
	if (*pulse == NULL)
		return;
	event_free((*pulse)->timer);
	free(*pulse);
	*pulse = NULL;
}

void
pulse_set_draining(struct pulse *pulse)
{
	pulse->draining = true;
}
