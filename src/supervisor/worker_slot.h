#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct bundle;
struct event_base;
struct handover_worker;
struct message;
struct process_settings;
struct report;
struct worker_slot;

/*
 * One place for a worker: the process that fills it, if one lives just now,
 * its numbers in shared memory, and what it has built. The place outlives the
 * process: when that dies, it is filled again after a back-off. One whose
 * process leaves is not: it accepts nobody any more, gets every generation
 * all the same, so that its connections stay under the rules that hold, and
 * ends with the last of them.
 */
enum worker_order {
	WORKER_SERVE,
	WORKER_LAST, /* serves, until the next generation is committed: it is
			of the binary before ours */
	WORKER_LEAVE,
	WORKER_STOP
};

struct worker_slot_callbacks {
	/* The process is up: it can be given a generation. */
	void (*on_ready)(struct worker_slot *slot, void *arg);
	/* It answered to generation NUMBER, the last one that it was given.
	 * OK: it has been built. */
	void (*on_staged)(struct worker_slot *slot, uint64_t number, bool ok,
		const struct report *report, void *arg);
	/* The process is gone. DIED: not by order. May free the slot, and has
	 * to when it was ordered to leave or stop: nothing follows. */
	void (*on_exit)(struct worker_slot *slot, bool died, void *arg);
	/* It is time for the next process: worker_slot_start(). */
	void (*on_vacant)(struct worker_slot *slot, void *arg);
};

/* Empty; INDEX is its name in the log. SESSIONS_FD is what all workers remember
 * sessions in, borrowed as long as the slot lives; -1: each for itself. */
struct worker_slot *worker_slot_new(struct event_base *base, unsigned index,
	int sessions_fd, const struct worker_slot_callbacks *callbacks,
	void *arg);

/*
 * One that a process of the binary before ours fills. FOREIGN: that one speaks
 * another protocol. Such a worker, or one that was foreign there already, hears
 * of nothing but its end. Takes the descriptors.
 */
struct worker_slot *worker_slot_adopt(struct event_base *base,
	const struct handover_worker *worker, bool foreign,
	const struct worker_slot_callbacks *callbacks, void *arg);

/* The other way: what the next binary has to know. -1: the process cannot be
 * handed over just now. */
int worker_slot_hand_over(
	const struct worker_slot *slot, struct handover_worker *worker_out);

/* The process, if any, must have gone. Accepts NULL. */
void worker_slot_free(struct worker_slot **slot);

/* Fills the place; PROCESS says as whom and how confined. MAX_CONNECTIONS: 0
 * for what its descriptors allow. A failure is logged, on_vacant follows. */
void worker_slot_start(struct worker_slot *slot,
	const struct process_settings *process, uint64_t max_connections);

/* No new connection any more, no process when the last one has ended. */
void worker_slot_leave(struct worker_slot *slot);

/* No process any more when this one has gone; it drains for MS at most, 0: at
 * once. Again with less time makes haste. */
void worker_slot_drain(struct worker_slot *slot, uint64_t ms);

/* All ignored while there is no process. */
void worker_slot_send(struct worker_slot *slot, const struct message *m);
void worker_slot_stage(
	struct worker_slot *slot, const struct bundle *bundle, bool accepts);
void worker_slot_commit(
	struct worker_slot *slot, uint64_t number, uint64_t max_connections);
void worker_slot_abort(struct worker_slot *slot, uint64_t number);

/* Cannot live under generation NUMBER: it could not build that, or is not even
 * told of it. */
bool worker_slot_is_stale(const struct worker_slot *slot, uint64_t number);

unsigned worker_slot_index(const struct worker_slot *slot);
enum worker_order worker_slot_order(const struct worker_slot *slot);

/* Of the process; -1: there is none. */
pid_t worker_slot_pid(const struct worker_slot *slot);

/* Number of the last generation it has answered to, and of the one that it
 * serves; 0: none. */
uint64_t worker_slot_answered(const struct worker_slot *slot);
uint64_t worker_slot_committed(const struct worker_slot *slot);

/* Asks for a sign of life. Returns whether the last question was answered. */
bool worker_slot_ping(struct worker_slot *slot);

/* Open connections, from the shared numbers. */
uint64_t worker_slot_connections(const struct worker_slot *slot);
