/* One generation as a worker sees it. */
#include "worker/generation.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/hash_index.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/file_source.h"
#include "conf/report.h"
#include "conf/settings.h"
#include "proxy/conn.h"
#include "proxy/listener.h"
#include "tls/tls_stock.h"

/* A descriptor on its way to whom it is for: the listener of that name, or
 * whoever writes to the file of that path. */
struct parked {
	char *name;
	int fd;
};

struct parking {
	struct parked *items;
	size_t n;
};

struct generation {
	uint64_t number;
	struct parking sockets;
	struct parking outputs;
	struct listener **listeners;
	size_t n_listeners;
	struct hash_index by_name;
	struct tls_stock *stock; /* NULL: not built */
	enum log_format log_format;
	enum log_level log_level;
};

/* Takes FD. */
static void
park(struct parking *parking, const char *name, int fd)
{
	struct parked *parked;

	parking->items = xreallocarray(
		parking->items, parking->n + 1, sizeof *parking->items);
	parked = &parking->items[parking->n++];
	parked->name = xstrdup(name);
	parked->fd = fd;
}

static void
close_parking(struct parking *parking)
{
	size_t i;

	for (i = 0; i < parking->n; i++) {
		free(parking->items[i].name);
		fd_close(&parking->items[i].fd);
	}
	free(parking->items);
	*parking = (struct parking){0};
}

struct generation *
generation_new(uint64_t number)
{
	struct generation *generation = xcalloc(1, sizeof *generation);

	generation->number = number;
	return generation;
}

void
generation_free(struct generation **generation)
{
	struct generation *gone = *generation;
	size_t i;

	*generation = NULL;
	if (gone == NULL)
		return;
	close_parking(&gone->sockets);
	close_parking(&gone->outputs);
	for (i = 0; i < gone->n_listeners; i++)
		listener_unref(&gone->listeners[i]);
	free(gone->listeners);
	hash_index_done(&gone->by_name);
	tls_stock_free(&gone->stock);
	free(gone);
	/* Its successor was built behind it: the allocator would keep the hole,
	 * and reload by reload the heap would come to hold two of them. */
	(void)malloc_trim(0);
}

size_t
generation_sockets(const struct generation *generation)
{
	return generation->sockets.n;
}

uint64_t
generation_number(const struct generation *generation)
{
	return generation->number;
}

void
generation_add_socket(struct generation *generation, const char *name, int fd)
{
	park(&generation->sockets, name, fd);
}

void
generation_add_output(struct generation *generation, const char *path, int fd)
{
	park(&generation->outputs, path, fd);
}

struct wanted {
	const struct generation *generation;
	const char *name;
};

static bool
is_wanted(size_t place, const void *arg)
{
	const struct wanted *wanted = arg;

	return strcmp(wanted->generation->listeners[place]->name,
		       wanted->name) == 0;
}

/* NULL: there is none of that name. */
static struct listener *
find_listener(const struct generation *generation, const char *name)
{
	const struct wanted wanted = {generation, name};
	size_t place = hash_index_find(
		&generation->by_name, name, strlen(name), is_wanted, &wanted);

	return place == HASH_INDEX_NONE ? NULL : generation->listeners[place];
}

