/* The end of all workers. */
#include "supervisor/drain.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "supervisor/child.h"
#include "supervisor/workers.h"

/* When their time is up workers have this long to close what is left before
 * they are killed. */
#define KILL_AFTER_MS 2000

struct drain {
	struct workers *workers;
	struct event *kill_timer;
	bool begun;
};

static void
on_kill_timer(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	log_msg(LOG_LEVEL_WARN, "workers do not stop, killing them");
	child_kill_all();
}

struct drain *
drain_new(struct event_base *base, struct workers *workers)
{
	struct drain *drain = xcalloc(1, sizeof *drain);

	drain->workers = workers;
	drain->kill_timer = evtimer_new(base, on_kill_timer, drain);
	return drain;
}

void
drain_free(struct drain **drain)
{
	if (*drain == NULL)
		return;
	event_free((*drain)->kill_timer);
	free(*drain);
	*drain = NULL;
}

void
drain_begin(struct drain *drain, uint64_t ms)
{
	struct timeval tv = clock_tv_of_ms(ms + KILL_AFTER_MS);

	drain->begun = true;
	workers_drain(drain->workers, ms);
	(void)evtimer_add(drain->kill_timer, &tv);
}

bool
drain_has_begun(const struct drain *drain)
{
	return drain->begun;
}
