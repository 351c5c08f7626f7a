/* The supervisor: the loop, and what it says of itself. */
#include "supervisor/supervisor.h"

#include <event2/event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/log_output.h"
#include "base/mem.h"
#include "base/systemd.h"
#include "conf/admin_socket.h"
#include "conf/file_record.h"
#include "conf/report.h"
#include "conf/settings.h"
#include "supervisor/announce.h"
#include "supervisor/bundle.h"
#include "supervisor/child.h"
#include "supervisor/control.h"
#include "supervisor/drain.h"
#include "supervisor/handover.h"
#include "supervisor/names.h"
#include "supervisor/process_change.h"
#include "supervisor/pulse.h"
#include "supervisor/rollout.h"
#include "supervisor/rotation.h"
#include "supervisor/signals.h"
#include "supervisor/status.h"
#include "supervisor/takeover.h"
#include "supervisor/upgrade.h"
#include "supervisor/workers.h"

/* A thousand listeners are a thousand lines at once, more than a pipe holds. No
 * peer waits while the supervisor does, but its children's news do. */
#define LOG_PATIENCE_MS 200

struct supervisor {
	struct event_base *base;
	struct workers *workers;
	struct names *names;
	struct rollout *rollout;
	struct rotation *rotation;
	struct file_record *record; /* of the rollout on its way */
	struct pulse *pulse;
	struct drain *drain;
	struct control *control; /* NULL: nobody can ask */
	struct upgrade *upgrade;
	char *upgraded_from; /* version; NULL: no upgrade is under way */
	struct signals *signals;
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
	rotation_follow(sv->rotation, NULL);
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
on_stop_signal(int number, void *arg)
{
	struct supervisor *sv = arg;
	const struct log_field fields[] = {
		{.key = "signal",
			.text = number == SIGINT ? "SIGINT" : "SIGTERM"},
		{.key = "connections",
			.number = workers_connections(sv->workers)},
	};

	log_event(LOG_LEVEL_NOTICE,
		drain_has_begun(sv->drain) ? "stopping at once" : "stopping",
		fields, sizeof fields / sizeof fields[0]);
	if (!drain_has_begun(sv->drain))
		systemd_notify("STOPPING=1");
	stop(sv, drain_ms(sv));
}

/* ---- the admin socket ---- */

static void
tell_status(enum control_form form, FILE *out, void *arg)
{
	const struct supervisor *sv = arg;
	const struct status status = {
		.running = rollout_running(sv->rollout),
		.workers = sv->workers,
		.draining = drain_has_begun(sv->drain),
	};

	switch (form) {
	case CONTROL_TEXT:
		status_print(&status, out);
		return;
	case CONTROL_JSON:
		status_print_json(&status, out);
		return;
	}
}

/* Nobody has to have one, but who wrote where it is to be relies on it. */
static void
open_control(struct supervisor *sv, const struct settings *settings,
	struct report *report)
{
	const struct conf_pos pos =
		settings_process_pos(settings, "admin_socket");
	char *path = admin_socket_path(&settings->process);
	struct error err;

