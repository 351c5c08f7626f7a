/* The worker processes. */
#include "supervisor/workers.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/settings.h"
#include "supervisor/bundle.h"
#include "supervisor/worker_log.h"
#include "supervisor/worker_slot.h"
#include "tls/tls_session_cache.h"

struct workers {
	struct event_base *base;
	struct workers_callbacks callbacks;
	void *arg;
	int sessions_fd; /* of all; -1: each remembers for itself */
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
max_connections(const struct bundle *bundle)
{
	const struct process_settings *process =
		&bundle_settings(bundle)->process;
	uint64_t total = (uint64_t)process->max_connections;
	uint64_t n = (uint64_t)process->workers;

	return (total + n - 1) / n;
}

static void
start(struct worker_slot *slot, const struct bundle *bundle)
{
	worker_slot_start(slot, &bundle_settings(bundle)->process,
		max_connections(bundle));
}

/* As what runs says: what is pending may yet be refused. */
static void
on_vacant(struct worker_slot *slot, void *arg)
{
	const struct workers *workers = arg;

	if (workers->running != NULL)
		start(slot, workers->running);
	else if (workers->pending != NULL)
		start(slot, workers->pending);
}

static void
on_ready(struct worker_slot *slot, void *arg)
{
	const struct workers *workers = arg;

	if (target(workers) != NULL)
		worker_slot_stage(slot, target(workers));
}

static bool
serves(const struct worker_slot *slot)
{
	return worker_slot_order(slot) == WORKER_SERVE;
}

/* One that came up late, or leaves, need not wait for the others. */
static void
commit_alone(struct workers *workers, struct worker_slot *slot)
{
	workers->callbacks.on_worker_staged(workers, workers->arg);
	worker_slot_commit(slot, bundle_number(workers->running),
		max_connections(workers->running));
}

static void
on_staged(struct worker_slot *slot, uint64_t number, bool ok,
	const struct report *report, void *arg)
{
	struct workers *workers = arg;

	if (workers->pending != NULL &&
		bundle_number(workers->pending) == number) {
		if (serves(slot))
			workers->callbacks.on_staged(ok, report, workers->arg);
	} else if (workers->running != NULL &&
		   bundle_number(workers->running) == number) {
		if (ok)
			commit_alone(workers, slot);
		else
			worker_log_stale(
				worker_slot_index(slot), worker_slot_pid(slot));
	}
}

static void
remove_slot(struct workers *workers, struct worker_slot *slot)
{
	size_t i;

	for (i = 0; i < workers->n; i++)
		if (workers->slots[i] == slot)
			break;
	workers->n--;
	for (; i < workers->n; i++)
		workers->slots[i] = workers->slots[i + 1];
	worker_slot_free(&slot);
}

static void
on_exit_of(struct worker_slot *slot, bool died, void *arg)
{
	struct workers *workers = arg;

	if (!serves(slot))
		remove_slot(workers, slot);
	else if (died)
		workers->deaths++;
	workers->callbacks.on_exit(workers->arg);
}

/* ---- as many as there are to be ---- */

/* The lowest that no worker that serves has. */
static unsigned
free_index(const struct workers *workers)
{
	unsigned index = 0;
	size_t i = 0;

	while (i < workers->n) {
		if (serves(workers->slots[i]) &&
			worker_slot_index(workers->slots[i]) == index) {
			index++;
			i = 0;
		} else {
			i++;
		}
	}
	return index;
}

static void
add_worker(struct workers *workers, const struct bundle *bundle)
{
	static const struct worker_slot_callbacks callbacks = {
		.on_ready = on_ready,
		.on_staged = on_staged,
		.on_exit = on_exit_of,
		.on_vacant = on_vacant,
	};
	struct worker_slot *slot = worker_slot_new(workers->base,
		free_index(workers), workers->sessions_fd, &callbacks, workers);

	workers->slots = xreallocarray(
		workers->slots, workers->n + 1, sizeof(struct worker_slot *));
	workers->slots[workers->n++] = slot;
	start(slot, bundle);
}

static void
grow(struct workers *workers, const struct bundle *bundle)
{
	size_t wanted = (size_t)bundle_settings(bundle)->process.workers;
	size_t n = workers_count(workers);

	for (; n < wanted; n++)
		add_worker(workers, bundle);
}

/* The last to come is the first to go. */
static void
shrink(struct workers *workers, const struct bundle *bundle)
{
	size_t wanted = (size_t)bundle_settings(bundle)->process.workers;
	size_t n = workers_count(workers), i;
	struct worker_slot *slot;

	for (i = workers->n; i-- > 0 && n > wanted;) {
		slot = workers->slots[i];
		if (!serves(slot))
			continue;
		n--;
		worker_slot_leave(slot);
		if (worker_slot_pid(slot) < 0)
			remove_slot(workers, slot);
	}
}

struct workers *
workers_new(struct event_base *base, const struct workers_callbacks *callbacks,
	void *arg)
{
	struct workers *workers = xcalloc(1, sizeof *workers);
	struct error err;

	workers->base = base;
	workers->callbacks = *callbacks;
	workers->arg = arg;
	workers->sessions_fd = tls_session_cache_create_fd(&err);
	if (workers->sessions_fd < 0)
		log_msg(LOG_LEVEL_ERROR, "%s", err.text);
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
	fd_close(&gone->sessions_fd);
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
	grow(workers, bundle);
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
		if (serves(workers->slots[i]) &&
			worker_slot_answered(workers->slots[i]) !=
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
		if (serves(workers->slots[i]) &&
			worker_slot_staged(workers->slots[i]) !=
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
		worker_slot_commit(workers->slots[i],
			bundle_number(workers->running),
			max_connections(workers->running));
	shrink(workers, workers->running);
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
	if (workers->running == NULL)
		return;
	shrink(workers, workers->running);
	/* One that came up in the meantime has nothing to serve yet. */
	for (i = 0; i < workers->n; i++)
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
		if (!worker_slot_ping(workers->slots[i]) &&
			serves(workers->slots[i]))
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
	size_t n = 0, i;

	for (i = 0; i < workers->n; i++)
		if (serves(workers->slots[i]))
			n++;
	return n;
}

size_t
workers_leaving(const struct workers *workers)
{
	size_t n = 0, i;

	for (i = 0; i < workers->n; i++)
		if (worker_slot_order(workers->slots[i]) == WORKER_LEAVE)
			n++;
	return n;
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
