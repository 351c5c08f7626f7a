/* One connection from accept() to its one line in the log. */
#include "proxy/conn.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "net/connect.h"
#include "net/linger.h"
#include "proxy/conn_log.h"
#include "proxy/conn_steps.h"
#include "proxy/listener.h"
#include "proxy/proxy.h"
#include "proxy/timeout.h"
#include "stats/stats.h"
#include "tls/tls_stream.h"

struct proxy *
conn_proxy(const struct conn *conn)
{
	return conn->listener->proxy;
}

struct stream *
conn_client(const struct conn *conn)
{
	return tls_stream_base(conn->tls);
}

void
conn_set_state(struct conn *conn, enum conn_state next)
{
	assert(conn_state_may_move(conn->state, next));
	conn->state = next;
}

/* Certificates are valid by the wall clock, which may be set: a far end is
 * looked at again after this long. */
#define VALIDITY_LOOK_MS ((uint64_t)3600 * 1000)

/* How long the client's certificate is still good, or may not be looked at. */
static uint64_t
validity_ms(const struct conn *conn)
{
	int64_t left_s = conn->valid_until_s - (int64_t)time(NULL);

	if (conn->valid_until_s == INT64_MAX ||
		!conn->listener->close_deauthorized)
		return UINT64_MAX;
	/* The second that notAfter names is still good (RFC 5280 4.1.2.5). */
	if (left_s < 0)
		return 0;
	return left_s >= 3600 ? VALIDITY_LOOK_MS
			      : (uint64_t)(left_s + 1) * 1000;
}

void
conn_set_timer(struct conn *conn, const struct timeout *timeout)
{
	const struct timeval *tv = timeout_tv(timeout);
	uint64_t valid_ms = validity_ms(conn);

	(void)evtimer_del(&conn->timer);
	if (valid_ms < timeout->ms ||
		(timeout->ms == 0 && valid_ms != UINT64_MAX))
		conn_set_timer_ms(conn, valid_ms);
	else if (tv != NULL)
		(void)evtimer_add(&conn->timer, tv);
}

void
conn_set_timer_ms(struct conn *conn, uint64_t ms)
{
	uint64_t valid_ms = validity_ms(conn);
	struct timeval tv = clock_tv_of_ms(valid_ms < ms ? valid_ms : ms);

	(void)evtimer_add(&conn->timer, &tv);
}

static void
on_client(int fd, short what, void *arg)
{
	struct conn *conn = arg;

	(void)fd;
	switch (conn->state) {
	case CONN_HANDSHAKING:
		conn_handshake_on_client(conn, what);
		return;
	case CONN_CONNECTING:
		(void)conn_handshake_flush(conn);
		return;
	case CONN_RELAYING:
	case CONN_HALF_CLOSED:
	case CONN_CUTTING:
		conn_relay_on_client(conn, what);
		return;
	case CONN_CLOSED:
	case CONN_N_STATES:
		return;
	}
}

void
conn_on_backend(int fd, short what, void *arg)
{
	struct conn *conn = arg;

	(void)fd;
	if (conn->state == CONN_CONNECTING)
		conn_dial_on_backend(conn);
	else if (conn->state != CONN_CLOSED)
		conn_relay_on_backend(conn, what);
}

/* ---- time ---- */

