/* The worker processes. */
#include "supervisor/workers.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/report.h"
#include "conf/settings.h"
#include "ipc/message.h"
#include "stats/stats.h"
#include "supervisor/bundle.h"
#include "supervisor/child.h"

/* A worker that dies is replaced at once if it lived a while, and later and
 * later if it did not. */
#define LIVED_MS       10000
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 10000

struct slot {
	struct workers *workers;
	unsigned index;
	struct child *child; /* NULL: dead for now */
	int stats_fd;
	struct stats *stats;
	bool ready;
	uint64_t staged; /* number of the generation that it has built */
	uint64_t asked;  /* number of the last ping */
	uint64_t answered;
	uint64_t backoff_ms;
	struct event *respawn;
};

struct workers {
	struct event_base *base;
	const struct process_settings *process;
	struct workers_callbacks callbacks;
	void *arg;
	struct slot *slots;
	size_t n;
	const struct bundle *running;
	const struct bundle *pending;
	size_t deaths;
	bool stopping;
};

static void start_worker(struct slot *slot);

static void
send_number(struct slot *slot, enum message_type type, uint64_t number)
{
	struct message m;

	message_init(&m, type);
	message_put_u64(&m, number);
	if (slot->child != NULL)
		child_send(slot->child, &m);
}

/* ---- what a worker says ---- */

/* What it is to build: the newest there is. */
static const struct bundle *
target(const struct workers *workers)
{
	return workers->pending != NULL ? workers->pending : workers->running;
}

static void
on_ready(struct slot *slot)
{
	slot->ready = true;
	if (slot->workers->stopping)
		send_number(slot, MESSAGE_DRAIN, 0);
	else if (target(slot->workers) != NULL)
		bundle_stage(target(slot->workers), slot->child);
}

/* A replacement has built what runs already: no need to wait for others. */
static void
commit_alone(struct slot *slot)
{
	struct workers *workers = slot->workers;

	workers->callbacks.on_worker_staged(workers, workers->arg);
	send_number(slot, MESSAGE_COMMIT, slot->staged);
}

static void
on_staged(struct slot *slot, struct message *m)
{
	struct workers *workers = slot->workers;
	uint64_t number = message_get_u64(m);
	bool ok = message_get_u8(m) == 1;
	int fd = message_take_fd(m);
	struct report *report = report_new();
	struct error err;

	if (fd < 0 || report_merge_fd(report, fd, &err) < 0)
		ok = false;
	fd_close(&fd);
	if (ok)
		slot->staged = number;
	if (workers->pending != NULL &&
		bundle_number(workers->pending) == number)
		workers->callbacks.on_staged(ok, report, workers->arg);
	else if (workers->running != NULL && ok &&
		 bundle_number(workers->running) == number)
		commit_alone(slot);
	report_free(&report);
}

static void
on_message(struct message *m, void *arg)
{
	struct slot *slot = arg;

	switch (m->type) {
	case MESSAGE_READY:
		on_ready(slot);
		return;
	case MESSAGE_STAGED:
		on_staged(slot, m);
		return;
	case MESSAGE_PONG:
		slot->answered = message_get_u64(m);
		return;
	case MESSAGE_DRAINED:
		return; /* its exit follows */
	case MESSAGE_NONE:
	case MESSAGE_STAGE:
	case MESSAGE_SOCKET:
	case MESSAGE_OUTPUT:
	case MESSAGE_STAGE_END:
	case MESSAGE_COMMIT:
	case MESSAGE_ABORT:
	case MESSAGE_RESOLVED:
	case MESSAGE_DRAIN:
	case MESSAGE_PING:
	case MESSAGE_RESOLVE:
	case MESSAGE_N_TYPES:
		log_msg(LOG_LEVEL_ERROR, "unexpected message %s from worker %u",
			message_type_name(m->type), slot->index);
		return;
	}
}

/* ---- life and death ---- */

