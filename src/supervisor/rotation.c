#include "config.h"

#include "supervisor/rotation.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "conf/file_record.h"
#include "conf/file_source.h"
#include "conf/report.h"
#include "supervisor/finding.h"

const struct rotation_times rotation_usual_times = {
	.watch = {.quiet_ms = 500, .at_most_ms = 5000},
	.retry_ms = 1000,
	.retry_max_ms = 60000,
	.patience_ms = 10000,
};

/* Findings that one refusal puts into the log. */
#define FINDINGS_MAX 10

enum rotation_state {
	ROTATION_STEADY,  /* what was on disk runs */
	ROTATION_WAITING, /* refused, but perhaps not complete yet */
	ROTATION_FAILED   /* still refused; the log says so */
};

struct rotation {
	const char *conf_path;
	const struct rotation_times *times;
	rotation_fn on_change;
	void *arg;
	struct file_watch *watch;
	struct file_record *record; /* NULL: nothing is watched */
	struct event *retry;
	enum rotation_state state;
	bool paused;
	uint64_t since_ms;     /* of the first refusal */
	uint64_t delay_ms;     /* before the next retry */
	struct text_list said; /* the errors of the last refusal */
};

/* ---- what has changed ---- */

static char *
join(const struct text_list *list)
{
	char *text = xstrdup(list->items[0]);

	for (size_t i = 1; i < list->n; i++) {
		char *longer = xasprintf("%s, %s", text, list->items[i]);

		free(text);
		text = longer;
	}
	return text;
}

static void
log_reloading(const struct text_list *changed)
{
	char *names = join(changed);
	const struct log_field fields[] = {
		{.key = "cause", .text = "files"},
		{.key = "file", .text = names},
	};

	log_event(LOG_LEVEL_NOTICE, "reloading", fields,
		sizeof fields / sizeof fields[0]);
	free(names);
}

static void
find_changed(const struct rotation *rotation, struct text_list *changed)
{
	struct file_source *now = file_source_beside(rotation->conf_path);

	file_record_compare(rotation->record, now, changed);
	file_source_free(&now);
	mem_give_back();
}

/* A rollout that is under way is followed by another look. */
static void
on_quiet(void *arg)
{
	struct rotation *rotation = arg;
	struct text_list changed = {0};

	if (rotation->paused || rotation->record == NULL)
		return;
	find_changed(rotation, &changed);
	if (changed.n == 0) {
		log_msg(LOG_LEVEL_DEBUG, "files read the same");
		return;
	}
	log_reloading(&changed);
	text_list_done(&changed);
	(void)evtimer_del(rotation->retry);
	rotation->delay_ms = rotation->times->retry_ms;
	rotation->on_change(rotation->arg);
}

/* ---- what was refused ---- */

/* The first error that a walk of a report comes to. */
struct first_error {
	struct report_finding finding;
	bool found;
};

static void
take_first_error(const struct report_finding *finding, void *arg)
{
	struct first_error *first = arg;

	if (first->found || finding->severity != REPORT_ERROR)
		return;
	first->finding = *finding;
	first->found = true;
}

static void
log_waiting(const struct report *report)
{
	struct first_error first = {.found = false};

	report_walk(report, take_first_error, &first);
	if (first.found)
		finding_log(LOG_LEVEL_NOTICE,
			"waiting for a complete set of files", &first.finding);
}

/* Which errors have been logged before, and which there are now. */
struct comparison {
	const struct text_list *said;
	struct text_list now;
	size_t left; /* lines that may still be logged */
};

static void
log_new_error(const struct report_finding *finding, void *arg)
{
	struct comparison *comparison = arg;
	char *text;

	if (finding->severity != REPORT_ERROR)
		return;
	text = xasprintf("%s:%u: [%s] %s", finding->file, finding->line,
		finding->section, finding->text);
	if (!text_list_has(comparison->said, text) && comparison->left > 0) {
		comparison->left--;
		finding_log(LOG_LEVEL_ERROR,
			"changed files refused, the running configuration "
			"stays",
			finding);
	}
	text_list_add(&comparison->now, text);
	free(text);
}

