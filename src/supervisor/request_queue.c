/* Those who asked for a rollout. */
#include "supervisor/request_queue.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "base/mem.h"

TAILQ_HEAD(request_list, request);

struct request_queue {
	struct request_list list;
};

struct request {
	TAILQ_ENTRY(request) entry;
	struct request_queue *queue;
	request_answer_fn on_answer;
	void *arg;
	bool is_automatic;
};

struct request_queue *
request_queue_new(void)
{
	struct request_queue *queue = xcalloc(1, sizeof *queue);

	TAILQ_INIT(&queue->list);
	return queue;
}

void
request_queue_free(struct request_queue **queue)
{
	struct request *request;

	if (*queue == NULL)
		return;
	while ((request = TAILQ_FIRST(&(*queue)->list)) != NULL)
		request_forget(&request);
	free(*queue);
	*queue = NULL;
}

struct request *
request_queue_add(
	struct request_queue *queue, request_answer_fn on_answer, void *arg)
{
	struct request *request = xcalloc(1, sizeof *request);

	request->queue = queue;
	request->on_answer = on_answer;
	request->arg = arg;
	TAILQ_INSERT_TAIL(&queue->list, request, entry);
	return request;
}

void
request_set_automatic(struct request *request)
{
	request->is_automatic = true;
}

bool
request_queue_is_automatic(const struct request_queue *queue)
{
	const struct request *request;

	TAILQ_FOREACH (request, &queue->list, entry)
		if (!request->is_automatic)
			return false;
	return !request_queue_is_empty(queue);
}

void
request_forget(struct request **request)
{
	struct request *gone = *request;

	*request = NULL;
	if (gone == NULL)
		return;
	TAILQ_REMOVE(&gone->queue->list, gone, entry);
	free(gone);
}

bool
request_queue_is_empty(const struct request_queue *queue)
{
	return TAILQ_EMPTY(&queue->list);
}

void
request_queue_move(struct request_queue *from, struct request_queue *to)
{
	struct request *request;

	TAILQ_FOREACH (request, &from->list, entry)
		request->queue = to;
	TAILQ_CONCAT(&to->list, &from->list, entry);
}

void
request_queue_answer(
	struct request_queue *queue, const struct rollout_result *result)
{
	struct request *request;
	request_answer_fn on_answer;
	void *arg;

	while ((request = TAILQ_FIRST(&queue->list)) != NULL) {
		on_answer = request->on_answer;
		arg = request->arg;
		request_forget(&request);
		if (on_answer != NULL)
			on_answer(result, arg);
	}
}
