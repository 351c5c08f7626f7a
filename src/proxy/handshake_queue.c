/* Handshakes wait their turn behind live traffic. */
#include "proxy/handshake_queue.h"

#include <stddef.h>

void
handshake_queue_init(struct handshake_queue *queue)
{
	TAILQ_INIT(&queue->tasks);
}

bool
handshake_queue_is_empty(const struct handshake_queue *queue)
{
	return TAILQ_EMPTY(&queue->tasks);
}

void
handshake_queue_add(struct handshake_queue *queue, struct handshake_task *task)
{
	if (task->queued)
		return;
	TAILQ_INSERT_TAIL(&queue->tasks, task, entry);
	task->queued = true;
}

void
handshake_queue_remove(
	struct handshake_queue *queue, struct handshake_task *task)
{
	if (!task->queued)
		return;
	TAILQ_REMOVE(&queue->tasks, task, entry);
	task->queued = false;
}

void
handshake_queue_step(struct handshake_queue *queue)
{
	struct handshake_task *task = TAILQ_FIRST(&queue->tasks);

	if (task == NULL)
		return;
	handshake_queue_remove(queue, task);
	task->step(task);
}
