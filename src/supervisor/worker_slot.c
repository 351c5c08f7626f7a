/* One place for a worker, and the process that fills it. */
#include "supervisor/worker_slot.h"

#include <stdlib.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/report.h"
#include "conf/settings.h"
#include "ipc/message.h"
#include "supervisor/bundle.h"
#include "supervisor/child.h"
#include "supervisor/handover.h"
#include "supervisor/worker_log.h"
#include "supervisor/worker_numbers.h"
#include "supervisor/worker_respawn.h"

struct worker_slot {
	struct event_base *base;
	unsigned index;
	struct worker_slot_callbacks callbacks;
	void *arg;
	struct child *child; /* NULL: dead for now */
	int sessions_fd;
	struct worker_numbers numbers;
	struct worker_respawn respawn;
	bool ready;
	bool foreign; /* speaks another protocol */
	enum worker_order order;
	uint64_t told;     /* number of the generation that it was given last */
	uint64_t answered; /* ... that it spoke of last */
	uint64_t staged;   /* ... that it has built, and still has */
	uint64_t committed; /* ... that it serves */
	uint64_t asked;     /* number of the last ping */
	uint64_t ponged;
};

static void
send_number(struct worker_slot *slot, enum message_type type, uint64_t number)
{
	struct message m;

	message_init(&m, type);
	message_put_u64(&m, number);
	worker_slot_send(slot, &m);
}

/* ---- what a worker says ---- */

static void
on_staged(struct worker_slot *slot, struct message *m)
{
	uint64_t number = message_get_u64(m);
	bool ok = message_get_u8(m) == 1;
	int fd = message_take_fd(m);
	struct report *report = report_new();
	struct error err;

	if (fd < 0 || report_merge_fd(report, fd, &err) < 0)
		ok = false;
	fd_close(&fd);
	/* Else it has dropped that one for the next, which is on its way. */
	if (number == slot->told) {
		slot->answered = number;
		slot->staged = ok ? number : 0;
		slot->callbacks.on_staged(slot, number, ok, report, slot->arg);
	}
	report_free(&report);
}

/* Is it to be there, so that it is replaced if it dies? */
static bool
is_wanted(const struct worker_slot *slot)
{
	return slot->order == WORKER_SERVE || slot->order == WORKER_LAST;
}

static void
on_message(struct message *m, void *arg)
{
	struct worker_slot *slot = arg;

	if (slot->foreign)
		return;
	switch (m->type) {
	case MESSAGE_READY:
		slot->ready = true;
		if (is_wanted(slot))
			slot->callbacks.on_ready(slot, slot->arg);
		return;
	case MESSAGE_STAGED:
		on_staged(slot, m);
		return;
	case MESSAGE_PONG:
		slot->ponged = message_get_u64(m);
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
	case MESSAGE_LEAVE:
	case MESSAGE_PING:
	case MESSAGE_RESOLVE:
	case MESSAGE_N_TYPES:
		log_msg(LOG_LEVEL_ERROR, "unexpected message %s from worker %u",
			message_type_name(m->type), slot->index);
		return;
	}
}

/* ---- life and death ---- */

