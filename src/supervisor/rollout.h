#pragma once

#include <stdbool.h>

#include "supervisor/bundle_source.h"
#include "supervisor/request_queue.h"

struct bundle;
struct event_base;
struct handover;
struct message;
struct names;
struct rollout;
struct workers;

/*
 * One new generation on its way from the disk to all workers: load, stage,
 * wait for all workers and for the names of backends, then commit or refuse.
 * A start is the first one. One at a time; what is asked for meanwhile begins
 * when it has ended, so that everybody gets the result of one that began
 * after the question, and many questions cost one rollout.
 */
/* What the supervisor hears of every rollout, before those who asked for it. */
struct rollout_callbacks {
	void (*on_begin)(bool is_automatic, void *arg);
	struct bundle_source_callbacks source;
	request_answer_fn on_end;
};

/* Nothing happens before rollout_use(). */
struct rollout *rollout_new(struct event_base *base, const char *path,
	const struct rollout_callbacks *callbacks, void *arg);

/* Who has to be told; both are borrowed, and made with the callbacks below. */
void rollout_use(
	struct rollout *rollout, struct workers *workers, struct names *names);

/*
 * Instead of a start: HANDOVER brings what the binary before ours has made, and
 * the next rollout brings workers of our own. If the disk has nothing that can
 * be loaded, they get what runs. A preflight has tried that: -1, after lines in
 * the log, is a bug, and the service manager has to start us anew.
 */
int rollout_take_over(struct rollout *rollout, struct handover *handover);

/* The other way. Nothing may be on its way. */
void rollout_hand_over(
	const struct rollout *rollout, struct handover *handover);

/* Is one on its way, or asked for? */
bool rollout_is_busy(const struct rollout *rollout);

/* Requests that are left are not answered. Accepts NULL. */
void rollout_free(struct rollout **rollout);

/* Asks for one; ON_END may be NULL. request_forget() for one whose asker has
 * gone: the rollout goes on. */
struct request *rollout_ask(
	struct rollout *rollout, request_answer_fn on_end, void *arg);

/* No more of them: what is on its way is refused, and the sockets of what
 * runs are closed. Whoever still waits hears that it failed. */
void rollout_stop(struct rollout *rollout);

/* What runs; NULL before the first end that was good. */
const struct bundle *rollout_running(const struct rollout *rollout);

/* For workers_new() and names_new(), whose ARG is the rollout. */
extern const struct workers_callbacks rollout_workers_callbacks;
void rollout_on_answer(const struct message *answer, void *arg);