static void
unpark_sockets(struct generation *generation)
{
	struct listener *listener;
	struct parked *parked;
	size_t i;

	for (i = 0; i < generation->sockets.n; i++) {
		parked = &generation->sockets.items[i];
		listener = find_listener(generation, parked->name);
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

static void
build_listeners(struct generation *generation, struct proxy *proxy,
	const struct settings *settings, struct report *report)
{
	struct listener *listener;
	size_t i;

	generation->listeners =
		xcalloc(settings->n_listeners + 1, sizeof(struct listener *));
	for (i = 0; i < settings->n_listeners; i++) {
		listener = listener_new(proxy, &settings->process,
			&settings->listeners[i], generation->stock, report);
		if (listener == NULL)
			continue;
		hash_index_add(&generation->by_name, listener->name,
			strlen(listener->name), generation->n_listeners);
		generation->listeners[generation->n_listeners++] = listener;
	}
	unpark_sockets(generation);
}

int
generation_build(struct generation *generation, struct proxy *proxy,
	const struct generation_parts *parts, struct report *report)
{
	const struct conf_pos pos = {.file = parts->path, .line = 0};
	const struct generation *before = parts->before;
	struct file_source *files;
	struct settings *settings;
	struct error err;

	files = file_source_bundle(parts->public_fd, parts->secret_fd, &err);
	if (files == NULL) {
		report_add(report, REPORT_ERROR, &pos, NULL, "%s", err.text);
		return -1;
	}
	unpark_outputs(generation, files);
	settings = settings_load(parts->path, files, report);
	generation->stock =
		tls_stock_new(files, before == NULL ? NULL : before->stock);
	build_listeners(generation, proxy, settings, report);
	tls_stock_complete(generation->stock);
	generation->log_format = (enum log_format)settings->process.log_format;
	generation->log_level = (enum log_level)settings->process.log_level;
	settings_free(&settings);
	file_source_free(&files);
	return report_errors(report) == 0 ? 0 : -1;
}

static void
log_contexts(const struct generation *generation)
{
	const struct log_field fields[] = {
		{.key = "generation", .number = generation->number},
		{.key = "contexts",
			.number = tls_stock_count(generation->stock)},
		{.key = "reused",
			.number = tls_stock_reused(generation->stock)},
		{.key = "shared",
			.number = tls_stock_shared(generation->stock)},
	};

	log_event(LOG_LEVEL_DEBUG, "TLS contexts", fields,
		sizeof fields / sizeof fields[0]);
}

void
generation_start(struct generation *generation)
{
	size_t i;

	log_open("worker", generation->log_format, generation->log_level);
	log_contexts(generation);
	for (i = 0; i < generation->n_listeners; i++)
		listener_start(generation->listeners[i]);
}

void
generation_stop(struct generation *generation)
{
	size_t i;

	for (i = 0; i < generation->n_listeners; i++)
		listener_stop(generation->listeners[i]);
}

/* ---- from one to the next ---- */

static int
compare_cookies(const void *a, const void *b)
{
	const uint64_t *one = a, *other = b;

	return *one < *other ? -1 : *one > *other;
}

/* Of all sockets, sorted; the caller frees. */
static uint64_t *
cookies(const struct generation *generation, size_t *n_out)
{
	uint64_t *all = xcalloc(generation->sockets.n + 1, sizeof *all);
	const struct listener *listener;
	size_t n = 0, i, k;

	for (i = 0; i < generation->n_listeners; i++) {
		listener = generation->listeners[i];
		for (k = 0; k < listener->n_sockets; k++)
			all[n++] = listener_cookie(listener, k);
	}
	qsort(all, n, sizeof *all, compare_cookies);
	*n_out = n;
	return all;
}

static void
empty_queues(struct listener *listener, const uint64_t *kept, size_t n_kept)
{
	uint64_t cookie;
	size_t i;

	for (i = 0; i < listener->n_sockets; i++) {
		cookie = listener_cookie(listener, i);
		if (bsearch(&cookie, kept, n_kept, sizeof *kept,
			    compare_cookies) == NULL)
			listener_accept_waiting(listener, i);
	}
}

void
generation_replace(struct generation *generation, const struct generation *next)
{
	size_t n_kept, i;
	uint64_t *kept = cookies(next, &n_kept);

	for (i = 0; i < generation->n_listeners && n_kept > 0; i++)
		empty_queues(generation->listeners[i], kept, n_kept);
	free(kept);
	generation_stop(generation);
}

void
generation_resolved(struct generation *generation, const char *host,
	uint16_t port, const struct addr *addresses, size_t n)
{
	size_t i;

	for (i = 0; i < generation->n_listeners; i++)
		listener_resolved(
			generation->listeners[i], host, port, addresses, n);
}

bool
generation_readmit(struct generation *generation, struct conn *conn)
{
	struct listener *listener =
		find_listener(generation, conn->listener->name);

	/* A listener that was taken away says nothing of its clients. */
	return listener == NULL || listener_readmit(listener, conn);
}
