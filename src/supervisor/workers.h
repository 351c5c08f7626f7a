#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bundle;
struct error;
struct event_base;
struct handover;
struct message;
struct report;
struct workers;

/*
 * The worker processes: as many as the generation says, replaced when they die
 * (with back-off), each with the generation that it was last given. Those of
 * a generation that wants more are started before it is committed; those that
 * a generation does not want any more leave when it is: they get what comes
 * after it, too, but nobody waits for them.
 *
 * A new worker is staged what runs and what is pending, and commits when its
 * turn comes, so that its owner sees only complete sets.
 */
struct workers_callbacks {
	/* A worker that serves answered to what is pending. OK: it has been
	 * built. The findings are its own. */
	void (*on_staged)(bool ok, const struct report *report, void *arg);
	/* A worker is up again, or has got what runs: tell it the names. */
	void (*on_worker_staged)(struct workers *workers, void *arg);
	/* One is gone for good (while stopping) or for now. */
	void (*on_exit)(void *arg);
};

/* None yet: the first workers_stage() starts them. */
struct workers *workers_new(struct event_base *base,
	const struct workers_callbacks *callbacks, void *arg);
void workers_free(struct workers **workers);

/*
 * Those of the binary before ours, while RUNNING serves: they go on with it,
 * and are replaced if they die, until the next commit, which is of workers of
 * our own. Then they leave. Those that could not live under what is committed,
 * or speak another protocol and it is not what they have, have the
 * drain_timeout to end their connections.
 */
void workers_take_over(struct workers *workers, const struct bundle *running,
	struct handover *handover);

/* To the next binary. Returns -1 with ERR: not just now. */
int workers_hand_over(const struct workers *workers, struct handover *handover,
	struct error *err);

/* Brings BUNDLE to all; on_staged follows once per worker. Borrowed until
 * commit, abort or free. */
void workers_stage(struct workers *workers, const struct bundle *bundle);

/* Has every worker that serves said whether it can build what is pending? */
bool workers_all_answered(const struct workers *workers);

/* What is pending runs from now on, here and in every worker to come. */
void workers_commit(struct workers *workers);
void workers_abort(struct workers *workers);

/* To all, now. */
void workers_send(struct workers *workers, const struct message *m);

/* No more replacements; every worker drains for MS at most, 0: at once. */
void workers_drain(struct workers *workers, uint64_t ms);

/* Asks for a sign of life. Returns how many of those that serve gave none since
 * the last call. */
size_t workers_ping(struct workers *workers);

/* Deaths since the last stage: one that goes in circles is to end. */
size_t workers_deaths(const struct workers *workers);

/* Those that serve (of our binary), and those that leave or are going to. */
size_t workers_count(const struct workers *workers);
size_t workers_leaving(const struct workers *workers);

/* Open connections of all, from the shared numbers. */
uint64_t workers_connections(const struct workers *workers);
