/* The worker processes. */
#include "supervisor/workers.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "conf/settings.h"
#include "ipc/message.h"
#include "supervisor/bundle.h"
#include "supervisor/handover.h"
#include "supervisor/session_memory.h"
#include "supervisor/worker_list.h"
#include "supervisor/worker_log.h"

struct workers {
	struct event_base *base;
	struct workers_callbacks callbacks;
	void *arg;
	struct session_memory sessions;
	struct worker_list list;
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

static uint64_t
drain_ms(const struct workers *workers)
{
	return bundle_settings(workers->running)->process.drain_timeout_ms;
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

static bool
serves(const struct worker_slot *slot)
{
	return worker_slot_order(slot) == WORKER_SERVE;
}

/* BUNDLE is for a worker to accept clients with, or for the connections that it
 * has. The last ones of another binary never serve anything but what runs. */
static void
stage(const struct workers *workers, struct worker_slot *slot,
	const struct bundle *bundle)
{
	worker_slot_stage(slot, bundle,
		serves(slot) || (worker_slot_order(slot) == WORKER_LAST &&
					bundle == workers->running));
}

static void
on_ready(struct worker_slot *slot, void *arg)
{
	const struct workers *workers = arg;
	const struct bundle *bundle =
		serves(slot) ? target(workers) : workers->running;

	if (bundle != NULL)
		stage(workers, slot, bundle);
}

/* One that came up late, or leaves, need not wait for the others. */
static void
commit_alone(struct workers *workers, struct worker_slot *slot)
{
	workers->callbacks.on_worker_staged(workers, workers->arg);
	worker_slot_commit(slot, bundle_number(workers->running),
		max_connections(workers->running));
}

/* Its connections cannot be put under what runs. Those of one that leaves are
 * under other rules for good, unless they end. */
static void
on_stale(const struct workers *workers, struct worker_slot *slot)
{
	worker_log_stale(worker_slot_index(slot), worker_slot_pid(slot));
	if (worker_slot_order(slot) == WORKER_LEAVE)
		worker_slot_drain(slot, drain_ms(workers));
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
			on_stale(workers, slot);
	}
}

static void
on_exit_of(struct worker_slot *slot, bool died, void *arg)
{
	struct workers *workers = arg;

	if (worker_slot_order(slot) == WORKER_LEAVE ||
		worker_slot_order(slot) == WORKER_STOP)
		worker_list_remove(&workers->list, slot);
	else if (died && serves(slot))
		workers->deaths++;
	workers->callbacks.on_exit(workers->arg);
}

/* ---- as many as there are to be ---- */

static const struct worker_slot_callbacks slot_callbacks = {
	.on_ready = on_ready,
	.on_staged = on_staged,
	.on_exit = on_exit_of,
	.on_vacant = on_vacant,
};

static void
add_worker(struct workers *workers, const struct bundle *bundle)
{
	struct worker_slot *slot = worker_slot_new(workers->base,
		worker_list_free_index(&workers->list), workers->sessions.fd,
		&slot_callbacks, workers);

	worker_list_add(&workers->list, slot);
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
shrink(struct workers *workers, size_t wanted)
{
	size_t n = workers_count(workers), i;
	struct worker_slot *slot;

	for (i = workers->list.n; i-- > 0 && n > wanted;) {
		slot = workers->list.items[i];
		if (!serves(slot))
			continue;
		n--;
		worker_slot_leave(slot);
		if (worker_slot_pid(slot) < 0)
			worker_list_remove(&workers->list, slot);
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
	session_memory_init(&workers->sessions);
	return workers;
}

void
workers_free(struct workers **workers)
{
	struct workers *gone = *workers;

	*workers = NULL;
	if (gone == NULL)
		return;
	worker_list_done(&gone->list);
	session_memory_done(&gone->sessions);
	free(gone);
}

/* ---- from one binary to the next ---- */

void
workers_take_over(struct workers *workers, const struct bundle *running,
	struct handover *handover)
{
	bool foreign = strcmp(handover->protocol, MESSAGE_PROTOCOL) != 0;
	size_t i;

	workers->running = running;
	session_memory_take_over(&workers->sessions, handover, foreign);
	for (i = 0; i < handover->n_workers; i++)
		worker_list_add(&workers->list,
			worker_slot_adopt(workers->base, &handover->workers[i],
				foreign, &slot_callbacks, workers));
}

int
workers_hand_over(const struct workers *workers, struct handover *handover,
	struct error *err)
{
	struct handover_worker worker;
	size_t i;

	session_memory_hand_over(&workers->sessions, handover);
	for (i = 0; i < workers->list.n; i++) {
		if (worker_slot_pid(workers->list.items[i]) < 0)
			continue;
		if (worker_slot_hand_over(workers->list.items[i], &worker) < 0)
			return error_set(err,
				"worker %u does not take its messages",
				worker_slot_index(workers->list.items[i]));
		handover_add_worker(handover, &worker);
	}
	return 0;
}

/* ---- generations ---- */

void
workers_stage(struct workers *workers, const struct bundle *bundle)
{
	size_t i;

	workers->pending = bundle;
	workers->deaths = 0;
	grow(workers, bundle);
	for (i = 0; i < workers->list.n; i++)
		stage(workers, workers->list.items[i], bundle);
}

bool
workers_all_answered(const struct workers *workers)
{
	return workers->pending != NULL &&
	       worker_list_all_have(&workers->list,
		       bundle_number(workers->pending), worker_slot_answered);
}

/* What those of another binary have to do when RUNNING is committed; SAME: it
 * is what they have already. */
static void
dismiss(struct workers *workers, bool same)
{
	uint64_t number = bundle_number(workers->running);
	struct worker_slot *slot;
	size_t i;

	for (i = workers->list.n; i-- > 0;) {
		slot = workers->list.items[i];
		if (serves(slot) || worker_slot_order(slot) == WORKER_STOP)
			continue;
		if (!same && worker_slot_is_stale(slot, number))
			worker_slot_drain(slot, drain_ms(workers));
		else if (worker_slot_order(slot) == WORKER_LAST)
			worker_slot_leave(slot);
		if (worker_slot_pid(slot) < 0)
			worker_list_remove(&workers->list, slot);
	}
}

void
workers_commit(struct workers *workers)
{
	bool same = workers->list.n > workers_count(workers) &&
		    workers->running != NULL &&
		    bundle_is_same(workers->running, workers->pending);
	size_t i;

	workers->running = workers->pending;
	workers->pending = NULL;
	for (i = 0; i < workers->list.n; i++)
		worker_slot_commit(workers->list.items[i],
			bundle_number(workers->running),
			max_connections(workers->running));
	dismiss(workers, same);
	shrink(workers,
		(size_t)bundle_settings(workers->running)->process.workers);
}

void
workers_abort(struct workers *workers)
{
	size_t wanted, i;

	if (workers->pending == NULL)
		return;
	for (i = 0; i < workers->list.n; i++)
		worker_slot_abort(workers->list.items[i],
			bundle_number(workers->pending));
	workers->pending = NULL;
	if (workers->running == NULL)
		return;
	wanted = (size_t)bundle_settings(workers->running)->process.workers;
	if (worker_list_count(&workers->list, WORKER_LAST) > 0)
		wanted = 0; /* those of another binary go on instead */
	shrink(workers, wanted);
	/* One that came up in the meantime has nothing to serve yet. */
	for (i = 0; i < workers->list.n; i++)
		if (worker_slot_committed(workers->list.items[i]) !=
			bundle_number(workers->running))
			stage(workers, workers->list.items[i],
				workers->running);
}

void
workers_send(struct workers *workers, const struct message *m)
{
	worker_list_send(&workers->list, m);
}

void
workers_drain(struct workers *workers, uint64_t ms)
{
	worker_list_drain(&workers->list, ms);
}

size_t
workers_ping(struct workers *workers)
{
	return worker_list_ping(&workers->list);
}

size_t
workers_deaths(const struct workers *workers)
{
	return workers->deaths;
}

size_t
workers_count(const struct workers *workers)
{
	return worker_list_count(&workers->list, WORKER_SERVE);
}

size_t
workers_leaving(const struct workers *workers)
{
	return worker_list_count(&workers->list, WORKER_LEAVE) +
	       worker_list_count(&workers->list, WORKER_LAST);
}

uint64_t
workers_connections(const struct workers *workers)
{
	return worker_list_connections(&workers->list);
}
