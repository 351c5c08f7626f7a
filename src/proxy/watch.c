/* What we want to hear of one descriptor. */
#include "proxy/watch.h"

void
watch_start(struct watch *watch, struct event_base *base, int fd,
	watch_fn on_ready, void *arg)
{
	(void)event_assign(&watch->readable, base, fd, EV_READ | EV_PERSIST,
		on_ready, arg);
	watch->reading = false;
	watch->writable = NULL;
	watch->started = true;
}

static bool
want_read(struct watch *watch, bool wanted)
{
	struct event *event = &watch->readable;

	if (watch->reading == wanted)
		return true;
	if (wanted ? event_add(event, NULL) < 0 : event_del(event) < 0)
		return false;
	watch->reading = wanted;
	return true;
}

static void
drop_writable(struct watch *watch)
{
	if (watch->writable != NULL)
		event_free(watch->writable);
	watch->writable = NULL;
}

/* An event is 128 bytes, and an idle connection would hold two for nothing. */
static bool
want_write(struct watch *watch, bool wanted)
{
	const struct event *twin = &watch->readable;

	if (watch_is_writing(watch) == wanted)
		return true;
	if (!wanted) {
		drop_writable(watch);
		return true;
	}
	watch->writable = event_new(event_get_base(twin), event_get_fd(twin),
		EV_WRITE | EV_PERSIST, event_get_callback(twin),
		event_get_callback_arg(twin));
	if (watch->writable == NULL)
		return false;
	if (event_add(watch->writable, NULL) == 0)
		return true;
	drop_writable(watch);
	return false;
}

bool
watch_want(struct watch *watch, bool read, bool write)
{
	return want_read(watch, read) && want_write(watch, write);
}

void
watch_stop(struct watch *watch)
{
	if (!watch->started)
		return;
	(void)event_del(&watch->readable);
	drop_writable(watch);
	watch->reading = false;
	watch->started = false;
}
