/* A connection's TLS handshake: the client proves itself. */
#include "proxy/conn_steps.h"

#include <stddef.h>

#include "proxy/conn.h"
#include "proxy/listener.h"
#include "proxy/proxy.h"
#include "proxy/timeout.h"
#include "stats/stats.h"
#include "tls/tls_error.h"
#include "tls/tls_stream.h"

/* From here on the connection is its server name's: backend, timeouts. */
static void
move_to_overlay(struct conn *conn)
{
	struct listener *before = conn->listener;
	struct listener *chosen =
		listener_serving(before, tls_stream_ctx(conn->tls));

	if (chosen == before)
		return;
	conn->listener = listener_ref(chosen);
	listener_unref(&before);
}

/*
 * What the client sends from now on waits in the kernel until the backend is
 * there. One on this machine mostly is at once, and then the relay wants to
 * hear of the client as the handshake did: two changes of the watch less.
 */
static void
await_backend(struct conn *conn)
{
	conn_dial_begin(conn);
	if (conn->state == CONN_CONNECTING &&
		!watch_want(&conn->client_watch, false,
			stream_has_rest(conn_client(conn))))
		conn_close(conn, CONN_NO_MEMORY, NULL);
}

/* The client is in. */
static void
finish_handshake(struct conn *conn)
{
	struct stats *stats = conn_proxy(conn)->stats;

	stats_count(stats, STATS_HANDSHAKES, 1);
	if (tls_stream_resumed(conn->tls))
		stats_count(stats, STATS_RESUMED, 1);
	move_to_overlay(conn);
	conn->valid_until_s = tls_stream_valid_until(conn->tls);
	conn_set_state(conn, CONN_CONNECTING);
	if (conn->recheck_later && !proxy_recheck(conn_proxy(conn), conn))
		return;
	await_backend(conn);
}

static void
refuse(struct conn *conn)
{
	stats_count(conn_proxy(conn)->stats, STATS_HANDSHAKES_FAILED, 1);
	conn_close(conn, CONN_REFUSED, tls_stream_failure(conn->tls)->text);
}

/* Nothing came of it. Whoever never said a byte did not even try. */
static void
break_off(struct conn *conn, enum conn_reason reason)
{
	bool heard = conn->source.len > 0 ||
		     (conn->tls != NULL && tls_stream_heard(conn->tls));

	if (!heard) {
		conn_close(conn, CONN_PROBE, NULL);
		return;
	}
	stats_count(conn_proxy(conn)->stats, STATS_HANDSHAKES_FAILED, 1);
	conn_close(conn, reason, NULL);
}

static bool
has_stream(struct conn *conn)
{
	int fd = conn->fd;

	if (conn->tls != NULL)
		return true;
	/* Only now, when it is this connection's turn: a socket that waits
	 * or never speaks costs no TLS state. */
	conn->fd = -1;
	conn->tls = tls_stream_new(conn->listener->tls, fd);
	if (conn->tls == NULL || !tls_stream_push(conn->tls, conn->source.bytes,
					 conn->source.len))
		return false;
	conn_source_done(&conn->source);
	return true;
}

/* A PROXY header that has not come whole. */
static void
wait_for_client(struct conn *conn)
{
	if (!watch_want(&conn->client_watch, true, false))
		conn_close(conn, CONN_NO_MEMORY, NULL);
}

static void
step_handshake(struct handshake_task *task)
{
	struct conn *conn = (struct conn *)((char *)task -
					    offsetof(struct conn, handshake));

	switch (conn_source_read(conn)) {
	case CONN_SOURCE_DONE:
		break;
	case CONN_SOURCE_MORE:
		wait_for_client(conn);
		return;
	case CONN_SOURCE_GONE:
		return;
	}
	if (!has_stream(conn)) {
		conn_close(conn, CONN_NO_MEMORY, NULL);
		return;
	}
	switch (tls_stream_handshake(conn->tls, conn_proxy(conn)->scratch)) {
	case STREAM_MOVED:
		finish_handshake(conn);
		return;
	case STREAM_WANT_READ:
	case STREAM_WANT_WRITE:
		if (!watch_want(&conn->client_watch, true,
			    stream_has_rest(conn_client(conn))))
			conn_close(conn, CONN_NO_MEMORY, NULL);
		return;
	case STREAM_ENDED:
	case STREAM_CUT:
		break_off(conn, CONN_CLIENT_CUT);
		return;
	case STREAM_FAILED:
		refuse(conn);
		return;
	}
}

int
conn_handshake_flush(struct conn *conn)
{
	enum stream_next next = stream_send_rest(conn_client(conn));

	if (next == STREAM_CUT) {
		conn_close(conn, CONN_CLIENT_CUT, NULL);
		return -1;
	}
	if (next == STREAM_MOVED)
		(void)watch_want(
			&conn->client_watch, conn->client_watch.reading, false);
	return 0;
}

void
conn_handshake_on_client(struct conn *conn, short what)
{
	if ((what & EV_WRITE) != 0 && conn_handshake_flush(conn) < 0)
		return;
	if ((what & EV_READ) == 0)
		return;
	/* Fired again before its turn came: be quiet until then. In a worker
	 * that keeps up this never happens, and costs no system call. */
	if (conn->handshake.queued)
		(void)watch_want(&conn->client_watch, false,
			watch_is_writing(&conn->client_watch));
	else
		handshake_queue_add(
			&conn_proxy(conn)->handshakes, &conn->handshake);
}

void
conn_handshake_on_timer(struct conn *conn)
{
	break_off(conn, CONN_HANDSHAKE_TIMEOUT);
}

void
conn_handshake_begin(struct conn *conn)
{
	conn->handshake.step = step_handshake;
	/* With TCP_DEFER_ACCEPT the client has spoken: no need to ask. */
	handshake_queue_add(&conn_proxy(conn)->handshakes, &conn->handshake);
}
