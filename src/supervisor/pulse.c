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
	struct event *drain_timer;
	uint64_t told; /* connections that were left, by the last word */
	bool draining;
};

/* For who watches the count go down. */
#define DRAIN_MS 200

static void
tell_left(struct pulse *pulse, uint64_t left)
{
	char state[64];

	pulse->told = left;
	(void)snprintf(state, sizeof state,
		"STATUS=draining, %" PRIu64 " connections left", left);
	systemd_notify(state);
}

static void
on_drain_timer(int fd, short what, void *arg)
{
	struct pulse *pulse = arg;
	uint64_t left = workers_connections(pulse->workers);

	(void)fd;
	(void)what;
	if (left != pulse->told)
		tell_left(pulse, left);
}

static void
on_timer(int fd, short what, void *arg)
{
	struct pulse *pulse = arg;
	char state[64];

	(void)fd;
	(void)what;
	if (workers_ping(pulse->workers) == 0)
		systemd_notify("WATCHDOG=1");
	if (pulse->draining)
		return;
	(void)snprintf(state, sizeof state,
		"STATUS=serving, %" PRIu64 " connections",
		workers_connections(pulse->workers));
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
	pulse->drain_timer =
		event_new(base, -1, EV_PERSIST, on_drain_timer, pulse);
	(void)event_add(pulse->timer, &tv);
	return pulse;
}

void
pulse_free(struct pulse **pulse)
{
	if (*pulse == NULL)
		return;
	event_free((*pulse)->timer);
	event_free((*pulse)->drain_timer);
	free(*pulse);
	*pulse = NULL;
}

void
pulse_set_draining(struct pulse *pulse)
{
	struct timeval tv = clock_tv_of_ms(DRAIN_MS);

	if (pulse->draining)
		return;
	pulse->draining = true;
	tell_left(pulse, workers_connections(pulse->workers));
	(void)event_add(pulse->drain_timer, &tv);
}
