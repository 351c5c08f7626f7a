/* The supervisor: the loop, its signals, and what it says of itself. */
#include "supervisor/supervisor.h"

#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/systemd.h"
#include "conf/report.h"
#include "conf/settings.h"
#include "supervisor/bundle.h"
#include "supervisor/child.h"
#include "supervisor/drain.h"
#include "supervisor/names.h"
#include "supervisor/pulse.h"
#include "supervisor/rollout.h"
#include "supervisor/workers.h"

struct supervisor {
	struct event_base *base;
	struct workers *workers;
	struct names *names;
	struct rollout *rollout;
	struct pulse *pulse;
	struct drain *drain;
	struct event *on_term, *on_int, *on_hup, *on_chld;
	bool started; /* the first rollout has ended */
	int status;
};

/* ---- stop ---- */

static void
end_when_alone(struct supervisor *sv)
{
	if (drain_has_begun(sv->drain) && child_count() == 0)
		(void)event_base_loopbreak(sv->base);
}

static void
stop(struct supervisor *sv, uint64_t drain_ms)
{
	pulse_set_draining(sv->pulse);
	drain_begin(sv->drain, drain_ms);
	rollout_stop(sv->rollout);
	end_when_alone(sv);
}

/* Whatever has been served has this long; a second signal is impatient. */
static uint64_t
drain_ms(const struct supervisor *sv)
{
	const struct bundle *running = rollout_running(sv->rollout);

	if (running == NULL || drain_has_begun(sv->drain))
		return 0;
	return bundle_settings(running)->process.drain_timeout_ms;
}

static void
on_stop_signal(int number, short what, void *arg)
{
	struct supervisor *sv = arg;
	const struct log_field fields[] = {
		{.key = "signal",
			.text = number == SIGINT ? "SIGINT" : "SIGTERM"},
		{.key = "connections",
			.number = workers_connections(sv->workers)},
	};

	(void)what;
	log_event(LOG_LEVEL_NOTICE,
		drain_has_begun(sv->drain) ? "stopping at once" : "stopping",
		fields, sizeof fields / sizeof fields[0]);
	systemd_notify("STOPPING=1");
	stop(sv, drain_ms(sv));
}

/* ---- what became of a new generation ---- */

static void
log_listening(const struct bundle *bundle)
{
	struct log_field fields[2];
	char text[ADDR_TEXT_MAX];
	struct addr addr;
	const char *name;
	size_t i;

	for (i = 0; (name = bundle_socket(bundle, i, &addr)) != NULL; i++) {
		fields[0] = (struct log_field){.key = "listener", .text = name};
		fields[1] = (struct log_field){
			.key = "address", .text = addr_format(&addr, text)};
		log_event(LOG_LEVEL_NOTICE, "listening", fields, 2);
	}
}

static void
log_finding(enum log_level level, const char *message,
	const struct report_finding *finding)
{
	const struct log_field fields[] = {
		{.key = "file", .text = finding->file},
		{.key = finding->line == 0 ? NULL : "line",
			.number = finding->line},
		{.key = *finding->section == '\0' ? NULL : "section",
			.text = finding->section},
		{.key = "detail", .text = finding->text},
	};

	log_event(level, message, fields, sizeof fields / sizeof fields[0]);
}

static void
log_notice(const struct report_finding *finding, void *arg)
{
	(void)arg;
	log_finding(LOG_LEVEL_NOTICE, "note", finding);
}

/* What is meant by many and overlooked by some. */
static void
log_notices(const struct bundle *bundle)
{
	struct report *notices = report_new();

	settings_notices(bundle_settings(bundle), notices);
	report_walk(notices, log_notice, NULL);
	report_free(&notices);
}

static void
log_ready(const struct supervisor *sv)
{
	const struct bundle *running = rollout_running(sv->rollout);
	const struct log_field fields[] = {
		{.key = "listeners",
			.number = bundle_settings(running)->n_listeners},
		{.key = "workers", .number = workers_count(sv->workers)},
		{.key = "generation", .number = bundle_number(running)},
	};

	log_event(LOG_LEVEL_NOTICE,
		bundle_number(running) == 1 ? "ready" : "reloaded", fields,
		sizeof fields / sizeof fields[0]);
}

static void
notify_ready(const struct supervisor *sv)
{
	const struct bundle *running = rollout_running(sv->rollout);
	char state[128];

	(void)snprintf(state, sizeof state,
		"READY=1\nSTATUS=%zu listeners, %zu workers, generation "
		"%" PRIu64,
		bundle_settings(running)->n_listeners,
		workers_count(sv->workers), bundle_number(running));
	systemd_notify(state);
}

