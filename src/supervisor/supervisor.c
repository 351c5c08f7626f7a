/* The supervisor: start, reload and stop of the whole. */
#include "supervisor/supervisor.h"

#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "base/systemd.h"
#include "check/check.h"
#include "conf/report.h"
#include "conf/settings.h"
#include "supervisor/bundle.h"
#include "supervisor/child.h"
#include "supervisor/names.h"
#include "supervisor/workers.h"

/* Host names get this long to be found before a generation goes without. */
#define NAMES_WAIT_MS 5000

/* Signs of life and STATUS=, unless the watchdog wants them sooner. */
#define PULSE_MS 5000

/* After drain_timeout (or a second signal) workers have this long to close
 * what is left before they are killed. */
#define KILL_AFTER_MS 2000

/* So many workers may die before a start is given up. */
#define START_DEATHS_MAX 3

struct supervisor {
	struct event_base *base;
	const char *path;
	struct workers *workers;
	struct names *names;
	struct bundle *running;
	struct bundle *pending;
	uint64_t next_number;
	uint8_t ticket_secret[BUNDLE_TICKET_SECRET_SIZE];
	struct event *on_term, *on_int, *on_hup, *on_chld;
	struct event *pulse, *names_deadline, *kill_timer;
	bool names_waited;
	unsigned stop_signals;
	bool reload_again; /* SIGHUP came while one was under way */
	int status;
};

static void
set_timer(struct event *timer, uint64_t ms)
{
	struct timeval tv = {.tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000)};

	(void)evtimer_add(timer, &tv);
}

static void
end_loop(struct supervisor *sv, int status)
{
	sv->status = status;
	(void)event_base_loopbreak(sv->base);
}

/* ---- stop ---- */

static void
end_when_alone(struct supervisor *sv)
{
	if (sv->stop_signals > 0 && child_count() == 0)
		end_loop(sv, sv->status);
}

static void
on_kill_timer(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	log_msg(LOG_LEVEL_WARN, "workers do not stop, killing them");
	child_kill_all();
}

/* Has the generation that runs, or would run, this long for its connections? */
static uint64_t
drain_ms(const struct supervisor *sv)
{
	if (sv->running == NULL || sv->stop_signals > 1)
		return 0;
	return bundle_settings(sv->running)->process.drain_timeout_ms;
}

static void
drain(struct supervisor *sv)
{
	uint64_t ms = drain_ms(sv);

	if (sv->running != NULL)
		bundle_close_sockets(sv->running);
	if (sv->pending != NULL) {
		workers_abort(sv->workers);
		bundle_free(&sv->pending);
	}
	names_stop(sv->names);
	workers_drain(sv->workers, ms);
	set_timer(sv->kill_timer, ms + KILL_AFTER_MS);
	end_when_alone(sv);
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
	sv->stop_signals++;
	log_event(LOG_LEVEL_NOTICE,
		sv->stop_signals > 1 ? "stopping at once" : "stopping", fields,
		sizeof fields / sizeof fields[0]);
	systemd_notify("STOPPING=1");
	drain(sv);
}

/* A start that failed: as a stop, but with the status of a failure. */
static void
give_up_start(struct supervisor *sv)
{
	sv->status = EXIT_FAILURE;
	sv->stop_signals = 2;
	drain(sv);
}

/* ---- commit ---- */

static void
use_log(const struct bundle *bundle)
{
	const struct process_settings *process =
		&bundle_settings(bundle)->process;

	log_open("supervisor", (enum log_format)process->log_format,
		(enum log_level)process->log_level);
}

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
log_notice(const struct report_finding *finding, void *arg)
{
	const struct log_field fields[] = {
		{.key = "file", .text = finding->file},
		{.key = "line", .number = finding->line},
		{.key = "section", .text = finding->section},
		{.key = "detail", .text = finding->text},
	};

	(void)arg;
	log_event(LOG_LEVEL_NOTICE, "note", fields,
		sizeof fields / sizeof fields[0]);
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
	const struct log_field fields[] = {
		{.key = "listeners",
			.number = bundle_settings(sv->running)->n_listeners},
		{.key = "workers", .number = workers_count(sv->workers)},
		{.key = "generation", .number = bundle_number(sv->running)},
	};

	log_event(LOG_LEVEL_NOTICE,
		bundle_number(sv->running) == 1 ? "ready" : "reloaded", fields,
		sizeof fields / sizeof fields[0]);
}

