#pragma once

#include <event2/event_struct.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "proxy/conn_source.h"
#include "proxy/conn_state.h"
#include "proxy/handshake_queue.h"
#include "proxy/relay.h"
#include "proxy/watch.h"
#include "stream/stream.h"

struct listener;
struct sockaddr;
struct tls_stream;

/* Enough of a peer's address for every family; unix peers have no name. */
union conn_peer {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/*
 * One connection from accept() to its one line in the log.
 *
 * Owned by the worker's proxy; born in a listener, to which it holds a
 * reference for as long as it lives. The struct is open to the files of this
 * room and nobody else.
 */
struct conn {
	TAILQ_ENTRY(conn) entry;
	struct handshake_task handshake;
	struct listener *listener;
	enum conn_state state;
	uint32_t attempt; /* how many backend addresses were tried */
	uint64_t id;
	uint64_t born_ms;
	uint64_t active_ms;    /* the last byte either way */
	uint64_t moved;        /* what relay had moved then */
	int64_t valid_until_s; /* unix time: the client's certificate */
	uint64_t checked;      /* proxy->recheck_number it is fine under */
	bool recheck_later;    /* new rules came during the handshake */
	int fd;                /* the client's, until the stream owns it */
	struct tls_stream *tls;
	struct stream backend;
	struct relay relay;
	struct watch client_watch;
	struct watch backend_watch;
	struct event timer;
	union conn_peer peer;
	union conn_peer destination; /* AF_UNSPEC: our own side's address */
	struct conn_source source;
	bool has_source; /* the PROXY header in front was read */
};

/*
 * Begins the life of what accept() gave. Takes FD in every case. Without
 * memory FD is closed and counted. Worker's loop only.
 */
void conn_start(struct listener *listener, int fd, const struct sockaddr *peer);

/*
 * The only way a connection ends: closes its descriptors so that each side
 * can tell a whole stream from a truncated one, counts, and writes the line.
 * DETAIL may be NULL and is copied. Closing twice is closing once. The memory
 * goes after this turn of the loop, so that callers further up the callback
 * chain may still look at CONN.
 */
void conn_close(struct conn *conn, enum conn_reason reason, const char *detail);

/* For the proxy, after the loop turn in which CONN was closed. */
void conn_free(struct conn **conn);
