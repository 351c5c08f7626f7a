#include "config.h"

#include "proxy/listener.h"

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
#include "proxy/conn.h"
#include "proxy/proxy.h"
#include "sockets.h"
#include "stats/stats.h"
#include "tls/tls_ctx.h"
#include "tls/tls_stock.h"

static void
a_broken_certificate_is_reported_and_gives_no_listener(void **state)
{
	struct gateway *g = *state;
	struct tls_stock *stock = tls_stock_new(g->it->files, NULL);
	struct listener *listener;

	fixture_write(g->it, "gw.pem", "no certificate");
	g->proxy = proxy_new(g->base, g->stats, 10);
	listener = listener_new(g->proxy, &g->it->settings->process,
		g->it->listener, stock, g->it->report);
	assert_null(listener);
	tls_stock_free(&stock);
	assert_true(report_errors(g->it->report) > 0);
	fixture_assert_reported(g->it, "gw.pem");
}

static void
it_copies_what_it_needs_of_the_settings(void **state)
{
	struct gateway *g = *state;

	gateway_open(g, 10);
	settings_free(&g->it->settings);
	g->it->listener = NULL;
	assert_string_equal(g->listener->name, "gw");
	assert_int_equal(g->listener->handshake_timeout.ms, 10000);
	assert_int_equal(g->listener->backend.n_addresses, 1);
}

static void
a_pause_without_a_cause_passes_by_itself(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	gateway_open(g, 10);
	proxy_pause_accepts(g->proxy);
	proxy_pause_accepts(g->proxy);
	assert_int_equal(gateway_count(g, STATS_ACCEPT_PAUSED), 1);
	gateway_dial(g, &client, NULL);
	GATEWAY_WAIT(g, gateway_count(g, STATS_ACCEPTED) == 1);
	assert_false(g->proxy->accepts_paused);
	tls_client_done(&client);
}

static void
stopping_closes_the_sockets_and_keeps_the_connections(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;
	struct stream *backend;

	gateway_open(g, 10);
	gateway_connect(g, &client);
	backend = gateway_conn(g)->relay.backend;
	listener_stop(g->listener);
	listener_stop(g->listener);
	assert_true(TAILQ_EMPTY(&g->proxy->listeners));
	assert_int_equal(g->listener->n_acceptors, 0);
	/* Its generation has gone too: the connection holds it. */
	listener_unref(&g->listener);
	assert_null(g->listener);
	assert_int_equal(tls_client_write(&client, "still here", 10), 10);
	gateway_backend_expect(g, "still here");
	assert_true(is_open(backend->fd));
	tls_client_end(&client);
	assert_int_equal(shutdown(g->backend, SHUT_WR), 0);
	gateway_wait_closed(g);
	gateway_assert_logged(g, " reason=done\n");
	tls_client_done(&client);
}

static void
nothing_is_accepted_before_the_start(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	gateway_open(g, 10);
	listener_stop(g->listener);
	listener_add_socket(g->listener, tcp_listen(&g->port));
	gateway_dial(g, &client, NULL);
	gateway_turn_idly(g);
	assert_int_equal(gateway_count(g, STATS_ACCEPTED), 0);
	listener_start(g->listener);
	GATEWAY_WAIT(g, gateway_count(g, STATS_ACCEPTED) == 1);
	tls_client_done(&client);
}

static void
every_socket_is_accepted_from(void **state)
{
	struct gateway *g = *state;
	struct tls_client first, second;
	unsigned short other;

	gateway_open(g, 10);
	listener_stop(g->listener);
	listener_add_socket(g->listener, tcp_listen(&g->port));
	listener_add_socket(g->listener, tcp_listen(&other));
	listener_start(g->listener);
	gateway_dial(g, &first, NULL);
	g->port = other;
	gateway_dial(g, &second, NULL);
	GATEWAY_WAIT(g, gateway_count(g, STATS_ACCEPTED) == 2);
	tls_client_done(&first);
	tls_client_done(&second);
}

static void
one_that_starts_during_a_pause_waits_for_its_end(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	gateway_open(g, 10);
	listener_stop(g->listener);
	proxy_pause_accepts(g->proxy);
	listener_add_socket(g->listener, tcp_listen(&g->port));
	listener_start(g->listener);
	gateway_dial(g, &client, NULL);
	gateway_turn(g);
	assert_int_equal(gateway_count(g, STATS_ACCEPTED), 0);
	GATEWAY_WAIT(g, gateway_count(g, STATS_ACCEPTED) == 1);
	tls_client_done(&client);
}

static void
all_who_wait_are_let_in_at_once(void **state)
{
	struct gateway *g = *state;
	struct tls_client clients[6];

	gateway_open(g, 10);
	for (size_t i = 0; i < 6; i++)
		gateway_dial(g, &clients[i], NULL);
	listener_accept_waiting(g->listener, 0);
	assert_int_equal(gateway_count(g, STATS_ACCEPTED), 6);
	listener_accept_waiting(g->listener, 0);
	assert_int_equal(gateway_count(g, STATS_ACCEPTED), 6);
	for (size_t i = 0; i < 6; i++)
		tls_client_done(&clients[i]);
}

