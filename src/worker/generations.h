#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/background.h"
#include "worker/staging.h"

struct conn;
struct conn_room;
struct generation;
struct message;
struct proxy;
struct report;

/* Generation NUMBER was built (OK) or not; REPORT has all that was found. */
typedef void (*generations_built_fn)(
	uint64_t number, bool ok, const struct report *report, void *arg);

/*
 * The generations of a worker: the one that runs, and the next one on its way:
 * message by message (staging.h), then built in the background while
 * connections are served (build.h), then waiting for the others. The storage is
 * the caller's.
 */
struct generations {
	struct proxy *proxy;
	struct conn_room *room;
	struct staging staging;
	struct build *build; /* NULL: none is in the making */
	struct background_task building;
	struct generation *staged;  /* built, not committed */
	struct generation *running; /* NULL before the first commit */
	bool is_stopped;
	generations_built_fn on_built;
	void *arg;
};

/* PROXY and ROOM are borrowed. */
void generations_init(struct generations *all, struct proxy *proxy,
	struct conn_room *room, generations_built_fn on_built, void *arg);

/* Stops, and drops all. While the proxy is there. */
void generations_done(struct generations *all);

/* What M says of a generation: to stage, commit or abort it, or where its
 * backends are. False: it says something else. */
bool generations_take(struct generations *all, struct message *m);

/* No new connections from now on, whatever is committed. */
void generations_stop(struct generations *all);

/* Would CONN, of an older generation, still get in? False: it was closed. */
bool generations_readmit(const struct generations *all, struct conn *conn);