static void
on_rollout_begin(void *arg)
{
	const struct supervisor *sv = arg;
	char state[64];

	if (!sv->started)
		return;
	log_msg(LOG_LEVEL_NOTICE, "reloading");
	(void)snprintf(state, sizeof state,
		"RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_monotonic_us());
	systemd_notify(state);
}

static void
log_finding_of_reload(const struct report_finding *finding, void *arg)
{
	(void)arg;
	if (finding->severity == REPORT_ERROR)
		log_finding(LOG_LEVEL_ERROR, "configuration error", finding);
	else
		log_finding(LOG_LEVEL_WARN, "configuration warning", finding);
}

/* A start is watched by whoever typed it: as `check` prints it. */
static void
print_findings(const struct rollout_result *result)
{
	report_print(result->report, stderr);
	if (!result->ok)
		report_print_count(
			result->report, "configuration not loaded", stderr);
}

static void
log_findings(const struct rollout_result *result)
{
	const struct log_field fields[] = {
		{.key = "errors", .number = report_errors(result->report)},
		{.key = "warnings", .number = report_warnings(result->report)},
		{.key = "generation", .number = result->generation},
	};

	report_walk(result->report, log_finding_of_reload, NULL);
	if (!result->ok)
		log_event(LOG_LEVEL_ERROR,
			"not reloaded, the running configuration stays", fields,
			sizeof fields / sizeof fields[0]);
}

static void
on_rollout_end(const struct rollout_result *result, void *arg)
{
	struct supervisor *sv = arg;
	const struct bundle *running = rollout_running(sv->rollout);

	if (sv->started)
		log_findings(result);
	else
		print_findings(result);
	sv->started = true;
	if (running == NULL) {
		sv->status = EXIT_FAILURE;
		if (!drain_has_begun(sv->drain))
			stop(sv, 0);
		return;
	}
	if (result->ok) {
		log_notices(running);
		log_listening(running);
		log_ready(sv);
	}
	if (!drain_has_begun(sv->drain))
		notify_ready(sv);
}

/* ---- life ---- */

static void
on_hup(int number, short what, void *arg)
{
	struct supervisor *sv = arg;

	(void)number;
	(void)what;
	if (!drain_has_begun(sv->drain))
		(void)rollout_ask(sv->rollout, NULL, NULL);
}

static void
on_chld(int number, short what, void *arg)
{
	(void)number;
	(void)what;
	child_reap_all();
	end_when_alone(arg);
}

static void
open_loop(struct supervisor *sv)
{
	sv->base = event_base_new();
	if (sv->base == NULL)
		abort();
	sv->on_term = evsignal_new(sv->base, SIGTERM, on_stop_signal, sv);
	sv->on_int = evsignal_new(sv->base, SIGINT, on_stop_signal, sv);
	sv->on_hup = evsignal_new(sv->base, SIGHUP, on_hup, sv);
	sv->on_chld = evsignal_new(sv->base, SIGCHLD, on_chld, sv);
	(void)event_add(sv->on_term, NULL);
	(void)event_add(sv->on_int, NULL);
	(void)event_add(sv->on_hup, NULL);
	(void)event_add(sv->on_chld, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static void
close_loop(struct supervisor *sv)
{
	event_free(sv->on_term);
	event_free(sv->on_int);
	event_free(sv->on_hup);
	event_free(sv->on_chld);
	event_base_free(sv->base);
}

static void
open_parts(struct supervisor *sv, const char *path)
{
	sv->rollout = rollout_new(
		sv->base, path, on_rollout_begin, on_rollout_end, sv);
	sv->workers =
		workers_new(sv->base, &rollout_workers_callbacks, sv->rollout);
	sv->names = names_new(sv->base, rollout_on_answer, sv->rollout);
	rollout_use(sv->rollout, sv->workers, sv->names);
	sv->drain = drain_new(sv->base, sv->workers);
	sv->pulse = pulse_new(sv->base, sv->workers);
}

static void
close_parts(struct supervisor *sv)
{
	pulse_free(&sv->pulse);
	drain_free(&sv->drain);
	rollout_free(&sv->rollout);
	workers_free(&sv->workers);
	names_free(&sv->names);
}

int
supervisor_main(const char *path)
{
	struct supervisor sv = {.status = EXIT_SUCCESS};

	log_open("supervisor", LOG_FORMAT_AUTO, LOG_LEVEL_NOTICE);
	(void)fd_raise_limit();
	open_loop(&sv);
	open_parts(&sv, path);
	(void)rollout_ask(sv.rollout, NULL, NULL);
	(void)event_base_dispatch(sv.base);
	close_parts(&sv);
	close_loop(&sv);
	if (sv.status == EXIT_SUCCESS)
		log_msg(LOG_LEVEL_NOTICE, "stopped");
	return sv.status;
}
