#pragma once

#include <stdint.h>

struct event;
struct event_base;

/*
 * When the place of a worker that is gone is filled again: at once if it lived
 * a while, and later and later if it did not. The storage is the caller's.
 */
struct worker_respawn {
	uint64_t backoff_ms; /* the wait before the next one */
	struct event *timer;
	void (*on_due)(void *arg);
	void *arg;
};

void worker_respawn_init(struct worker_respawn *respawn,
	struct event_base *base, void (*on_due)(void *arg), void *arg);
void worker_respawn_done(struct worker_respawn *respawn);

/* A worker died that had lived so long. Sets the wait, begins nothing. */
void worker_respawn_died(struct worker_respawn *respawn, uint64_t lived_ms);

/* ON_DUE follows after the wait. */
void worker_respawn_begin(struct worker_respawn *respawn);

/* A worker could not even be started: ON_DUE follows after the longest wait. */
void worker_respawn_begin_late(struct worker_respawn *respawn);

/* None is wanted any more. */
void worker_respawn_cancel(struct worker_respawn *respawn);
