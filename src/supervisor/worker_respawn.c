/* When the place of a worker that is gone is filled again. */
#include "supervisor/worker_respawn.h"

#include <event2/event.h>

#include "base/clock.h"

#define LIVED_MS       10000
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 10000

static void
on_timer(int fd, short what, void *arg)
{
	const struct worker_respawn *respawn = arg;

	(void)fd;
	(void)what;
	respawn->on_due(respawn->arg);
}

void
worker_respawn_init(struct worker_respawn *respawn, struct event_base *base,
	void (*on_due)(void *arg), void *arg)
{
	respawn->backoff_ms = 0;
	respawn->on_due = on_due;
	respawn->arg = arg;
	respawn->timer = evtimer_new(base, on_timer, respawn);
}

void
worker_respawn_done(struct worker_respawn *respawn)
{
	event_free(respawn->timer);
	respawn->timer = NULL;
}

static uint64_t
next_backoff_ms(uint64_t last_ms, uint64_t lived_ms)
{
	if (lived_ms >= LIVED_MS)
		return 0;
	if (last_ms == 0)
		return BACKOFF_MIN_MS;
	return last_ms * 2 < BACKOFF_MAX_MS ? last_ms * 2 : BACKOFF_MAX_MS;
}

void
worker_respawn_died(struct worker_respawn *respawn, uint64_t lived_ms)
{
	respawn->backoff_ms = next_backoff_ms(respawn->backoff_ms, lived_ms);
}

void
worker_respawn_begin(struct worker_respawn *respawn)
{
	struct timeval tv = clock_tv_of_ms(respawn->backoff_ms);

	(void)evtimer_add(respawn->timer, &tv);
}

void
worker_respawn_begin_late(struct worker_respawn *respawn)
{
	respawn->backoff_ms = BACKOFF_MAX_MS;
	worker_respawn_begin(respawn);
}

void
worker_respawn_cancel(struct worker_respawn *respawn)
{
	(void)evtimer_del(respawn->timer);
}
