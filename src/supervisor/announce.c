/* What the supervisor says of its generations. */
#include "config.h"

#include "supervisor/announce.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/systemd.h"
#include "conf/report.h"
#include "conf/settings.h"
#include "supervisor/bundle.h"
#include "supervisor/finding.h"
#include "supervisor/request_queue.h"
#include "supervisor/workers.h"

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
	(void)arg;
	finding_log(LOG_LEVEL_NOTICE, "note", finding);
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
log_ready(const struct bundle *running, const struct workers *workers)
{
	const struct log_field fields[] = {
		{.key = "listeners",
			.number = bundle_settings(running)->n_listeners},
		{.key = "workers", .number = workers_count(workers)},
		{.key = "generation", .number = bundle_number(running)},
	};

	log_event(LOG_LEVEL_NOTICE,
		bundle_number(running) == 1 ? "ready" : "reloaded", fields,
		sizeof fields / sizeof fields[0]);
}

void
announce_ready(const struct bundle *running, const struct workers *workers)
{
	char state[128];

	(void)snprintf(state, sizeof state,
		"READY=1\nSTATUS=%zu listeners, %zu workers, generation "
		"%" PRIu64,
		bundle_settings(running)->n_listeners, workers_count(workers),
		bundle_number(running));
	systemd_notify(state);
}

void
announce_running(const struct bundle *running, const struct workers *workers)
{
	log_notices(running);
	log_listening(running);
	log_ready(running, workers);
}

void
announce_reloading(bool is_automatic)
{
	char state[64];

	if (!is_automatic)
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
		finding_log(LOG_LEVEL_ERROR, "configuration error", finding);
	else
		finding_log(LOG_LEVEL_WARN, "configuration warning", finding);
}

/* A start is watched by whoever typed it: as `check` prints it. */
void
announce_start(const struct rollout_result *result)
{
	report_print(result->report, stderr);
	if (!result->ok)
		report_print_count(
			result->report, "configuration not loaded", stderr);
}

void
announce_upgrade(const struct rollout_result *result, const char *from)
{
	const struct log_field fields[] = {
		{.key = "from", .text = from},
		{.key = "to", .text = PACKAGE_VERSION},
	};

	report_walk(result->report, log_finding_of_reload, NULL);
	if (result->ok)
		log_event(LOG_LEVEL_NOTICE, "upgraded", fields,
			sizeof fields / sizeof fields[0]);
	else
		log_event(LOG_LEVEL_ERROR,
			"no worker of the new binary comes up, the old ones go "
			"on",
			fields, sizeof fields / sizeof fields[0]);
}

void
announce_reload(const struct rollout_result *result)
{
	const struct log_field fields[] = {
		{.key = "errors", .number = report_errors(result->report)},
		{.key = "warnings", .number = report_warnings(result->report)},
		{.key = "generation", .number = result->generation},
	};

	if (!result->ok && result->is_automatic)
		return;
	report_walk(result->report, log_finding_of_reload, NULL);
	if (!result->ok)
		log_event(LOG_LEVEL_ERROR,
			"not reloaded, the running configuration stays", fields,
			sizeof fields / sizeof fields[0]);
}
