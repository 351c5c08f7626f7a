#pragma once

#include <stdbool.h>
#include <sys/queue.h>

/*
 * Connections whose handshake has something to do. The worker's loop serves
 * all ready relay I/O, then takes one step from here: a public key operation
 * costs as much as a thousand relayed records, and a storm of handshakes must
 * not stand before live traffic. So what is ready waits for one step at worst,
 * and the longest step (the server's signature; with a client certificate its
 * verification as well) cannot be split. (Measured, p99 of an established
 * ping-pong beside an RSA-2048 storm: 20-40 ms when each event drives its
 * handshake, 1.6-1.9 ms with this queue. Event priorities are no substitute:
 * they starve.)
 */
struct handshake_task {
	TAILQ_ENTRY(handshake_task) entry;
	bool queued;
	void (*step)(struct handshake_task *task);
};

TAILQ_HEAD(handshake_tasks, handshake_task);

struct handshake_queue {
	struct handshake_tasks tasks;
};

void handshake_queue_init(struct handshake_queue *queue);
bool handshake_queue_is_empty(const struct handshake_queue *queue);

/* Queued twice is queued once. The task belongs to the caller, who removes it
 * before it goes. */
void handshake_queue_add(
	struct handshake_queue *queue, struct handshake_task *task);
void handshake_queue_remove(
	struct handshake_queue *queue, struct handshake_task *task);

/* Takes the oldest task out and calls its step. Nothing when empty. */
void handshake_queue_step(struct handshake_queue *queue);