/* Has it done what it was told, and nothing else? */
static bool
has_obeyed(const struct worker_slot *slot, int status)
{
	return !is_wanted(slot) && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

static void
empty(struct worker_slot *slot)
{
	slot->child = NULL;
	slot->ready = false;
	slot->foreign = false;
	slot->told = 0;
	slot->answered = 0;
	slot->staged = 0;
	slot->committed = 0;
	worker_numbers_vacate(&slot->numbers);
}

static void
on_exit_of(struct child *child, int status, void *arg)
{
	struct worker_slot *slot = arg;
	uint64_t lived_ms = clock_monotonic_ms() - child_started_ms(child);
	bool died = !has_obeyed(slot, status);

	if (died) {
		worker_respawn_died(&slot->respawn, lived_ms);
		worker_log_died(slot->index, child_pid(child), status,
			is_wanted(slot) ? slot->respawn.backoff_ms
					: WORKER_LOG_NO_RESPAWN);
	} else if (slot->order == WORKER_LEAVE) {
		worker_log_left(slot->index, child_pid(child));
	}
	empty(slot);
	if (is_wanted(slot))
		worker_respawn_begin(&slot->respawn);
	slot->callbacks.on_exit(slot, died, slot->arg);
}

static void
on_due(void *arg)
{
	struct worker_slot *slot = arg;

	if (slot->child == NULL)
		slot->callbacks.on_vacant(slot, slot->arg);
}

static const struct child_callbacks child_callbacks = {
	.on_message = on_message, .on_exit = on_exit_of};

void
worker_slot_start(struct worker_slot *slot,
	const struct process_settings *process, uint64_t max_connections)
{
	struct child_args args = {
		.role = CHILD_WORKER,
		.stats_fd = slot->numbers.fd,
		.sessions_fd = slot->sessions_fd,
		.max_connections = max_connections,
		.log_format = process->log_format,
		.log_level = process->log_level,
		.sandbox = process->sandbox != SANDBOX_OFF,
		.user = process->user,
		.group = process->group,
	};
	struct error err;

	slot->asked = 0;
	slot->ponged = 0;
	slot->child =
		child_start(slot->base, &args, &child_callbacks, slot, &err);
	if (slot->child != NULL) {
		worker_log_started(slot->index, child_pid(slot->child));
		return;
	}
	log_msg(LOG_LEVEL_ERROR, "%s", err.text);
	worker_respawn_begin_late(&slot->respawn);
}

static struct worker_slot *
new_slot(struct event_base *base, unsigned index,
	const struct worker_slot_callbacks *callbacks, void *arg)
{
	struct worker_slot *slot = xcalloc(1, sizeof *slot);

	slot->base = base;
	slot->index = index;
	slot->sessions_fd = -1;
	slot->callbacks = *callbacks;
	slot->arg = arg;
	worker_respawn_init(&slot->respawn, base, on_due, slot);
	return slot;
}

struct worker_slot *
worker_slot_new(struct event_base *base, unsigned index, int sessions_fd,
	const struct worker_slot_callbacks *callbacks, void *arg)
{
	struct worker_slot *slot = new_slot(base, index, callbacks, arg);

	worker_numbers_init(&slot->numbers);
	slot->sessions_fd = sessions_fd;
	return slot;
}

struct worker_slot *
worker_slot_adopt(struct event_base *base, const struct handover_worker *worker,
	bool foreign, const struct worker_slot_callbacks *callbacks, void *arg)
{
	struct worker_slot *slot =
		new_slot(base, worker->index, callbacks, arg);
	struct error err;

	worker_numbers_adopt(&slot->numbers, worker->stats_fd);
	slot->order = worker->leaving ? WORKER_LEAVE : WORKER_LAST;
	slot->ready = true;
	slot->foreign = foreign || worker->foreign;
	slot->child = child_adopt(base, worker->pid, worker->channel_fd,
		&child_callbacks, slot, &err);
	return slot;
}

int
worker_slot_hand_over(
	const struct worker_slot *slot, struct handover_worker *worker_out)
{
	if (slot->child == NULL || child_channel_fd(slot->child) < 0)
		return -1;
	*worker_out = (struct handover_worker){
		.index = slot->index,
		.pid = child_pid(slot->child),
		.leaving = !is_wanted(slot),
		.foreign = slot->foreign,
		.channel_fd = child_channel_fd(slot->child),
		.stats_fd = slot->numbers.fd,
	};
	return 0;
}

void
worker_slot_free(struct worker_slot **slot)
{
	struct worker_slot *gone = *slot;

	*slot = NULL;
	if (gone == NULL)
		return;
	worker_respawn_done(&gone->respawn);
	worker_numbers_done(&gone->numbers);
	free(gone);
}

/* ---- orders ---- */

void
worker_slot_leave(struct worker_slot *slot)
{
	struct message m;

	slot->order = WORKER_LEAVE;
	worker_respawn_cancel(&slot->respawn);
	if (slot->child == NULL)
		return;
	worker_log_leaves(slot->index, child_pid(slot->child),
		worker_slot_connections(slot));
	message_init(&m, MESSAGE_LEAVE);
	child_send(slot->child, &m);
}

void
worker_slot_drain(struct worker_slot *slot, uint64_t ms)
{
	struct message m;

	slot->order = WORKER_STOP;
	worker_respawn_cancel(&slot->respawn);
	if (slot->child == NULL)
		return;
	message_init(&m, MESSAGE_DRAIN);
	message_put_u64(&m, ms);
	child_send(slot->child, &m);
}

void
worker_slot_send(struct worker_slot *slot, const struct message *m)
{
	if (slot->child != NULL && !slot->foreign)
		child_send(slot->child, m);
}

void
worker_slot_stage(
	struct worker_slot *slot, const struct bundle *bundle, bool accepts)
{
	if (!slot->ready || slot->foreign)
		return;
	slot->told = bundle_number(bundle);
	slot->staged = 0;
	bundle_stage(bundle, slot->child, accepts);
}

bool
worker_slot_is_stale(const struct worker_slot *slot, uint64_t number)
{
	return slot->foreign ||
	       (slot->answered == number && slot->staged != number);
}

void
worker_slot_commit(
	struct worker_slot *slot, uint64_t number, uint64_t max_connections)
{
	struct message m;

	if (slot->staged != number || slot->foreign)
		return;
	slot->committed = number;
	message_init(&m, MESSAGE_COMMIT);
	message_put_u64(&m, number);
	message_put_u64(&m, max_connections);
	worker_slot_send(slot, &m);
}

void
worker_slot_abort(struct worker_slot *slot, uint64_t number)
{
	send_number(slot, MESSAGE_ABORT, number);
}

unsigned
worker_slot_index(const struct worker_slot *slot)
{
	return slot->index;
}

enum worker_order
worker_slot_order(const struct worker_slot *slot)
{
	return slot->order;
}

pid_t
worker_slot_pid(const struct worker_slot *slot)
{
	return slot->child == NULL ? -1 : child_pid(slot->child);
}

uint64_t
worker_slot_answered(const struct worker_slot *slot)
{
	return slot->answered;
}

uint64_t
worker_slot_committed(const struct worker_slot *slot)
{
	return slot->committed;
}

bool
worker_slot_ping(struct worker_slot *slot)
{
	bool lives = slot->child != NULL && slot->ponged == slot->asked;

	slot->asked++;
	send_number(slot, MESSAGE_PING, slot->asked);
	return lives;
}

uint64_t
worker_slot_connections(const struct worker_slot *slot)
{
	return worker_numbers_connections(&slot->numbers);
}
