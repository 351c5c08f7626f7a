#pragma once

#include <stdbool.h>
#include <stdint.h>

struct report;
struct request;
struct request_queue;

/* Those who asked for a rollout, in the order they came, and its result. */
struct rollout_result {
	bool ok;             /* false: what ran before goes on untouched */
	bool is_automatic;   /* nobody asked but the daemon itself */
	uint64_t generation; /* the one that runs now; 0: none */
	const struct report *report; /* all that was found on the way */
};

typedef void (*request_answer_fn)(
	const struct rollout_result *result, void *arg);

struct request_queue *request_queue_new(void);

/* Those who are left are not answered. Accepts NULL. */
void request_queue_free(struct request_queue **queue);

/* ON_ANSWER (may be NULL) is called once; the request is freed right before.
 * Owned by the queue that it is in. */
struct request *request_queue_add(
	struct request_queue *queue, request_answer_fn on_answer, void *arg);

/* The daemon itself asks: no person or program waits for the result. */
void request_set_automatic(struct request *request);

/* There are requests, and all of them are automatic. */
bool request_queue_is_automatic(const struct request_queue *queue);

/* Whoever asked has gone. Accepts NULL. */
void request_forget(struct request **request);

bool request_queue_is_empty(const struct request_queue *queue);

/* Puts all of FROM behind those of TO. */
void request_queue_move(struct request_queue *from, struct request_queue *to);

void request_queue_answer(
	struct request_queue *queue, const struct rollout_result *result);