static uint64_t
min_ms(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Neither by us nor by the kernel, which still sends what we gave it to a side
 * that takes it slowly; asked only when all else says that it is over. */
static uint64_t
silent_for_ms(const struct conn *conn, uint64_t limit_ms)
{
	uint64_t silent_ms = clock_monotonic_ms() - conn->active_ms;

	if (silent_ms < limit_ms)
		return silent_ms;
	silent_ms =
		min_ms(silent_ms, connect_sent_ago_ms(conn_client(conn)->fd));
	return min_ms(silent_ms, connect_sent_ago_ms(conn->backend.fd));
}

/*
 * A busy connection does not move its timer at every byte: the timer looks,
 * when it fires, how long nothing happened, and sleeps for the rest.
 */
static void
check_silence(struct conn *conn, const struct timeout *timeout,
	enum conn_reason reason)
{
	uint64_t silent_ms = silent_for_ms(conn, timeout->ms);

	if (timeout->ms == 0)
		conn_set_timer(conn, timeout);
	else if (silent_ms >= timeout->ms)
		conn_close(conn, reason, NULL);
	else
		conn_set_timer_ms(conn, timeout->ms - silent_ms);
}

static void
on_timer(int fd, short what, void *arg)
{
	struct conn *conn = arg;

	(void)fd;
	(void)what;
	if (validity_ms(conn) == 0) {
		conn_close(conn, CONN_DEAUTHORIZED,
			"the client's certificate has expired");
		return;
	}
	switch (conn->state) {
	case CONN_HANDSHAKING:
		conn_handshake_on_timer(conn);
		return;
	case CONN_CONNECTING:
		conn_dial_on_timer(conn);
		return;
	case CONN_RELAYING:
		check_silence(
			conn, &conn->listener->idle_timeout, CONN_IDLE_TIMEOUT);
		return;
	case CONN_HALF_CLOSED:
		check_silence(conn, &conn->listener->half_close_timeout,
			CONN_HALF_CLOSE_TIMEOUT);
		return;
	case CONN_CUTTING:
		conn_relay_check_cut(conn);
		return;
	case CONN_CLOSED:
	case CONN_N_STATES:
		return;
	}
}

/* ---- birth and end ---- */

static void
set_peer(struct conn *conn, const struct sockaddr *peer)
{
	if (peer->sa_family == AF_INET)
		memcpy(&conn->peer.in, peer, sizeof conn->peer.in);
	else if (peer->sa_family == AF_INET6)
		memcpy(&conn->peer.in6, peer, sizeof conn->peer.in6);
	else
		conn->peer.sa.sa_family = AF_UNIX;
}

void
conn_start(struct listener *listener, int fd, const struct sockaddr *peer)
{
	struct proxy *proxy = listener->proxy;
	struct conn *conn = calloc(1, sizeof *conn);

	stats_count(proxy->stats, STATS_ACCEPTED, 1);
	if (conn == NULL) {
		stats_count(proxy->stats, STATS_CLOSED, 1);
		fd_close(&fd);
		return;
	}
	conn->listener = listener_ref(listener);
	conn->fd = fd;
	conn->backend.fd = -1;
	conn->id = proxy_next_id(proxy);
	conn->born_ms = clock_monotonic_ms();
	conn->valid_until_s = INT64_MAX;
	set_peer(conn, peer);
	watch_start(&conn->client_watch, proxy->base, fd, on_client, conn);
	(void)evtimer_assign(&conn->timer, proxy->base, on_timer, conn);
	conn_set_timer(conn, &listener->handshake_timeout);
	proxy_add_conn(proxy, conn);
	/* With TCP_DEFER_ACCEPT the client has spoken: no need to ask. */
	conn_handshake_begin(conn);
}

/* May the client still be sending? Then a plain close() would be a reset. */
static bool
client_may_send(const struct conn *conn, enum conn_reason reason)
{
	if (conn->tls == NULL || reason == CONN_CLIENT_CUT ||
		reason == CONN_PROBE)
		return false;
	return conn->relay.up.state != PUMP_ENDED &&
	       conn->relay.up.state != PUMP_SOURCE_CUT;
}

/*
 * Only a stream that ended in order may look like one. The backend learns of
 * anything else by a reset, the client by the absence of close_notify - and
 * gently, so that what was sent last (a fatal alert, the rest of a reply)
 * still arrives.
 */
static void
close_descriptors(struct conn *conn, enum conn_reason reason)
{
	int fd = conn->tls != NULL ? tls_stream_take_fd(conn->tls) : conn->fd;

	conn->fd = -1;
	/* Not when it was only being dialled: its kernel may have accepted,
	 * and an empty stream is not what the client sent. */
	if (conn->backend.fd >= 0 && relay_backend_got_end(&conn->relay))
		connect_end_on_close(conn->backend.fd);
	stream_done(&conn->backend);
	if (client_may_send(conn, reason))
		linger_close(conn_proxy(conn)->lingering, fd);
	else
		fd_close(&fd);
}

void
conn_close(struct conn *conn, enum conn_reason reason, const char *detail)
{
	struct proxy *proxy = conn_proxy(conn);
	struct stats *stats = proxy->stats;

	if (conn->state == CONN_CLOSED)
		return;
	handshake_queue_remove(&proxy->handshakes, &conn->handshake);
	watch_stop(&conn->client_watch);
	watch_stop(&conn->backend_watch);
	(void)evtimer_del(&conn->timer);
	conn_log(conn, reason, detail);
	close_descriptors(conn, reason);
	conn_set_state(conn, CONN_CLOSED);
	stats_count(stats, STATS_CLOSED, 1);
	stats_count(stats, STATS_BYTES_UP, conn->relay.up.bytes);
	stats_count(stats, STATS_BYTES_DOWN, conn->relay.down.bytes);
	if (reason == CONN_PROBE)
		stats_count(stats, STATS_PROBES, 1);
	proxy_conn_closed(proxy, conn);
}

void
conn_free(struct conn **conn)
{
	if (*conn == NULL)
		return;
	conn_source_done(&(*conn)->source);
	tls_stream_free(&(*conn)->tls);
	stream_done(&(*conn)->backend);
	listener_unref(&(*conn)->listener);
	free(*conn);
	*conn = NULL;
}
