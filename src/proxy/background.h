#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/*
 * Work of a worker that no connection waits for, in pieces: what a reload
 * builds and what it leaves behind. Done between the turns of the loop, so that
 * ten thousand server names stop nobody's traffic.
 */
struct background_task {
	TAILQ_ENTRY(background_task) entry;
	/* Does one piece, well under a millisecond. False: there is no more,
	 * TASK is not called again and may be gone. */
	bool (*step)(void *arg);
	void *arg;
	bool is_queued;
};

TAILQ_HEAD(background_list, background_task);

struct background {
	struct background_list tasks;
	size_t n_pieces; /* done since somebody set it to 0 */
};

void background_init(struct background *background);

bool background_is_empty(const struct background *background);

/* TASK, with STEP and ARG set, is borrowed until it has no more to do. Not for
 * one that is there already. */
void background_add(
	struct background *background, struct background_task *task);

/* Gives TASK up; fine for one that is not there. Not from its own step. */
void background_remove(
	struct background *background, struct background_task *task);

/* One piece of each task in turn, until US microseconds have passed. */
void background_run(struct background *background, uint64_t us);

/* To the end of all. */
void background_finish(struct background *background);