static void
notify_ready(const struct supervisor *sv)
{
	char state[128];

	(void)snprintf(state, sizeof state,
		"READY=1\nSTATUS=%zu listeners, %zu workers, generation "
		"%" PRIu64,
		bundle_settings(sv->running)->n_listeners,
		workers_count(sv->workers), bundle_number(sv->running));
	systemd_notify(state);
}

static void start_reload(struct supervisor *sv);

static void
tell_workers(const struct message *answer, void *arg)
{
	workers_send(arg, answer);
}

static void
commit(struct supervisor *sv)
{
	(void)evtimer_del(sv->names_deadline);
	use_log(sv->pending);
	names_repeat(sv->names, tell_workers, sv->workers);
	workers_commit(sv->workers);
	names_set_process(sv->names, &bundle_settings(sv->pending)->process);
	bundle_free(&sv->running);
	sv->running = sv->pending;
	sv->pending = NULL;
	log_notices(sv->running);
	log_listening(sv->running);
	log_ready(sv);
	notify_ready(sv);
	if (sv->reload_again)
		start_reload(sv);
}

static void
commit_if_complete(struct supervisor *sv)
{
	if (sv->pending == NULL || !workers_all_staged(sv->workers))
		return;
	if (names_all_answered(sv->names) || sv->names_waited)
		commit(sv);
}

static void
on_names_deadline(int fd, short what, void *arg)
{
	struct supervisor *sv = arg;

	(void)fd;
	(void)what;
	sv->names_waited = true;
	commit_if_complete(sv);
}

static void
on_answer(const struct message *answer, void *arg)
{
	struct supervisor *sv = arg;

	workers_send(sv->workers, answer);
	commit_if_complete(sv);
}

/* ---- stage ---- */

static void
refuse_pending(struct supervisor *sv, const struct report *report)
{
	report_print(report, stderr);
	report_print_count(report, "configuration not loaded", stderr);
	workers_abort(sv->workers);
	bundle_free(&sv->pending);
	(void)evtimer_del(sv->names_deadline);
	if (sv->running == NULL)
		give_up_start(sv);
	else
		notify_ready(sv);
}

static void
on_staged(bool ok, const struct report *report, void *arg)
{
	struct supervisor *sv = arg;

	if (sv->pending == NULL)
		return;
	if (!ok) {
		refuse_pending(sv, report);
		return;
	}
	if (!workers_all_staged(sv->workers))
		return;
	/* Every worker found the same: say it once. */
	report_print(report, stderr);
	commit_if_complete(sv);
}

static void
on_worker_staged(struct workers *workers, void *arg)
{
	struct supervisor *sv = arg;

	names_repeat(sv->names, tell_workers, workers);
}

static void
on_worker_exit(void *arg)
{
	struct supervisor *sv = arg;

	if (sv->stop_signals == 0 && sv->running == NULL &&
		workers_deaths(sv->workers) >= START_DEATHS_MAX) {
		log_msg(LOG_LEVEL_ERROR, "workers do not come up, giving up");
		give_up_start(sv);
	}
}

/* A new generation from the disk, sockets included. NULL: REPORT says why. */
static struct bundle *
load(struct supervisor *sv, struct report *report)
{
	struct bundle *bundle = bundle_load(
		sv->path, sv->next_number, sv->ticket_secret, report);

	if (bundle != NULL &&
		bundle_open_sockets(bundle, sv->running, report) < 0)
		bundle_free(&bundle);
	return bundle;
}

static void
stage(struct supervisor *sv)
{
	sv->next_number++;
	sv->names_waited = false;
	names_use(sv->names, bundle_settings(sv->pending));
	set_timer(sv->names_deadline, NAMES_WAIT_MS);
	workers_stage(sv->workers, sv->pending);
}

