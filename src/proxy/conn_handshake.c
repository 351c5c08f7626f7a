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

/* The client is in. What it sends from now on waits in the kernel until the
 * backend is there. */
static void
finish_handshake(struct conn *conn)
{
	struct stats *stats = conn_proxy(conn)->stats;

	stats_count(stats, STATS_HANDSHAKES, 1);
	if (tls_stream_resumed(conn->tls))
		stats_count(stats, STATS_RESUMED, 1);
	conn_set_state(conn, CONN_CONNECTING);
	if (!watch_want(&conn->client_watch, false,
		    stream_has_rest(conn_client(conn)))) {
		conn_close(conn, CONN_NO_MEMORY, NULL);
		return;
	}
	conn_dial_begin(conn);
}

static void
refuse(struct conn *conn)
{
	stats_count(conn_proxy(conn)->stats, STATS_HANDSHAKES_FAILED, 1);
	conn_close(conn, CONN_REFUSED, tls_stream_failure(conn->tls)->text);
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
	return conn->tls != NULL;
}

static void
step_handshake(struct handshake_task *task)
{
	struct conn *conn = (struct conn *)((char *)task -
					    offsetof(struct conn, handshake));
	bool heard;

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
		heard = tls_stream_heard(conn->tls);
		conn_close(conn, heard ? CONN_CLIENT_CUT : CONN_PROBE, NULL);
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
		(void)watch_want(
			&conn->client_watch, false, conn->client_watch.writing);
	else
		handshake_queue_add(
			&conn_proxy(conn)->handshakes, &conn->handshake);
}

void
conn_handshake_begin(struct conn *conn)
{
	conn->handshake.step = step_handshake;
	/* With TCP_DEFER_ACCEPT the client has spoken: no need to ask. */
	handshake_queue_add(&conn_proxy(conn)->handshakes, &conn->handshake);
}
