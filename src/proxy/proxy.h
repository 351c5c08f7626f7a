#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "proxy/background.h"
#include "proxy/conn_state.h"
#include "proxy/handshake_queue.h"

struct conn;
struct event;
struct event_base;
struct linger_pool;
struct listener;
struct scratch;
struct stats;

TAILQ_HEAD(conn_list, conn);
TAILQ_HEAD(listener_list, listener);

/*
 * What all connections of one worker share: the loop, the large buffers, the
 * queue of handshakes, the numbers, and how many connections there may be.
 */
struct proxy {
	struct event_base *base;
	struct scratch *scratch;
	struct stats *stats;
	struct linger_pool *lingering;
	struct handshake_queue handshakes;
	struct background background;
	struct conn_list conns;  /* all that are not closed */
	struct conn_list closed; /* to be freed after this loop turn */
	size_t n_conns;
	size_t max_conns;
	size_t peak_conns;              /* since memory was last given back */
	struct listener_list listeners; /* those that accept */
	bool accepts_paused;
	struct event *resume_timer;
	struct event *trim_timer;
	uint32_t id_prefix; /* makes connection ids unique across workers */
	uint32_t id_next;
	/* Live connections under new rules; see proxy_recheck_all(). */
	uint64_t recheck_number;
	bool rechecking;
	bool (*readmit)(struct conn *conn, void *arg);
	void (*on_conn_closed)(void *arg); /* may be NULL */
	void *arg;
};

/* Dies without memory: start of the process. STATS is borrowed. */
struct proxy *proxy_new(
	struct event_base *base, struct stats *stats, size_t max_conns);

/* Ends what is left: connections (CONN_STOPPED), and all in the background. */
void proxy_free(struct proxy **proxy);

/*
 * One turn of the loop: all ready I/O, and what came of it meanwhile unless
 * that took long; then one step of one handshake; then the memory of closed
 * connections; then what is in the background, for about as long as all this
 * took. Blocks while there is nothing to do. Returns -1 when the loop itself
 * failed.
 */
int proxy_turn(struct proxy *proxy);

/* Ends every connection with REASON. */
void proxy_close_all(struct proxy *proxy, enum conn_reason reason);

/*
 * Asks `readmit` of every connection there is, a few in each turn of the loop,
 * so that a reload stops nobody's traffic. It answers false when it has closed
 * the connection. Those that come from now on need not be asked.
 */
void proxy_recheck_all(struct proxy *proxy);

/* The same for one connection that was still shaking hands then. */
bool proxy_recheck(struct proxy *proxy, struct conn *conn);

/* For listeners: may another connection come? */
bool proxy_has_room(const struct proxy *proxy);

/* For listeners: no descriptor or no room left. All listeners stop accepting
 * until a connection has gone, or a moment has passed. */
void proxy_pause_accepts(struct proxy *proxy);

/* For connections. */
uint64_t proxy_next_id(struct proxy *proxy);
void proxy_add_conn(struct proxy *proxy, struct conn *conn);
void proxy_conn_closed(struct proxy *proxy, struct conn *conn);
