/* A generation in the making. */
#include "worker/build.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/mem.h"
#include "conf/file_source.h"
#include "conf/file_unpacker.h"
#include "conf/report.h"
#include "conf/settings.h"
#include "conf/settings_loader.h"
#include "proxy/background.h"
#include "proxy/listener.h"
#include "proxy/proxy.h"
#include "tls/tls_stock.h"
#include "worker/generation.h"
#include "worker/generation_parts.h"

enum stage { STAGE_FILES, STAGE_SETTINGS, STAGE_LISTENERS, STAGE_COMPLETE };

struct build {
	enum stage stage;
	struct generation *generation; /* NULL: it was taken */
	const struct generation *before;
	struct proxy *proxy;
	struct report *report;
	char *path; /* of the settings */
	int public_fd, secret_fd;
	/* What each stage leaves to the next: */
	struct file_unpacker *unpacker;
	struct file_source *files;
	struct settings_loader *loader;
	struct settings *settings;
	/* Where it is among the listeners, and in the server names of one. */
	struct listener *listener; /* not complete; NULL: none is begun */
	size_t next_listener;
	size_t next_name;
	bool is_bad; /* a name of this one could not be built */
	struct background_task leftovers; /* of one that is gone */
};

static void
unpark_sockets(struct generation *generation)
{
	struct listener *listener;
	struct parked *parked;
	size_t i;

	for (i = 0; i < generation->sockets.n; i++) {
		parked = &generation->sockets.items[i];
		listener = generation_find_listener(generation, parked->name);
		if (listener == NULL)
			continue;
		listener_add_socket(listener, parked->fd);
		parked->fd = -1;
	}
}

static void
unpark_outputs(struct generation *generation, struct file_source *files)
{
	struct parked *parked;
	size_t i;

	for (i = 0; i < generation->outputs.n; i++) {
		parked = &generation->outputs.items[i];
		file_source_add_output(files, parked->name, parked->fd);
		parked->fd = -1;
	}
}

struct build *
build_new(struct generation *generation, struct proxy *proxy,
	const struct build_parts *parts)
{
	struct build *build = xcalloc(1, sizeof *build);

	*build = (struct build){
		.generation = generation,
		.before = parts->before,
		.proxy = proxy,
		.report = report_new(),
		.path = xstrdup(parts->path),
		.public_fd = parts->public_fd,
		.secret_fd = parts->secret_fd,
	};
	build->unpacker = file_unpacker_new(build->public_fd, build->secret_fd);
	return build;
}

/* ---- the files ---- */

static void
unpack_some(struct build *build)
{
	const struct conf_pos pos = {.file = build->path, .line = 0};
	struct error err;

	if (file_unpacker_step(build->unpacker))
		return;
	build->files = file_unpacker_end(&build->unpacker, &err);
	if (build->files == NULL) {
		report_add(build->report, REPORT_ERROR, &pos, NULL, "%s",
			err.text);
		build->stage = STAGE_COMPLETE;
		return;
	}
	unpark_outputs(build->generation, build->files);
	/* Without settings_check(): nobody sends what did not pass it. */
	build->loader =
		settings_loader_new(build->path, build->files, build->report);
	build->stage = STAGE_SETTINGS;
}

/* ---- the settings ---- */

static void
load_some(struct build *build)
{
	const struct generation *before = build->before;
	struct generation *generation = build->generation;
	const struct settings *settings;

	if (settings_loader_step(build->loader))
		return;
	build->settings = settings_loader_end(&build->loader);
	settings = build->settings;
	generation->log_format = (enum log_format)settings->process.log_format;
	generation->log_level = (enum log_level)settings->process.log_level;
	generation->stock = tls_stock_new(
		build->files, before == NULL ? NULL : before->stock);
	generation->listeners =
		xcalloc(settings->n_listeners + 1, sizeof(struct listener *));
	build->stage = STAGE_LISTENERS;
}

/* ---- the listeners ---- */

