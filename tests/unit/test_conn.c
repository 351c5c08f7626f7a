#include "config.h"

#include "proxy/conn.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include <cmocka.h>

#include "gateway.h"
#include "proxy/listener.h"
#include "proxy/proxy.h"
#include "sockets.h"
#include "stream/scratch.h"

static void
bytes_go_both_ways_and_one_line_tells(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	gateway_open(g, 10);
	gateway_connect(g, &client);
	gateway_client_say(&client, "request");
	gateway_backend_expect(g, "request");
	gateway_backend_say(g, "reply to it");
	gateway_client_expect(g, &client, "reply to it");
	assert_int_equal(gateway_log_lines(g), 0);
	tls_client_end(&client);
	assert_int_equal(shutdown(client.fd, SHUT_WR), 0);
	assert_int_equal(gateway_backend_ending(g), 0);
	assert_int_equal(shutdown(g->backend, SHUT_WR), 0);
	assert_true(gateway_client_ended_well(g, &client));
	gateway_wait_closed(g);
	gateway_assert_one_line(g, " closed listener=gw conn=");
	gateway_assert_logged(g, " peer=127.0.0.1:");
	gateway_assert_logged(g, " tls=TLSv1.3 cipher=");
	gateway_assert_logged(g, " resumed=no subject=\"CN=billing\"");
	gateway_assert_logged(g, " up=7 down=11 ");
	gateway_assert_logged(g, " reason=done\n");
	assert_int_equal(gateway_count(g, STATS_ACCEPTED), 1);
	assert_int_equal(gateway_count(g, STATS_HANDSHAKES), 1);
	assert_int_equal(gateway_count(g, STATS_HANDSHAKES_FAILED), 0);
	assert_int_equal(gateway_count(g, STATS_CLOSED), 1);
	assert_int_equal(gateway_count(g, STATS_BYTES_UP), 7);
	assert_int_equal(gateway_count(g, STATS_BYTES_DOWN), 11);
	assert_int_equal(stats_get_gauge(g->stats, STATS_CONNECTIONS), 0);
	tls_client_done(&client);
}

static void
a_backend_that_speaks_first_is_heard(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	gateway_open(g, 10);
	gateway_connect(g, &client);
	gateway_backend_say(g, "220 ready");
	gateway_client_expect(g, &client, "220 ready");
	tls_client_done(&client);
}

static void
a_request_that_came_with_the_handshake_is_relayed(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	gateway_open(g, 10);
	gateway_dial(g, &client, &g->cert);
	for (uint64_t end = gateway_deadline(); !client.is_done;
		gateway_turn_before(g, end)) {
		tls_client_step(&client);
		if (client.is_done)
			gateway_client_say(&client, "at once");
	}
	gateway_accept(g);
	gateway_backend_expect(g, "at once");
	tls_client_done(&client);
}

static void
an_idle_connection_owns_no_buffer(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;
	struct conn *conn;

	gateway_open(g, 10);
	gateway_connect(g, &client);
	gateway_client_say(&client, "request");
	gateway_backend_expect(g, "request");
	conn = gateway_conn(g);
	assert_null(conn->relay.client->rest.bytes);
	assert_null(conn->relay.backend->rest.bytes);
	assert_true(conn->client_watch.reading);
	assert_true(conn->backend_watch.reading);
	assert_false(watch_is_writing(&conn->client_watch));
	assert_false(watch_is_writing(&conn->backend_watch));
	tls_client_done(&client);
}

static void
a_client_that_does_not_read_stops_the_backend(void **state)
{
	static char block[65536];
	const size_t too_much = (size_t)64 * 1024 * 1024;
	struct gateway *g = *state;
	struct tls_client client;
	struct conn *conn;
	size_t sent = 0, came = 0;
	int stuck = 0;
	ssize_t n;

	gateway_open(g, 10);
	gateway_connect(g, &client);
	conn = gateway_conn(g);
	while (stuck < 20 && sent < too_much) {
		n = send(g->backend, block, sizeof block, MSG_NOSIGNAL);
		if (n > 0)
			sent += (size_t)n;
		stuck = n > 0 ? 0 : stuck + 1;
		gateway_turn(g);
	}
	assert_true(sent < too_much);
	assert_true(stream_has_rest(conn->relay.client));
	assert_true(conn->relay.client->rest.size <= SCRATCH_WRITE_MAX);
	assert_false(conn->backend_watch.reading);
	assert_int_equal(shutdown(g->backend, SHUT_WR), 0);
	for (uint64_t end = gateway_deadline(); !client.got_close;
		gateway_turn_before(g, end))
		came += tls_client_read(&client, block, sizeof block);
	assert_int_equal(came, sent);
	assert_null(conn->relay.client->rest.bytes);
	tls_client_done(&client);
}

static void
closing_all_names_the_reason_and_closes_twice_as_once(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;
	struct conn *conn;

	gateway_open(g, 10);
	gateway_connect(g, &client);
	conn = gateway_conn(g);
	proxy_close_all(g->proxy, CONN_DRAINED);
	/* Alive until the turn is over. */
	assert_int_equal(conn->state, CONN_CLOSED);
	conn_close(conn, CONN_STOPPED, "again");
	gateway_assert_one_line(g, " reason=drained\n");
	assert_int_equal(gateway_count(g, STATS_CLOSED), 1);
	assert_int_equal(g->proxy->n_conns, 0);
	gateway_turn(g);
	assert_true(TAILQ_EMPTY(&g->proxy->closed));
	assert_int_equal(gateway_backend_ending(g), ECONNRESET);
	tls_client_done(&client);
}

static void
a_handshake_under_way_can_be_closed(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	gateway_open(g, 10);
	gateway_dial(g, &client, &g->cert);
	tls_client_step(&client);
	GATEWAY_WAIT(g, gateway_conn(g) != NULL);
	proxy_close_all(g->proxy, CONN_STOPPED);
	assert_true(handshake_queue_is_empty(&g->proxy->handshakes));
	gateway_turn(g);
	assert_int_equal(g->proxy->n_conns, 0);
	tls_client_done(&client);
}

static void
on_always_ready(evutil_socket_t fd, short what, void *arg)
{
	int *n = arg;

	(void)fd;
	(void)what;
	(*n)++;
}

static void
a_bulk_transfer_does_not_keep_handshakes_out(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;
	struct event *busy;
	int fds[2], n = 0;

	gateway_open(g, 10);
	tcp_pair(&fds[0], &fds[1]);
	busy = event_new(
		g->base, fds[1], EV_WRITE | EV_PERSIST, on_always_ready, &n);
	assert_int_equal(event_add(busy, NULL), 0);
	gateway_connect(g, &client);
	assert_true(n > 0 && n < 1000000);
	event_free(busy);
	assert_int_equal(close(fds[0]), 0);
	assert_int_equal(close(fds[1]), 0);
	tls_client_done(&client);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, gateway_setup, gateway_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_go_both_ways_and_one_line_tells),
		TEST(a_backend_that_speaks_first_is_heard),
		TEST(a_request_that_came_with_the_handshake_is_relayed),
		TEST(an_idle_connection_owns_no_buffer),
		TEST(a_client_that_does_not_read_stops_the_backend),
		TEST(closing_all_names_the_reason_and_closes_twice_as_once),
		TEST(a_handshake_under_way_can_be_closed),
		TEST(a_bulk_transfer_does_not_keep_handshakes_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