static void
log_refused(struct rotation *rotation, const struct report *report)
{
	struct comparison comparison = {
		.said = &rotation->said, .left = FINDINGS_MAX};

	report_walk(report, log_new_error, &comparison);
	text_list_done(&rotation->said);
	rotation->said = comparison.now;
}

/* Sooner than its turn, if that is when patience ends. */
static void
schedule_retry(struct rotation *rotation, uint64_t now)
{
	uint64_t ms = rotation->delay_ms;
	uint64_t end = rotation->since_ms + rotation->times->patience_ms;
	struct timeval tv;

	if (rotation->state == ROTATION_WAITING && now + ms > end)
		ms = end > now ? end - now : 0;
	rotation->delay_ms *= 2;
	if (rotation->delay_ms > rotation->times->retry_max_ms)
		rotation->delay_ms = rotation->times->retry_max_ms;
	tv = clock_tv_of_ms(ms);
	(void)evtimer_add(rotation->retry, &tv);
}

static void
on_retry(int fd, short what, void *arg)
{
	struct rotation *rotation = arg;

	(void)fd;
	(void)what;
	if (rotation->paused) {
		schedule_retry(rotation, clock_monotonic_ms());
		return;
	}
	log_msg(LOG_LEVEL_DEBUG, "trying again to load changed files");
	rotation->on_change(rotation->arg);
}

void
rotation_refused(struct rotation *rotation, const struct report *report)
{
	uint64_t now = clock_monotonic_ms();

	if (rotation->record == NULL)
		return;
	switch (rotation->state) {
	case ROTATION_STEADY:
		rotation->state = ROTATION_WAITING;
		rotation->since_ms = now;
		rotation->delay_ms = rotation->times->retry_ms;
		log_waiting(report);
		break;
	case ROTATION_WAITING:
		if (now - rotation->since_ms < rotation->times->patience_ms)
			break;
		rotation->state = ROTATION_FAILED;
		log_refused(rotation, report);
		break;
	case ROTATION_FAILED:
		log_refused(rotation, report);
		break;
	}
	schedule_retry(rotation, now);
}

void
rotation_loaded(struct rotation *rotation)
{
	rotation->state = ROTATION_STEADY;
	(void)evtimer_del(rotation->retry);
	text_list_done(&rotation->said);
}

/* ---- life ---- */

struct rotation *
rotation_new(struct event_base *base, const char *conf_path,
	const struct rotation_times *times, rotation_fn on_change, void *arg)
{
	struct rotation *rotation = xcalloc(1, sizeof *rotation);

	rotation->conf_path = conf_path;
	rotation->times = times;
	rotation->on_change = on_change;
	rotation->arg = arg;
	rotation->retry = evtimer_new(base, on_retry, rotation);
	rotation->watch =
		file_watch_new(base, &times->watch, on_quiet, rotation);
	return rotation;
}

void
rotation_free(struct rotation **rotation)
{
	struct rotation *gone = *rotation;

	*rotation = NULL;
	if (gone == NULL)
		return;
	file_watch_free(&gone->watch);
	event_free(gone->retry);
	file_record_free(&gone->record);
	text_list_done(&gone->said);
	free(gone);
}

void
rotation_pause(struct rotation *rotation)
{
	rotation->paused = true;
}

void
rotation_follow(struct rotation *rotation, struct file_record *record)
{
	struct text_list paths = {0};

	rotation->paused = false;
	file_record_free(&rotation->record);
	rotation->record = record;
	if (record == NULL) {
		rotation_loaded(rotation);
		file_watch_set(rotation->watch, NULL);
		return;
	}
	file_record_paths(record, &paths);
	file_watch_set(rotation->watch, &paths);
	text_list_done(&paths);
}