static void
who_waits_is_let_in_as_long_as_there_is_room(void **state)
{
	struct gateway *g = *state;
	struct tls_client clients[3];

	gateway_open(g, 2);
	for (size_t i = 0; i < 3; i++)
		gateway_dial(g, &clients[i], NULL);
	listener_accept_waiting(g->listener, 0);
	assert_int_equal(gateway_count(g, STATS_ACCEPTED), 2);
	assert_true(g->proxy->accepts_paused);
	for (size_t i = 0; i < 3; i++)
		tls_client_done(&clients[i]);
}

static void
a_socket_has_a_cookie_of_its_own(void **state)
{
	struct gateway *g = *state;
	unsigned short other;
	int fd = tcp_listen(&other);

	gateway_open(g, 10);
	listener_stop(g->listener);
	listener_add_socket(g->listener, fd);
	listener_add_socket(g->listener, tcp_listen(&g->port));
	listener_add_socket(g->listener, dup(fd));
	listener_start(g->listener);
	assert_true(listener_cookie(g->listener, 0) != 0);
	assert_true(listener_cookie(g->listener, 0) !=
		    listener_cookie(g->listener, 1));
	assert_true(listener_cookie(g->listener, 0) ==
		    listener_cookie(g->listener, 2));
}

/* Of the [listener gw] there are, and none of it is complete yet. */
static struct listener *
with_names(struct gateway *g, struct tls_stock **stock_out)
{
	const struct settings *settings;
	struct tls_stock *stock;
	struct listener *listener;

	gateway_configure(g,
		"certfile = gw.pem\nkeyfile = gw.key\n"
		"[server_name a]\nlistener = gw\nserver_name = a.example\n"
		"num_tickets = 1\n"
		"[server_name b]\nlistener = gw\nserver_name = b.example\n"
		"num_tickets = 0\n");
	settings = g->it->settings;
	stock = *stock_out = tls_stock_new(g->it->files, NULL);
	g->proxy = proxy_new(g->base, g->stats, 10);
	listener = listener_new(g->proxy, &settings->process, g->it->listener,
		stock, g->it->report);
	assert_non_null(listener);
	assert_int_equal(
		listener_add_name(listener, &settings->process,
			&g->it->listener->overlays[0], stock, g->it->report),
		0);
	return listener;
}

static void
a_server_name_leads_to_what_was_added_for_it(void **state)
{
	struct gateway *g = *state;
	struct tls_stock *stock;
	struct listener *listener = with_names(g, &stock);
	struct tls_ctx *a, *b;

	assert_int_equal(
		listener_add_name(listener, &g->it->settings->process,
			&g->it->listener->overlays[1], stock, g->it->report),
		0);
	listener_complete(listener, g->it->listener);
	a = tls_ctx_for_name(listener->tls, "a.example");
	b = tls_ctx_for_name(listener->tls, "b.example");
	assert_ptr_equal(listener_serving(listener, a), listener->overlays[0]);
	assert_ptr_equal(listener_serving(listener, b), listener->overlays[1]);
	assert_ptr_equal(listener_serving(listener, listener->tls), listener);
	listener_unref(&listener);
	tls_stock_free(&stock);
}

static void
one_that_is_given_up_leaves_nothing(void **state)
{
	struct gateway *g = *state;
	struct tls_stock *stock;
	struct listener *listener = with_names(g, &stock);

	/* Sanitizers would know. */
	listener_unref(&listener);
	tls_stock_free(&stock);
}

static void
what_is_left_goes_piece_by_piece(void **state)
{
	struct gateway *g = *state;
	struct tls_stock *stock;
	struct listener *listener = with_names(g, &stock);
	struct listener *overlay = listener_ref(listener->overlays[0]);
	int pieces = 0;

	listener_complete(listener, g->it->listener);
	listener_unref(&listener);
	assert_int_equal(overlay->refs, 2);
	while (!background_is_empty(&g->proxy->background)) {
		background_run(&g->proxy->background, 0);
		pieces++;
	}
	/* Its names, each overlay, itself. */
	assert_int_equal(pieces, 3);
	assert_int_equal(overlay->refs, 1);
	listener_unref(&overlay);
	tls_stock_free(&stock);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, gateway_setup, gateway_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_broken_certificate_is_reported_and_gives_no_listener),
		TEST(it_copies_what_it_needs_of_the_settings),
		TEST(a_pause_without_a_cause_passes_by_itself),
		TEST(stopping_closes_the_sockets_and_keeps_the_connections),
		TEST(nothing_is_accepted_before_the_start),
		TEST(every_socket_is_accepted_from),
		TEST(one_that_starts_during_a_pause_waits_for_its_end),
		TEST(all_who_wait_are_let_in_at_once),
		TEST(who_waits_is_let_in_as_long_as_there_is_room),
		TEST(a_socket_has_a_cookie_of_its_own),
		TEST(a_server_name_leads_to_what_was_added_for_it),
		TEST(one_that_is_given_up_leaves_nothing),
		TEST(what_is_left_goes_piece_by_piece),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
