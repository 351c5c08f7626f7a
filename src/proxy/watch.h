#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>

/*
 * What we want to hear of one descriptor. Setting the same wish twice costs
 * nothing, so callers state what they want after every step instead of
 * keeping track of what changed. Level-triggered; lives inside its owner.
 */
struct watch {
	struct event readable;
	struct event *writable; /* NULL: not wanted, as nearly always */
	bool reading;
	bool started;
};

/* WHAT is EV_READ or EV_WRITE. */
typedef void (*watch_fn)(int fd, short what, void *arg);

void watch_start(struct watch *watch, struct event_base *base, int fd,
	watch_fn on_ready, void *arg);

/* False: the kernel refused (out of memory or watches). */
bool watch_want(struct watch *watch, bool read, bool write);

static inline bool
watch_is_writing(const struct watch *watch)
{
	return watch->writable != NULL;
}

/* Before the descriptor is closed. May be called at any time. */
void watch_stop(struct watch *watch);