	if (path == NULL)
		return;
	sv->control =
		control_new(sv->base, path, sv->rollout, tell_status, sv, &err);
	free(path);
	if (sv->control != NULL)
		return;
	if (settings->process.admin_socket != NULL)
		report_add(report, REPORT_ERROR, &pos, "sallyport",
			"admin_socket: %s", err.text);
	else
		log_msg(LOG_LEVEL_NOTICE,
			"no admin socket, sallyport reload and status cannot "
			"ask: %s",
			err.text);
}

static void
on_loaded(const struct settings *next, struct report *report, void *arg)
{
	struct supervisor *sv = arg;
	const struct bundle *running = rollout_running(sv->rollout);

	if (running == NULL)
		open_control(sv, next, report);
	else
		process_change_check(bundle_settings(running), next, report);
}

/* ---- generations ---- */

static void
on_rollout_begin(bool is_automatic, void *arg)
{
	const struct supervisor *sv = arg;

	rotation_pause(sv->rotation);
	if (sv->started && sv->upgraded_from == NULL)
		announce_reloading(is_automatic);
}

static void
on_read(struct file_record *record, void *arg)
{
	struct supervisor *sv = arg;

	file_record_free(&sv->record);
	sv->record = record;
}

/* From now on what was just read is watched, be it refused. */
static void
watch_files(struct supervisor *sv, const struct settings *settings)
{
	if (!settings->process.watch_files)
		file_record_free(&sv->record);
	rotation_follow(sv->rotation, sv->record);
	sv->record = NULL;
}

static void
on_files_end(const struct rollout_result *result, void *arg)
{
	struct supervisor *sv = arg;

	if (!result->ok)
		rotation_refused(sv->rotation, result->report);
}

static void
on_files_changed(void *arg)
{
	struct supervisor *sv = arg;

	request_set_automatic(rollout_ask(sv->rollout, on_files_end, sv));
}

static void
on_rollout_end(const struct rollout_result *result, void *arg)
{
	struct supervisor *sv = arg;
	const struct bundle *running = rollout_running(sv->rollout);

	if (running == NULL && drain_has_begun(sv->drain))
		return; /* told to stop before it ever served: no failure */
	if (sv->upgraded_from != NULL)
		announce_upgrade(result, sv->upgraded_from);
	else if (sv->started)
		announce_reload(result);
	else
		announce_start(result);
	free(sv->upgraded_from);
	sv->upgraded_from = NULL;
	sv->started = true;
	if (running == NULL) {
		sv->status = EXIT_FAILURE;
		stop(sv, 0);
		return;
	}
	if (result->ok) {
		rotation_loaded(sv->rotation);
		announce_running(running, sv->workers);
	}
	if (!drain_has_begun(sv->drain)) {
		watch_files(sv, bundle_settings(running));
		announce_ready(running, sv->workers);
	}
	upgrade_look_again(sv->upgrade);
}

/* ---- another binary ---- */

static bool
is_free(void *arg)
{
	const struct supervisor *sv = arg;

	return sv->started && !rollout_is_busy(sv->rollout) &&
	       !drain_has_begun(sv->drain);
}

static bool
hold(bool on, void *arg)
{
	return control_hold(((const struct supervisor *)arg)->control, on);
}

static int
hand_over(struct handover *handover, struct error *err, void *arg)
{
	const struct supervisor *sv = arg;

	control_hand_over(sv->control, handover);
	rollout_hand_over(sv->rollout, handover);
	takeover_hand_over_inherited(handover);
	return workers_hand_over(sv->workers, handover, err);
}

static int
take_over(struct supervisor *sv, struct handover *handover)
{
	takeover_inherit(handover);
	sv->control = control_take_over(
		sv->base, handover, sv->rollout, tell_status, sv);
	sv->started = true;
	sv->upgraded_from = xstrdup(handover->version);
	return rollout_take_over(sv->rollout, handover);
}

/* ---- life ---- */

static void
on_hup(void *arg)
{
	struct supervisor *sv = arg;

	if (!drain_has_begun(sv->drain))
		(void)rollout_ask(sv->rollout, NULL, NULL);
}

static void
on_usr2(void *arg)
{
	const struct supervisor *sv = arg;

	upgrade_ask(sv->upgrade);
}

static void
on_chld(void *arg)
{
	child_reap_all();
	end_when_alone(arg);
}

static void
open_loop(struct supervisor *sv)
{
	static const struct signals_callbacks callbacks = {
		.on_stop = on_stop_signal,
		.on_hup = on_hup,
		.on_usr2 = on_usr2,
		.on_chld = on_chld};

	sv->base = event_base_new();
	if (sv->base == NULL)
		abort();
	sv->signals = signals_new(sv->base, &callbacks, sv);
}

/* BEFORE: of the binary before ours; NULL: there was none. */
static void
open_parts(struct supervisor *sv, const struct supervisor_options *options,
	const struct handover *before)
{
	const struct upgrade_owner owner = {is_free, hold, hand_over, sv};
	static const struct rollout_callbacks callbacks = {
		.on_begin = on_rollout_begin,
		.source = {.on_read = on_read, .on_loaded = on_loaded},
		.on_end = on_rollout_end,
	};

	sv->rollout = rollout_new(sv->base, options->path, &callbacks, sv);
	sv->workers =
		workers_new(sv->base, &rollout_workers_callbacks, sv->rollout);
	sv->names = names_new(sv->base, rollout_on_answer, sv->rollout);
	rollout_use(sv->rollout, sv->workers, sv->names);
	sv->rotation = rotation_new(sv->base, options->path,
		&rotation_usual_times, on_files_changed, sv);
	sv->drain = drain_new(sv->base, sv->workers);
	sv->pulse = pulse_new(sv->base, sv->workers);
	sv->upgrade =
		upgrade_new(sv->base, before == NULL ? NULL : before->program,
			options->argv, options->path, &owner);
}

static void
close_parts(struct supervisor *sv)
{
	upgrade_free(&sv->upgrade);
	control_free(&sv->control);
	pulse_free(&sv->pulse);
	drain_free(&sv->drain);
	rotation_free(&sv->rotation);
	file_record_free(&sv->record);
	rollout_free(&sv->rollout);
	workers_free(&sv->workers);
	names_free(&sv->names);
}

int
supervisor_main(const struct supervisor_options *options)
{
	struct supervisor sv = {.status = EXIT_SUCCESS};
	struct handover handover = {.public_fd = -1, .secret_fd = -1};
	int none;

	log_open("supervisor", LOG_FORMAT_AUTO, LOG_LEVEL_NOTICE);
	log_output_set_patience(LOG_PATIENCE_MS);
	/* Executed by descriptor we would be called by its number. */
	(void)prctl(PR_SET_NAME, "sallyport", 0, 0, 0);
	(void)fd_raise_limit();
	none = takeover_read(&handover);
	if (none < 0)
		return EXIT_FAILURE;
	open_loop(&sv);
	open_parts(&sv, options, none ? NULL : &handover);
	if (!none && take_over(&sv, &handover) < 0)
		return EXIT_FAILURE;
	handover_done(&handover);
	(void)rollout_ask(sv.rollout, NULL, NULL);
	(void)event_base_dispatch(sv.base);
	close_parts(&sv);
	signals_free(&sv.signals);
	event_base_free(sv.base);
	if (sv.status == EXIT_SUCCESS)
		log_msg(LOG_LEVEL_NOTICE, "stopped");
	return sv.status;
}
