/* Work of a worker that no connection waits for. */
#include "proxy/background.h"

#include <assert.h>

#include "base/clock.h"

void
background_init(struct background *background)
{
	*background = (struct background){0};
	TAILQ_INIT(&background->tasks);
}

bool
background_is_empty(const struct background *background)
{
	return TAILQ_EMPTY(&background->tasks);
}

static void
put_in(struct background *background, struct background_task *task)
{
	task->is_queued = true;
	TAILQ_INSERT_TAIL(&background->tasks, task, entry);
}

static void
take_out(struct background *background, struct background_task *task)
{
	task->is_queued = false;
	TAILQ_REMOVE(&background->tasks, task, entry);
}

void
background_add(struct background *background, struct background_task *task)
{
	assert(!task->is_queued);
	put_in(background, task);
}

void
background_remove(struct background *background, struct background_task *task)
{
	if (task->is_queued)
		take_out(background, task);
}

static void
step_first(struct background *background)
{
	struct background_task *task = TAILQ_FIRST(&background->tasks);

	/* Out of the list first: its last step may free it. */
	take_out(background, task);
	background->n_pieces++;
	if (task->step(task->arg))
		put_in(background, task);
}

void
background_run(struct background *background, uint64_t us)
{
	uint64_t end_us = clock_monotonic_us() + us;

	while (!background_is_empty(background)) {
		step_first(background);
		if (clock_monotonic_us() >= end_us)
			return;
	}
}

void
background_finish(struct background *background)
{
	while (!background_is_empty(background))
		step_first(background);
}
