/* Where generations come from, and what they share. */
#include "supervisor/bundle_source.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "check/check.h"
#include "check/check_user.h"
#include "conf/report.h"
#include "supervisor/bundle.h"
#include "supervisor/handover.h"
#include "supervisor/socket_store.h"
#include "supervisor/ticket_secret.h"

struct bundle_source {
	const char *path;
	bool taking_over; /* the next one is the first of this binary */
	uint64_t next_number;
	struct ticket_secret ticket_secret;
	struct socket_store *store;
	struct bundle_source_callbacks callbacks;
	void *arg;
};

struct bundle_source *
bundle_source_new(const char *path,
	const struct bundle_source_callbacks *callbacks, void *arg)
{
	struct bundle_source *source = xcalloc(1, sizeof *source);

	source->path = path;
	source->next_number = 1;
	source->callbacks = *callbacks;
	source->arg = arg;
	ticket_secret_init(&source->ticket_secret);
	source->store = socket_store_new();
	return source;
}

void
bundle_source_free(struct bundle_source **source)
{
	struct bundle_source *gone = *source;

	*source = NULL;
	if (gone == NULL)
		return;
	socket_store_free(&gone->store);
	ticket_secret_done(&gone->ticket_secret);
	free(gone);
}

void
bundle_source_drop(const struct bundle_source *source,
	const struct bundle *running, struct bundle **bundle)
{
	if (running != NULL || socket_store_taken(source->store) == 0)
		bundle_remove_files(*bundle, running);
	bundle_free(bundle);
}

static struct bundle *
load_from_disk(struct bundle_source *source, const struct bundle *running,
	struct report *report)
{
	struct file_record *record = NULL;
	struct bundle *bundle = bundle_load(source->path, source->next_number,
		source->ticket_secret.bytes, report, &record);

	source->callbacks.on_read(record, source->arg);
	if (bundle != NULL && running == NULL)
		bundle_use_log(bundle);
	if (bundle != NULL) {
		check_user(bundle_settings(bundle), report);
		(void)bundle_open_sockets(
			bundle, running, source->store, report);
		source->callbacks.on_loaded(
			bundle_settings(bundle), report, source->arg);
		if (report_errors(report) > 0)
			bundle_source_drop(source, running, &bundle);
	}
	/* What a worker would have found as well, so that one run shows all.
	 * This process serves nobody then. */
	if (bundle == NULL && running == NULL)
		check_all(source->path, report);
	return bundle;
}

/* RUNNING under the next number, whatever has become of the files. */
static struct bundle *
make_again(struct bundle_source *source, const struct bundle *running,
	struct report *report)
{
	struct bundle *bundle =
		bundle_again(running, source->next_number, report);

	if (bundle != NULL &&
		bundle_open_sockets(bundle, running, source->store, report) < 0)
		bundle_source_drop(source, running, &bundle);
	return bundle;
}

/* What outlived the process before this one. */
static void
log_restored(const struct bundle_source *source)
{
	const struct log_field fields[] = {
		{.key = "sockets", .number = socket_store_taken(source->store)},
		{.key = "sessions",
			.text = source->ticket_secret.inherited ? "yes" : "no"},
	};

	if (fields[0].number > 0 || source->ticket_secret.inherited)
		log_event(LOG_LEVEL_NOTICE, "restored", fields,
			sizeof fields / sizeof fields[0]);
}

struct bundle *
bundle_source_next(struct bundle_source *source, const struct bundle *running,
	struct report *report)
{
	struct bundle *bundle = load_from_disk(source, running, report);

	if (bundle == NULL && source->taking_over)
		bundle = make_again(source, running, report);
	source->taking_over = false;
	if (bundle == NULL)
		return NULL;
	if (running == NULL)
		log_restored(source);
	source->next_number++;
	return bundle;
}

void
bundle_source_store(struct bundle_source *source, const struct bundle *running)
{
	bundle_store_sockets(running, source->store);
	ticket_secret_store(
		&source->ticket_secret, socket_store_is_on(source->store));
}

void
bundle_source_close_sockets(
	const struct bundle_source *source, struct bundle *running)
{
	bundle_close_sockets(running, socket_store_is_on(source->store));
}

struct bundle *
bundle_source_take_over(struct bundle_source *source, struct handover *handover)
{
	struct report *report = report_new();
	struct bundle *running =
		bundle_take_over(source->path, handover, report);

	if (running == NULL)
		report_print(report, stderr);
	report_free(&report);
	if (running == NULL)
		return NULL;
	source->taking_over = true;
	source->next_number = handover->next_generation;
	ticket_secret_take_over(&source->ticket_secret, handover);
	socket_store_take_over(source->store, handover);
	return running;
}

void
bundle_source_hand_over(const struct bundle_source *source,
	const struct bundle *running, struct handover *handover)
{
	bundle_hand_over(running, handover);
	handover->next_generation = source->next_number;
	ticket_secret_hand_over(&source->ticket_secret, handover);
	socket_store_hand_over(source->store, handover);
}
