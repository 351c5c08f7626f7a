/* One new generation on its way from the disk to all workers. */
#include "supervisor/rollout.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conf/report.h"
#include "conf/settings.h"
#include "supervisor/bundle.h"
#include "supervisor/bundle_source.h"
#include "supervisor/names.h"
#include "supervisor/request_queue.h"
#include "supervisor/workers.h"

/* Host names get this long to be found before a generation goes without. */
#define NAMES_WAIT_MS 5000

/* Workers get this long to build a generation: some CRLs are large, some
 * configurations have ten thousand server names, and live traffic comes
 * first. */
#define BUILD_WAIT_MS 300000

/* So many workers may die of a generation before it is refused. */
#define DEATHS_MAX 3

struct rollout {
	const char *path;
	struct workers *workers;
	struct names *names;
	struct bundle *running;
	struct bundle *pending; /* NULL: none is on its way */
	struct report *report;  /* of the one on its way */
	bool failed;            /* a worker could not build it */
	bool names_waited;
	bool is_automatic; /* see rollout_result */
	bool stopped;
	struct bundle_source *source;
	struct event *begin;
	struct event *names_deadline;
	struct event *build_deadline;
	struct request_queue *current; /* for the one on its way */
	struct request_queue *next;
	struct rollout_callbacks callbacks;
	void *arg;
};

static void
begin_soon(struct rollout *rollout)
{
	if (rollout->pending == NULL && !request_queue_is_empty(rollout->next))
		event_active(rollout->begin, EV_TIMEOUT, 0);
}

struct request *
rollout_ask(struct rollout *rollout, request_answer_fn on_end, void *arg)
{
	struct request *request = request_queue_add(rollout->next, on_end, arg);

	begin_soon(rollout);
	return request;
}

/* ---- the end ---- */

static void
finish(struct rollout *rollout, bool ok)
{
	struct report *report = rollout->report;
	const struct rollout_result result = {
		.ok = ok,
		.is_automatic = rollout->is_automatic,
		.generation = rollout->running == NULL
				      ? 0
				      : bundle_number(rollout->running),
		.report = report,
	};

	rollout->report = NULL;
	(void)evtimer_del(rollout->names_deadline);
	(void)evtimer_del(rollout->build_deadline);
	rollout->callbacks.on_end(&result, rollout->arg);
	request_queue_answer(rollout->current, &result);
	report_free(&report);
	begin_soon(rollout);
}

static void
refuse(struct rollout *rollout)
{
	workers_abort(rollout->workers);
	if (rollout->running != NULL)
		names_keep(rollout->names, bundle_settings(rollout->running));
	bundle_source_drop(
		rollout->source, rollout->running, &rollout->pending);
	finish(rollout, false);
}

static void
tell_workers(const struct message *answer, void *arg)
{
	workers_send(arg, answer);
}

static void
commit(struct rollout *rollout)
{
	bundle_use_log(rollout->pending);
	names_repeat(rollout->names, tell_workers, rollout->workers);
	workers_commit(rollout->workers);
	names_keep(rollout->names, bundle_settings(rollout->pending));
	names_set_process(
		rollout->names, &bundle_settings(rollout->pending)->process);
	if (rollout->running != NULL)
		bundle_remove_files(rollout->running, rollout->pending);
	bundle_free(&rollout->running);
	rollout->running = rollout->pending;
	rollout->pending = NULL;
	bundle_source_store(rollout->source, rollout->running);
	finish(rollout, true);
}

static void
end_if_complete(struct rollout *rollout)
{
	if (rollout->pending == NULL || !workers_all_answered(rollout->workers))
		return;
	if (rollout->failed)
		refuse(rollout);
	else if (names_all_answered(rollout->names) || rollout->names_waited)
		commit(rollout);
}

/* ---- news ---- */

static void
on_names_deadline(int fd, short what, void *arg)
{
	struct rollout *rollout = arg;

	(void)fd;
	(void)what;
	rollout->names_waited = true;
	end_if_complete(rollout);
}

void
rollout_on_answer(const struct message *answer, void *arg)
{
	struct rollout *rollout = arg;

	workers_send(rollout->workers, answer);
	end_if_complete(rollout);
}

static void
on_staged(bool ok, const struct report *report, void *arg)
{
	struct rollout *rollout = arg;

	if (rollout->pending == NULL)
		return;
	report_merge(rollout->report, report);
	if (!ok)
		rollout->failed = true;
	end_if_complete(rollout);
}

static void
on_worker_staged(struct workers *workers, void *arg)
{
	const struct rollout *rollout = arg;

	names_repeat(rollout->names, tell_workers, workers);
}

/* WHY: what all of it has in common, beyond what a line could be blamed for. */
static void
refuse_whole(struct rollout *rollout, const char *why)
{
	const struct conf_pos pos = {.file = rollout->path};

	report_add(rollout->report, REPORT_ERROR, &pos, NULL, "%s", why);
	refuse(rollout);
}