static void
start_reload(struct supervisor *sv)
{
	struct report *report = report_new();
	char state[64];

	sv->reload_again = false;
	(void)snprintf(state, sizeof state,
		"RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_monotonic_us());
	systemd_notify(state);
	sv->pending = load(sv, report);
	if (sv->pending != NULL) {
		stage(sv);
	} else {
		report_print(report, stderr);
		report_print_count(
			report, "the running configuration stays", stderr);
		notify_ready(sv);
	}
	report_free(&report);
}

static void
on_hup(int number, short what, void *arg)
{
	struct supervisor *sv = arg;

	(void)number;
	(void)what;
	if (sv->stop_signals > 0)
		return;
	log_msg(LOG_LEVEL_NOTICE, "reloading");
	if (sv->pending != NULL)
		sv->reload_again = true;
	else
		start_reload(sv);
}

/* ---- pulse ---- */

static void
on_chld(int number, short what, void *arg)
{
	(void)number;
	(void)what;
	child_reap_all();
	end_when_alone(arg);
}

static void
on_pulse(int fd, short what, void *arg)
{
	struct supervisor *sv = arg;
	char state[128];
	size_t silent = workers_ping(sv->workers);

	(void)fd;
	(void)what;
	(void)snprintf(state, sizeof state,
		"STATUS=%s, %" PRIu64 " connections%s",
		sv->stop_signals > 0 ? "draining" : "serving",
		workers_connections(sv->workers),
		silent == 0 ? "\nWATCHDOG=1" : "");
	systemd_notify(state);
}

static void
start_pulse(struct supervisor *sv)
{
	uint64_t watchdog_ms = systemd_watchdog_us() / 1000;
	uint64_t ms = watchdog_ms > 0 && watchdog_ms / 3 < PULSE_MS
			      ? watchdog_ms / 3
			      : PULSE_MS;
	struct timeval tv = {.tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000)};

	(void)event_add(sv->pulse, &tv);
}

/* ---- life ---- */

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
	sv->pulse = event_new(sv->base, -1, EV_PERSIST, on_pulse, sv);
	sv->names_deadline = evtimer_new(sv->base, on_names_deadline, sv);
	sv->kill_timer = evtimer_new(sv->base, on_kill_timer, sv);
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
	event_free(sv->pulse);
	event_free(sv->names_deadline);
	event_free(sv->kill_timer);
	event_base_free(sv->base);
}

static void
run(struct supervisor *sv)
{
	static const struct workers_callbacks callbacks = {
		.on_staged = on_staged,
		.on_worker_staged = on_worker_staged,
		.on_exit = on_worker_exit,
	};
	const struct process_settings *process =
		&bundle_settings(sv->pending)->process;

	open_loop(sv);
	sv->names = names_new(sv->base, process, on_answer, sv);
	sv->workers = workers_new(sv->base, process, &callbacks, sv);
	start_pulse(sv);
	stage(sv);
	(void)event_base_dispatch(sv->base);
	workers_free(&sv->workers);
	names_free(&sv->names);
	close_loop(sv);
}

int
supervisor_main(const char *path)
{
	struct supervisor sv = {
		.path = path, .next_number = 1, .status = EXIT_SUCCESS};
	struct report *report = report_new();

	log_open("supervisor", LOG_FORMAT_AUTO, LOG_LEVEL_NOTICE);
	(void)fd_raise_limit();
	if (getrandom(sv.ticket_secret, sizeof sv.ticket_secret, 0) < 0)
		abort();
	sv.pending = load(&sv, report);
	if (sv.pending == NULL) {
		/* What a worker would have found as well, so that one run
		 * shows all. This process serves nobody any more. */
		check_all(path, report);
		report_print(report, stderr);
		report_print_count(report, "configuration not loaded", stderr);
		report_free(&report);
		return EXIT_FAILURE;
	}
	report_free(&report);
	use_log(sv.pending);
	run(&sv);
	if (sv.running != NULL)
		bundle_close_sockets(sv.running);
	bundle_free(&sv.pending);
	bundle_free(&sv.running);
	mem_wipe(sv.ticket_secret, sizeof sv.ticket_secret);
	log_msg(LOG_LEVEL_NOTICE, "stopped");
	return sv.status;
}