static void
begin_listener(struct build *build, const struct listener_settings *set)
{
	build->next_name = 0;
	build->is_bad = false;
	build->listener = listener_new(build->proxy, &build->settings->process,
		set, build->generation->stock, build->report);
	if (build->listener == NULL)
		build->next_listener++;
}

static void
add_name(struct build *build, const struct listener_settings *set)
{
	if (listener_add_name(build->listener, &build->settings->process,
		    &set->overlays[build->next_name++],
		    build->generation->stock, build->report) < 0)
		build->is_bad = true;
}

static void
end_listener(struct build *build, const struct listener_settings *set)
{
	struct generation *generation = build->generation;
	struct listener *listener = build->listener;

	build->next_listener++;
	build->listener = NULL;
	if (build->is_bad) {
		listener_unref(&listener);
		return;
	}
	listener_complete(listener, set);
	hash_index_add(&generation->by_name, listener->name,
		strlen(listener->name), generation->n_listeners);
	generation->listeners[generation->n_listeners++] = listener;
}

static void
complete_some(struct build *build)
{
	if (tls_stock_complete_some(build->generation->stock))
		return;
	unpark_sockets(build->generation);
	build->stage = STAGE_COMPLETE;
}

static void
build_some(struct build *build)
{
	const struct listener_settings *set;

	if (build->next_listener == build->settings->n_listeners) {
		complete_some(build);
		return;
	}
	set = &build->settings->listeners[build->next_listener];
	if (build->listener == NULL)
		begin_listener(build, set);
	else if (build->next_name < set->n_overlays)
		add_name(build, set);
	else
		end_listener(build, set);
}

bool
build_step(struct build *build)
{
	switch (build->stage) {
	case STAGE_FILES:
		unpack_some(build);
		break;
	case STAGE_SETTINGS:
		load_some(build);
		break;
	case STAGE_LISTENERS:
		build_some(build);
		break;
	case STAGE_COMPLETE:
		break;
	}
	return build->stage != STAGE_COMPLETE;
}

uint64_t
build_number(const struct build *build)
{
	assert(build->generation != NULL);
	return build->generation->number;
}

const struct report *
build_report(const struct build *build)
{
	return build->report;
}

struct generation *
build_take(struct build *build)
{
	struct generation *generation = build->generation;

	assert(build->stage == STAGE_COMPLETE);
	if (report_errors(build->report) > 0)
		return NULL;
	build->generation = NULL;
	return generation;
}

/* ---- the leftovers ---- */

/* False: there is none. */
static bool
free_generation_some(struct build *gone)
{
	struct generation *generation = gone->generation;

	if (generation == NULL)
		return false;
	if (generation->stock == NULL ||
		!tls_stock_complete_some(generation->stock))
		generation_free(&gone->generation);
	return true;
}

/* A background step. */
static bool
free_some(void *arg)
{
	struct build *gone = arg;

	if (free_generation_some(gone) ||
		(gone->settings != NULL &&
			settings_free_some(gone->settings)) ||
		(gone->files != NULL && file_source_free_some(gone->files)))
		return true;
	settings_free(&gone->settings);
	file_source_free(&gone->files);
	free(gone);
	return false;
}

void
build_free(struct build **build)
{
	struct build *gone = *build;

	*build = NULL;
	if (gone == NULL)
		return;
	/* Nobody can bind their addresses as long as they are open. */
	if (gone->generation != NULL) {
		parking_done(&gone->generation->sockets);
		generation_stop(gone->generation);
	}
	listener_unref(&gone->listener);
	if (gone->loader != NULL)
		gone->settings = settings_loader_end(&gone->loader);
	if (gone->unpacker != NULL)
		gone->files = file_unpacker_end(&gone->unpacker, NULL);
	report_free(&gone->report);
	fd_close(&gone->public_fd);
	fd_close(&gone->secret_fd);
	free(gone->path);
	gone->leftovers =
		(struct background_task){.step = free_some, .arg = gone};
	background_add(&gone->proxy->background, &gone->leftovers);
}
