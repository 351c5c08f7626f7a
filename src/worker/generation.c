/* One generation as a worker sees it. */
#include "worker/generation.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash_index.h"
#include "base/log.h"
#include "base/mem.h"
#include "proxy/conn.h"
#include "proxy/listener.h"
#include "tls/tls_stock.h"
#include "worker/generation_parts.h"

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
	parking_done(&gone->sockets);
	parking_done(&gone->outputs);
	for (i = 0; i < gone->n_listeners; i++)
		listener_unref(&gone->listeners[i]);
	free(gone->listeners);
	hash_index_done(&gone->by_name);
	tls_stock_free(&gone->stock);
	free(gone);
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
	parking_add(&generation->sockets, name, fd);
}

void
generation_add_output(struct generation *generation, const char *path, int fd)
{
	parking_add(&generation->outputs, path, fd);
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

struct listener *
generation_find_listener(const struct generation *generation, const char *name)
{
	const struct wanted wanted = {generation, name};
	size_t place = hash_index_find(
		&generation->by_name, name, strlen(name), is_wanted, &wanted);

	return place == HASH_INDEX_NONE ? NULL : generation->listeners[place];
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
		for (k = 0; k < listener->n_acceptors; k++)
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

	for (i = 0; i < listener->n_acceptors; i++) {
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
		generation_find_listener(generation, conn->listener->name);

	/* A listener that was taken away says nothing of its clients. */
	return listener == NULL || listener_readmit(listener, conn);
}
