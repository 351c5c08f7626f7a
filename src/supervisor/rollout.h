#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bundle;
struct event_base;
struct message;
struct names;
struct report;
struct rollout;
struct rollout_request;
struct workers;

/*
 * One new generation on its way from the disk to all workers: load, stage,
 * wait for all workers and for the names of backends, then commit or refuse.
 * A start is the first one. One at a time; what is asked for meanwhile begins
 * when it has ended, so that everybody gets the result of one that began
 * after the question, and many questions cost one rollout.
 */
struct rollout_result {
	bool ok;             /* false: what ran before goes on untouched */
	uint64_t generation; /* the one that runs now; 0: none */
	const struct report *report; /* all that was found on the way */
};

typedef void (*rollout_begin_fn)(void *arg);
typedef void (*rollout_end_fn)(const struct rollout_result *result, void *arg);

/* ON_BEGIN and ON_END hear of every rollout, before those who asked for it.
 * Nothing happens before rollout_use(). */
struct rollout *rollout_new(struct event_base *base, const char *path,
	rollout_begin_fn on_begin, rollout_end_fn on_end, void *arg);

/* Who has to be told; both are borrowed, and made with the callbacks below. */
void rollout_use(
	struct rollout *rollout, struct workers *workers, struct names *names);

/* Requests that are left are not answered. Accepts NULL. */
void rollout_free(struct rollout **rollout);

/* Asks for one. ON_END (may be NULL) is called once, from the loop; the
 * request is freed right before. */
struct rollout_request *rollout_ask(
	struct rollout *rollout, rollout_end_fn on_end, void *arg);

/* Whoever asked has gone; the rollout goes on. Accepts NULL. */
void rollout_forget(struct rollout_request **request);

/* No more of them: what is on its way is refused, and the sockets of what
 * runs are closed. Whoever still waits hears that it failed. */
void rollout_stop(struct rollout *rollout);

/* What runs; NULL before the first end that was good. */
const struct bundle *rollout_running(const struct rollout *rollout);

/* For workers_new() and names_new(), whose ARG is the rollout. */
extern const struct workers_callbacks rollout_workers_callbacks;
void rollout_on_answer(const struct message *answer, void *arg);
