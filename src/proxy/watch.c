/* What we want to hear of one descriptor. */
#include "proxy/watch.h"

void
watch_start(struct watch *watch, struct event_base *base, int fd,
	watch_fn on_ready, void *arg)
{
	(void)event_assign(&watch->readable, base, fd, EV_READ | EV_PERSIST,
		on_ready, arg);
	(void)event_assign(&watch->writable, base, fd, EV_WRITE | EV_PERSIST,
		on_ready, arg);
	watch->reading = false;
	watch->writing = false;
	watch->started = true;
}

static bool
want(struct event *event, bool *has, bool wanted)
{
	if (*has == wanted)
		return true;
	if (wanted ? event_add(event, NULL) < 0 : event_del(event) < 0)
		return false;
	*has = wanted;
	return true;
}

bool
watch_want(struct watch *watch, bool read, bool write)
{
	return want(&watch->readable, &watch->reading, read) &&
	       want(&watch->writable, &watch->writing, write);
}

void
watch_stop(struct watch *watch)
{
	if (!watch->started)
		return;
	(void)event_del(&watch->readable);
	(void)event_del(&watch->writable);
	watch->reading = false;
	watch->writing = false;
	watch->started = false;
}