static void
describe(int status, char *out, size_t size)
{
	if (WIFSIGNALED(status))
		(void)snprintf(
			out, size, "killed by signal %d", WTERMSIG(status));
	else
		(void)snprintf(
			out, size, "exit status %d", WEXITSTATUS(status));
}

static void
log_death(const struct slot *slot, const struct child *child, int status)
{
	char text[64];
	const struct log_field fields[] = {
		{.key = "worker", .number = slot->index},
		{.key = "pid", .number = (uint64_t)child_pid(child)},
		{.key = "status", .text = text},
		{.key = "respawn_ms", .number = slot->backoff_ms},
	};

	describe(status, text, sizeof text);
	log_event(LOG_LEVEL_ERROR, "worker died", fields,
		sizeof fields / sizeof fields[0]);
}

static void
respawn_later(struct slot *slot)
{
	struct timeval tv = {.tv_sec = (time_t)(slot->backoff_ms / 1000),
		.tv_usec = (suseconds_t)(slot->backoff_ms % 1000 * 1000)};

	(void)evtimer_add(slot->respawn, &tv);
}

static void
on_exit_of(struct child *child, int status, void *arg)
{
	struct slot *slot = arg;
	struct workers *workers = slot->workers;
	uint64_t lived_ms = clock_monotonic_ms() - child_started_ms(child);

	slot->child = NULL;
	slot->ready = false;
	slot->staged = 0;
	if (slot->stats != NULL)
		stats_set(slot->stats, STATS_CONNECTIONS, 0);
	if (!workers->stopping || WIFSIGNALED(status)) {
		slot->backoff_ms = lived_ms >= LIVED_MS ? 0
				   : slot->backoff_ms == 0
					   ? BACKOFF_MIN_MS
					   : slot->backoff_ms * 2;
		if (slot->backoff_ms > BACKOFF_MAX_MS)
			slot->backoff_ms = BACKOFF_MAX_MS;
		log_death(slot, child, status);
		workers->deaths++;
	}
	if (!workers->stopping)
		respawn_later(slot);
	workers->callbacks.on_exit(workers->arg);
}

static void
on_respawn(int fd, short what, void *arg)
{
	struct slot *slot = arg;

	(void)fd;
	(void)what;
	if (!slot->workers->stopping && slot->child == NULL)
		start_worker(slot);
}

/* One worker's share of the setting, 0: none was made. */
static uint64_t
max_connections(const struct workers *workers)
{
	uint64_t total = (uint64_t)workers->process->max_connections;

	return (total + workers->n - 1) / workers->n;
}

static void
log_start(const struct slot *slot)
{
	const struct log_field fields[] = {
		{.key = "worker", .number = slot->index},
		{.key = "pid", .number = (uint64_t)child_pid(slot->child)},
	};

	log_event(LOG_LEVEL_NOTICE, "worker started", fields,
		sizeof fields / sizeof fields[0]);
}

static void
start_worker(struct slot *slot)
{
	static const struct child_callbacks callbacks = {
		.on_message = on_message, .on_exit = on_exit_of};
	struct workers *workers = slot->workers;
	const struct process_settings *process = workers->process;
	struct child_args args = {
		.role = CHILD_WORKER,
		.stats_fd = slot->stats_fd,
		.max_connections = max_connections(workers),
		.log_format = process->log_format,
		.log_level = process->log_level,
		.sandbox = process->sandbox != SANDBOX_OFF,
		.user = process->user,
		.group = process->group,
	};
	struct error err;

	slot->asked = 0;
	slot->answered = 0;
	slot->child = child_start(workers->base, &args, &callbacks, slot, &err);
	if (slot->child != NULL) {
		log_start(slot);
		return;
	}
	log_msg(LOG_LEVEL_ERROR, "%s", err.text);
	slot->backoff_ms = BACKOFF_MAX_MS;
	respawn_later(slot);
}

