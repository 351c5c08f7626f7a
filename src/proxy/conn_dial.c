/* A connection on its way to the backend. */
#include "proxy/conn_steps.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "net/connect.h"
#include "proxy/backend.h"
#include "proxy/conn.h"
#include "proxy/listener.h"
#include "proxy/proxy.h"
#include "stats/stats.h"

static void
close_undialled(struct conn *conn, int errnum)
{
	stats_count(conn_proxy(conn)->stats, STATS_BACKEND_FAILED, 1);
	if (errnum == ENXIO)
		conn_close(conn, CONN_BACKEND_UNRESOLVED, NULL);
	else
		conn_close(conn, CONN_BACKEND_FAILED, strerror(errnum));
}

/* A unix socket whose backlog is full says so at once instead of letting us
 * wait as TCP does: ask again until connect_timeout. */
#define REDIAL_MS 20

/* Tries the addresses one after the other; LAST_ERRNO is what became of the
 * one before. */
static void
dial(struct conn *conn, int last_errno)
{
	const struct backend *backend = &conn->listener->backend;
	int fd = -1;

	while (fd < 0) {
		fd = backend_dial(backend, conn->attempt++);
		if (fd < 0 && errno == ENXIO) {
			close_undialled(
				conn, last_errno != 0 ? last_errno : ENXIO);
			return;
		}
		if (fd < 0 && errno == EAGAIN) {
			conn->attempt--;
			conn_set_timer_ms(conn, REDIAL_MS);
			return;
		}
		if (fd < 0)
			last_errno = errno;
	}
	stream_init_plain(&conn->backend, fd);
	watch_start(&conn->backend_watch, conn_proxy(conn)->base, fd,
		conn_on_backend, conn);
	if (connect_is_done(fd))
		conn_relay_begin(conn);
	else if (!watch_want(&conn->backend_watch, false, true))
		conn_close(conn, CONN_NO_MEMORY, NULL);
}

void
conn_dial_on_backend(struct conn *conn)
{
	int errnum = connect_result(conn->backend.fd);

	if (errnum == 0) {
		conn_relay_begin(conn);
		return;
	}
	watch_stop(&conn->backend_watch);
	stream_done(&conn->backend);
	dial(conn, errnum);
}

void
conn_dial_begin(struct conn *conn)
{
	conn->active_ms = clock_monotonic_ms();
	conn_set_timer(conn, &conn->listener->connect_timeout);
	dial(conn, 0);
}

void
conn_dial_on_timer(struct conn *conn)
{
	uint64_t limit_ms = conn->listener->connect_timeout.ms;
	uint64_t waited_ms = clock_monotonic_ms() - conn->active_ms;

	if (limit_ms != 0 && waited_ms >= limit_ms) {
		stats_count(conn_proxy(conn)->stats, STATS_BACKEND_FAILED, 1);
		conn_close(conn, CONN_BACKEND_TIMEOUT, NULL);
		return;
	}
	if (limit_ms != 0)
		conn_set_timer_ms(conn, limit_ms - waited_ms);
	if (conn->backend.fd < 0)
		dial(conn, 0);
}
