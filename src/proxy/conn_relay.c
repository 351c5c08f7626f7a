/* A connection's bytes both ways, and how they end. */
#include "proxy/conn_steps.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "net/connect.h"
#include "proxy/backend.h"
#include "proxy/conn.h"
#include "proxy/conn_announce.h"
#include "proxy/listener.h"
#include "proxy/proxy.h"
#include "proxy/timeout.h"
#include "tls/tls_error.h"
#include "tls/tls_stream.h"

/* How soon to look whether a cut side's last bytes have arrived; each look
 * waits a quarter of the time gone by. */
#define CUT_POLL_MS 10

/* And how long at most, where no half_close_timeout bounds it. */
#define CUT_MAX_MS 10000

static void settle(struct conn *conn);

static void
note_traffic(struct conn *conn)
{
	uint64_t moved = conn->relay.up.bytes + conn->relay.down.bytes;

	if (moved == conn->moved)
		return;
	conn->moved = moved;
	conn->active_ms = clock_monotonic_ms();
}

void
conn_relay_on_client(struct conn *conn, short what)
{
	struct scratch *scratch = conn_proxy(conn)->scratch;

	if ((what & EV_WRITE) != 0)
		relay_write_client(&conn->relay, scratch);
	if ((what & EV_READ) != 0)
		relay_read_client(&conn->relay, scratch);
	note_traffic(conn);
	settle(conn);
}

void
conn_relay_on_backend(struct conn *conn, short what)
{
	struct scratch *scratch = conn_proxy(conn)->scratch;

	if ((what & EV_WRITE) != 0)
		relay_write_backend(&conn->relay, scratch);
	if ((what & EV_READ) != 0)
		relay_read_backend(&conn->relay, scratch);
	note_traffic(conn);
	settle(conn);
}

/* Who ended it, now that it is over. The worse end names the reason. */
static void
close_over(struct conn *conn)
{
	const struct pump *up = &conn->relay.up, *down = &conn->relay.down;

	if (up->state == PUMP_SOURCE_FAILED)
		conn_close(conn, CONN_TLS_FAILED,
			tls_stream_failure(conn->tls)->text);
	else if (up->state == PUMP_SOURCE_CUT)
		conn_close(conn, CONN_CLIENT_CUT, NULL);
	else if (down->state == PUMP_SOURCE_CUT)
		conn_close(
			conn, CONN_BACKEND_CUT, strerror(conn->backend.error));
	else if (up->state == PUMP_SINK_CUT)
		conn_close(
			conn, CONN_BACKEND_CUT, strerror(conn->backend.error));
	else if (down->state == PUMP_SINK_CUT)
		conn_close(conn, CONN_CLIENT_CUT, NULL);
	else
		conn_close(conn, CONN_DONE, NULL);
}

/*
 * The reset that tells the backend of a cut would overtake bytes that its
 * kernel has not taken yet, so it waits for them.
 */
static bool
must_wait_for_backend(const struct conn *conn)
{
	return conn->relay.up.state != PUMP_SINK_CUT &&
	       !relay_backend_got_end(&conn->relay) &&
	       connect_unacked(conn->backend.fd) > 0;
}

static uint64_t
cut_limit_ms(const struct conn *conn)
{
	uint64_t limit_ms = conn->listener->half_close_timeout.ms;

	return limit_ms == 0 || limit_ms > CUT_MAX_MS ? CUT_MAX_MS : limit_ms;
}

static void
enter_cutting(struct conn *conn)
{
	if (conn->state == CONN_CUTTING)
		return;
	conn_set_state(conn, CONN_CUTTING);
	conn->active_ms = clock_monotonic_ms();
	conn_set_timer_ms(conn, cut_limit_ms(conn));
}

/* All is handed over, but not all has arrived: look again soon. */
static void
wait_for_backend(struct conn *conn)
{
	enter_cutting(conn);
	conn_set_timer_ms(conn, CUT_POLL_MS);
}

static void
enter_half_closed(struct conn *conn)
{
	if (conn->state != CONN_RELAYING)
		return;
	conn_set_state(conn, CONN_HALF_CLOSED);
	conn->active_ms = clock_monotonic_ms();
	conn_set_timer(conn, &conn->listener->half_close_timeout);
}

static void
watch_both(struct conn *conn)
{
	const struct relay *relay = &conn->relay;

	if (!watch_want(&conn->client_watch, pump_wants_source(&relay->up),
		    stream_has_rest(relay->client)) ||
		!watch_want(&conn->backend_watch,
			pump_wants_source(&relay->down),
			stream_has_rest(relay->backend)))
		conn_close(conn, CONN_NO_MEMORY, NULL);
}

/* After every step: where does the connection stand, what does it wait for? */
static void
settle(struct conn *conn)
{
	switch (relay_status(&conn->relay)) {
	case RELAY_OPEN:
		break;
	case RELAY_HALF_CLOSED:
		enter_half_closed(conn);
		break;
	case RELAY_CUT:
		enter_cutting(conn);
		break;
	case RELAY_OVER:
		if (!must_wait_for_backend(conn)) {
			close_over(conn);
			return;
		}
		wait_for_backend(conn);
		break;
	}
	watch_both(conn);
}

void
conn_relay_begin(struct conn *conn)
{
	conn_set_state(conn, CONN_RELAYING);
	conn->active_ms = clock_monotonic_ms();
	conn_set_timer(conn, &conn->listener->idle_timeout);
	/* A backend on this machine cannot be cut off from us. */
	if (!backend_is_local(&conn->listener->backend, conn->attempt - 1))
		connect_keepalive(
			conn->backend.fd, conn->listener->tcp_keepalive_ms);
	relay_init(&conn->relay, conn_client(conn), &conn->backend);
	if (conn_announce(conn) < 0) {
		conn_close(conn, CONN_BACKEND_CUT, strerror(errno));
		return;
	}
	/* A request that came with the handshake waits already. */
	if (tls_stream_pending(conn->tls))
		relay_read_client(&conn->relay, conn_proxy(conn)->scratch);
	note_traffic(conn);
	settle(conn);
}

void
conn_relay_check_cut(struct conn *conn)
{
	uint64_t limit_ms = cut_limit_ms(conn);
	uint64_t silent_ms = clock_monotonic_ms() - conn->active_ms;
	bool over = relay_status(&conn->relay) == RELAY_OVER;

	if (silent_ms >= limit_ms || (over && !must_wait_for_backend(conn)))
		close_over(conn);
	else if (over)
		conn_set_timer_ms(conn, CUT_POLL_MS + silent_ms / 4);
	else
		conn_set_timer_ms(conn, limit_ms - silent_ms);
}