static void
open_slot(struct workers *workers, unsigned index)
{
	struct slot *slot = &workers->slots[index];
	struct error err;

	slot->workers = workers;
	slot->index = index;
	slot->respawn = evtimer_new(workers->base, on_respawn, slot);
	slot->stats_fd = stats_create_fd(&err);
	slot->stats =
		slot->stats_fd < 0 ? NULL : stats_map(slot->stats_fd, &err);
	if (slot->stats == NULL)
		log_msg(LOG_LEVEL_ERROR, "%s", err.text);
}

struct workers *
workers_new(struct event_base *base, const struct process_settings *process,
	const struct workers_callbacks *callbacks, void *arg)
{
	struct workers *workers = xcalloc(1, sizeof *workers);
	unsigned i;

	workers->base = base;
	workers->process = process;
	workers->callbacks = *callbacks;
	workers->arg = arg;
	workers->n = (size_t)process->workers;
	workers->slots = xcalloc(workers->n, sizeof *workers->slots);
	for (i = 0; i < workers->n; i++)
		open_slot(workers, i);
	for (i = 0; i < workers->n; i++)
		start_worker(&workers->slots[i]);
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
	for (i = 0; i < gone->n; i++) {
		event_free(gone->slots[i].respawn);
		stats_unmap(&gone->slots[i].stats);
		fd_close(&gone->slots[i].stats_fd);
	}
	free(gone->slots);
	free(gone);
}

/* ---- generations ---- */

void
workers_stage(struct workers *workers, const struct bundle *bundle)
{
	size_t i;

	workers->pending = bundle;
	for (i = 0; i < workers->n; i++)
		if (workers->slots[i].ready)
			bundle_stage(bundle, workers->slots[i].child);
}

bool
workers_all_staged(const struct workers *workers)
{
	size_t i;

	if (workers->pending == NULL)
		return false;
	for (i = 0; i < workers->n; i++)
		if (workers->slots[i].staged != bundle_number(workers->pending))
			return false;
	return true;
}

void
workers_commit(struct workers *workers)
{
	size_t i;

	workers->running = workers->pending;
	workers->pending = NULL;
	workers->process = &bundle_settings(workers->running)->process;
	workers->deaths = 0;
	for (i = 0; i < workers->n; i++)
		send_number(&workers->slots[i], MESSAGE_COMMIT,
			bundle_number(workers->running));
}

void
workers_abort(struct workers *workers)
{
	size_t i;

	if (workers->pending == NULL)
		return;
	for (i = 0; i < workers->n; i++)
		send_number(&workers->slots[i], MESSAGE_ABORT,
			bundle_number(workers->pending));
	workers->pending = NULL;
	/* One that came up in the meantime has nothing to serve yet. */
	for (i = 0; i < workers->n && workers->running != NULL; i++)
		if (workers->slots[i].ready && workers->slots[i].staged == 0)
			bundle_stage(workers->running, workers->slots[i].child);
}

void
workers_send(struct workers *workers, const struct message *m)
{
	size_t i;

	for (i = 0; i < workers->n; i++)
		if (workers->slots[i].child != NULL)
			child_send(workers->slots[i].child, m);
}

void
workers_drain(struct workers *workers, uint64_t ms)
{
	size_t i;

	workers->stopping = true;
	for (i = 0; i < workers->n; i++) {
		(void)evtimer_del(workers->slots[i].respawn);
		send_number(&workers->slots[i], MESSAGE_DRAIN, ms);
	}
}

size_t
workers_ping(struct workers *workers)
{
	size_t silent = 0, i;
	struct slot *slot;

	for (i = 0; i < workers->n; i++) {
		slot = &workers->slots[i];
		if (slot->child == NULL || slot->answered != slot->asked)
			silent++;
		slot->asked++;
		send_number(slot, MESSAGE_PING, slot->asked);
	}
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
		if (workers->slots[i].stats != NULL)
			sum += stats_get_gauge(
				workers->slots[i].stats, STATS_CONNECTIONS);
	return sum;
}
