/* The worker processes. */
#include "supervisor/workers.h"

#include <stdlib.h>

#include "base/mem.h"
#include "conf/settings.h"
#include "supervisor/bundle.h"
#include "supervisor/worker_slot.h"

struct workers {
	struct event_base *base;
	struct workers_callbacks callbacks;
	void *arg;
	struct worker_slot **slots;
	size_t n;
	const struct bundle *running;
	const struct bundle *pending;
	size_t deaths;
};

/* What a worker is to build: the newest there is. */
static const struct bundle *
target(const struct workers *workers)
{
	return workers->pending != NULL ? workers->pending : workers->running;
}

/* One worker's share of the setting, 0: none was made. */
static uint64_t
max_connections(const struct process_settings *process)
{
	uint64_t total = (uint64_t)process->max_connections;
	uint64_t n = (uint64_t)process->workers;

	return (total + n - 1) / n;
}

/* As what runs says: what is pending may yet be refused. */
static void
on_vacant(struct worker_slot *slot, void *arg)
{
	const struct workers *workers = arg;
	const struct bundle *bundle =
		workers->running != NULL ? workers->running : workers->pending;
	const struct process_settings *process;

	if (bundle == NULL)
		return;
	process = &bundle_settings(bundle)->process;
	worker_slot_start(slot, process, max_connections(process));
}

static void
on_ready(struct worker_slot *slot, void *arg)
{
	const struct workers *workers = arg;

	if (target(workers) != NULL)
		worker_slot_stage(slot, target(workers));
}

/* A replacement that has built what runs already need not wait for others. */
static void
on_staged(struct worker_slot *slot, uint64_t number, bool ok,
	const struct report *report, void *arg)
{
	struct workers *workers = arg;

	if (workers->pending != NULL &&
		bundle_number(workers->pending) == number) {
		workers->callbacks.on_staged(ok, report, workers->arg);
	} else if (workers->running != NULL && ok &&
		   bundle_number(workers->running) == number) {
		workers->callbacks.on_worker_staged(workers, workers->arg);
		worker_slot_commit(slot, number);
	}
}

static void
on_exit_of(struct worker_slot *slot, bool died, void *arg)
{
	struct workers *workers = arg;

	(void)slot;
	if (died)
		workers->deaths++;
	workers->callbacks.on_exit(workers->arg);
}

static void
start_missing(struct workers *workers)
{
	static const struct worker_slot_callbacks callbacks = {
		.on_ready = on_ready,
		.on_staged = on_staged,
		.on_exit = on_exit_of,
		.on_vacant = on_vacant,
	};
	size_t wanted =
		(size_t)bundle_settings(workers->pending)->process.workers;

	if (workers->n > 0)
		return;
	workers->slots = xcalloc(wanted, sizeof(struct worker_slot *));
	for (; workers->n < wanted; workers->n++) {
		workers->slots[workers->n] = worker_slot_new(workers->base,
			(unsigned)workers->n, &callbacks, workers);
		on_vacant(workers->slots[workers->n], workers);
	}
}

struct workers *
workers_new(struct event_base *base, const struct workers_callbacks *callbacks,
	void *arg)
{
	struct workers *workers = xcalloc(1, sizeof *workers);

	workers->base = base;
	workers->callbacks = *callbacks;
	workers->arg = arg;
	return workers;
}

void
workers_free(struct workers **workers)
{
	struct workers *gone = *workers;
	size_t i;

	*workers = NULL;
	if (gone == NULL)
		return;
	for (i = 0; i < gone->n; i++)
		worker_slot_free(&gone->slots[i]);
	free(gone->slots);
	free(gone);
}

/* ---- generations ---- */

void
workers_stage(struct workers *workers, const struct bundle *bundle)
{
	size_t i;

	workers->pending = bundle;
	workers->deaths = 0;
	start_missing(workers);
	for (i = 0; i < workers->n; i++)
		worker_slot_stage(workers->slots[i], bundle);
}

bool
workers_all_answered(const struct workers *workers)
{
	size_t i;

	if (workers->pending == NULL)
		return false;
	for (i = 0; i < workers->n; i++)
		if (worker_slot_answered(workers->slots[i]) !=
			bundle_number(workers->pending))
			return false;
	return true;
}

bool
workers_all_staged(const struct workers *workers)
{
	size_t i;

	if (workers->pending == NULL)
		return false;
	for (i = 0; i < workers->n; i++)
		if (worker_slot_staged(workers->slots[i]) !=
			bundle_number(workers->pending))
			return false;
	return true;
}

void
workers_commit(struct workers *workers)
{
	size_t i;

	workers->running = workers->pending;
	workers->pending = NULL;
	for (i = 0; i < workers->n; i++)
		worker_slot_commit(
			workers->slots[i], bundle_number(workers->running));
}

void
workers_abort(struct workers *workers)
{
	size_t i;

	if (workers->pending == NULL)
		return;
	for (i = 0; i < workers->n; i++)
		worker_slot_abort(
			workers->slots[i], bundle_number(workers->pending));
	workers->pending = NULL;
	/* One that came up in the meantime has nothing to serve yet. */
	for (i = 0; i < workers->n && workers->running != NULL; i++)
		if (worker_slot_committed(workers->slots[i]) !=
			bundle_number(workers->running))
			worker_slot_stage(workers->slots[i], workers->running);
}

void
workers_send(struct workers *workers, const struct message *m)
{
	size_t i;

	for (i = 0; i < workers->n; i++)
		worker_slot_send(workers->slots[i], m);
}

void
workers_drain(struct workers *workers, uint64_t ms)
{
	size_t i;

	for (i = 0; i < workers->n; i++)
		worker_slot_drain(workers->slots[i], ms);
}

size_t
workers_ping(struct workers *workers)
{
	size_t silent = 0, i;

	for (i = 0; i < workers->n; i++)
		if (!worker_slot_ping(workers->slots[i]))
			silent++;
	return silent;
}

size_t
workers_deaths(const struct workers *workers)
{
	return workers->deaths;
}

size_t
workers_count(const struct workers *workers)
{
	return workers->n;
}

uint64_t
workers_connections(const struct workers *workers)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < workers->n; i++)
		sum += worker_slot_connections(workers->slots[i]);
	return sum;
}