static void
on_build_deadline(int fd, short what, void *arg)
{
	struct rollout *rollout = arg;

	(void)fd;
	(void)what;
	if (rollout->pending != NULL && !workers_all_answered(rollout->workers))
		refuse_whole(rollout, "workers do not answer in time");
}

static void
on_worker_exit(void *arg)
{
	struct rollout *rollout = arg;

	if (rollout->pending != NULL && !rollout->stopped &&
		workers_deaths(rollout->workers) >= DEATHS_MAX)
		refuse_whole(rollout,
			"workers do not come up with it; the log says why");
}

const struct workers_callbacks rollout_workers_callbacks = {
	.on_staged = on_staged,
	.on_worker_staged = on_worker_staged,
	.on_exit = on_worker_exit,
};

/* ---- the way ---- */

static void
stage(struct rollout *rollout)
{
	struct timeval names_wait = clock_tv_of_ms(NAMES_WAIT_MS);
	struct timeval build_wait = clock_tv_of_ms(BUILD_WAIT_MS);

	rollout->failed = false;
	rollout->names_waited = false;
	names_use(rollout->names, bundle_settings(rollout->pending));
	(void)evtimer_add(rollout->names_deadline, &names_wait);
	(void)evtimer_add(rollout->build_deadline, &build_wait);
	workers_stage(rollout->workers, rollout->pending);
}

/* Whoever waits for one, or asks for one from now on, gets none. */
static void
refuse_all(struct rollout *rollout)
{
	const struct conf_pos pos = {.file = rollout->path};

	if (rollout->pending == NULL && request_queue_is_empty(rollout->next))
		return;
	request_queue_move(rollout->next, rollout->current);
	if (rollout->report == NULL)
		rollout->report = report_new();
	report_add(rollout->report, REPORT_ERROR, &pos, NULL,
		"not loaded: the daemon is stopping");
	if (rollout->pending != NULL)
		refuse(rollout);
	else
		finish(rollout, false);
}

static void
on_begin(int fd, short what, void *arg)
{
	struct rollout *rollout = arg;

	(void)fd;
	(void)what;
	if (rollout->pending != NULL)
		return;
	if (rollout->stopped) {
		refuse_all(rollout);
		return;
	}
	request_queue_move(rollout->next, rollout->current);
	rollout->report = report_new();
	rollout->is_automatic = request_queue_is_automatic(rollout->current);
	rollout->callbacks.on_begin(rollout->is_automatic, rollout->arg);
	rollout->pending = bundle_source_next(
		rollout->source, rollout->running, rollout->report);
	if (rollout->pending != NULL)
		stage(rollout);
	else
		finish(rollout, false);
}

/* ---- life ---- */

struct rollout *
rollout_new(struct event_base *base, const char *path,
	const struct rollout_callbacks *callbacks, void *arg)
{
	struct rollout *rollout = xcalloc(1, sizeof *rollout);

	rollout->path = path;
	rollout->callbacks = *callbacks;
	rollout->arg = arg;
	rollout->begin = evtimer_new(base, on_begin, rollout);
	rollout->names_deadline = evtimer_new(base, on_names_deadline, rollout);
	rollout->build_deadline = evtimer_new(base, on_build_deadline, rollout);
	rollout->current = request_queue_new();
	rollout->next = request_queue_new();
	rollout->source = bundle_source_new(path, &callbacks->source, arg);
	return rollout;
}

void
rollout_use(
	struct rollout *rollout, struct workers *workers, struct names *names)
{
	rollout->workers = workers;
	rollout->names = names;
}

int
rollout_take_over(struct rollout *rollout, struct handover *handover)
{
	rollout->running = bundle_source_take_over(rollout->source, handover);
	if (rollout->running == NULL)
		return -1;
	workers_take_over(rollout->workers, rollout->running, handover);
	/* The first generation of ours may have others, and be refused. */
	names_use(rollout->names, bundle_settings(rollout->running));
	bundle_use_log(rollout->running);
	return 0;
}

void
rollout_hand_over(const struct rollout *rollout, struct handover *handover)
{
	bundle_source_hand_over(rollout->source, rollout->running, handover);
}

bool
rollout_is_busy(const struct rollout *rollout)
{
	return rollout->pending != NULL ||
	       !request_queue_is_empty(rollout->next);
}

void
rollout_free(struct rollout **rollout)
{
	struct rollout *gone = *rollout;

	*rollout = NULL;
	if (gone == NULL)
		return;
	request_queue_free(&gone->current);
	request_queue_free(&gone->next);
	event_free(gone->begin);
	event_free(gone->names_deadline);
	event_free(gone->build_deadline);
	report_free(&gone->report);
	bundle_free(&gone->pending);
	bundle_free(&gone->running);
	bundle_source_free(&gone->source);
	free(gone);
}

void
rollout_stop(struct rollout *rollout)
{
	if (rollout->stopped)
		return;
	rollout->stopped = true;
	if (rollout->running != NULL)
		bundle_source_close_sockets(rollout->source, rollout->running);
	names_stop(rollout->names);
	refuse_all(rollout);
}

const struct bundle *
rollout_running(const struct rollout *rollout)
{
	return rollout->running;
}
