#include "config.h"

#include "worker/generation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include <event2/event.h>

#include <cmocka.h>

#include "gateway.h"
#include "packed.h"
#include "proxy/conn.h"
#include "proxy/listener.h"
#include "proxy/proxy.h"
#include "sockets.h"

static void
it_is_built_from_a_bundle_and_started(void **state)
{
	struct gateway *g = *state;
	struct packed fds = packed_new(g);
	struct generation *generation = generation_new(7);
	struct listener *listener;
	int socket = tcp_listen(&g->port);

	g->proxy = proxy_new(g->base, g->stats, 10);
	assert_int_equal(generation_number(generation), 7);
	generation_add_socket(generation, "gw", socket);
	generation = packed_build(&fds, generation, g);
	assert_non_null(generation);
	assert_true(TAILQ_EMPTY(&g->proxy->listeners));
	generation_start(generation);
	listener = TAILQ_FIRST(&g->proxy->listeners);
	assert_non_null(listener);
	assert_string_equal(listener->name, "gw");
	assert_int_equal(listener->n_acceptors, 1);
	generation_stop(generation);
	assert_true(TAILQ_EMPTY(&g->proxy->listeners));
	assert_false(is_open(socket));
	generation_free(&generation);
	assert_null(generation);
	packed_done(&fds);
}

static void
it_needs_no_file_any_more(void **state)
{
	struct gateway *g = *state;
	struct packed fds = packed_new(g);
	struct generation *generation = generation_new(1);

	g->proxy = proxy_new(g->base, g->stats, 10);
	fixture_write(g->it, "gw.pem", "gone");
	fixture_write(g->it, "gw.key", "gone");
	fixture_write(g->it, "sallyport.ini", "gone");
	generation = packed_build(&fds, generation, g);
	assert_non_null(generation);
	generation_free(&generation);
	packed_done(&fds);
}

static void
sockets_that_nobody_takes_are_closed(void **state)
{
	struct gateway *g = *state;
	struct packed fds = packed_new(g);
	struct generation *generation = generation_new(1);
	unsigned short port;
	int socket = tcp_listen(&port);

	g->proxy = proxy_new(g->base, g->stats, 10);
	generation_add_socket(generation, "other", socket);
	generation = packed_build(&fds, generation, g);
	assert_non_null(generation);
	assert_true(is_open(socket));
	generation_free(&generation);
	assert_false(is_open(socket));
	packed_done(&fds);
}

static void
one_that_was_never_built_closes_its_sockets(void **state)
{
	struct generation *generation = generation_new(1);
	unsigned short port;
	int socket = tcp_listen(&port);

	(void)state;
	generation_add_socket(generation, "gw", socket);
	generation_free(&generation);
	assert_false(is_open(socket));
	generation_free(&generation);
}

static void
a_bundle_that_is_none_is_reported(void **state)
{
	struct gateway *g = *state;
	struct generation *generation = generation_new(1);
	struct packed fds = {
		.public_fd = open("/dev/null", O_RDONLY | O_CLOEXEC),
		.secret_fd = open("/dev/null", O_RDONLY | O_CLOEXEC),
		.path = strdup("t.ini")};

	g->proxy = proxy_new(g->base, g->stats, 10);
	generation = packed_build(&fds, generation, g);
	assert_null(generation);
	assert_true(report_errors(g->it->report) > 0);
	generation_free(&generation);
	packed_done(&fds);
}

static void
a_key_that_does_not_belong_to_it_is_reported(void **state)
{
	struct gateway *g = *state;
	struct generation *generation = generation_new(1);
	char *key = cert_key_pem(&g->ca, NULL);
	struct packed fds;

	fixture_write(g->it, "gw.key", key);
	free(key);
	fds = packed_new(g);
	g->proxy = proxy_new(g->base, g->stats, 10);
	generation = packed_build(&fds, generation, g);
	assert_null(generation);
	fixture_assert_reported(g->it, "does not match");
	generation_free(&generation);
	packed_done(&fds);
}

static void
a_bundle_without_secrets_is_reported(void **state)
{
	struct gateway *g = *state;
	struct packed fds = packed_new(g);
	struct generation *generation = generation_new(1);

	g->proxy = proxy_new(g->base, g->stats, 10);
	assert_int_equal(close(fds.secret_fd), 0);
	fds.secret_fd = -1;
	generation = packed_build(&fds, generation, g);
	assert_null(generation);
	fixture_assert_no_secret(g->it, &g->server);
	generation_free(&generation);
	packed_done(&fds);
}

static void
connections_keep_the_generation_they_were_born_in(void **state)
{
	struct gateway *g = *state;
	struct packed fds;
	struct generation *old, *young;
	struct tls_client client;

	/* The gateway's own listener is the old generation's here. */
	fds = packed_new(g);
	gateway_open(g, 10);
	gateway_connect(g, &client);
	old = generation_new(1);
	young = generation_new(2);
	generation_add_socket(young, "gw", tcp_listen(&g->port));
	old = packed_build(&fds, old, g);
	assert_non_null(old);
	young = packed_build(&fds, young, g);
	assert_non_null(young);
	generation_start(young);
	listener_stop(g->listener);
	listener_unref(&g->listener);
	generation_free(&old);
	assert_int_equal(tls_client_write(&client, "alive", 5), 5);
	gateway_backend_expect(g, "alive");
	generation_stop(young);
	generation_free(&young);
	tls_client_done(&client);
	packed_done(&fds);
}

/* Two generations of the proxy, with these sockets (taken; -1: none), one in
 * favour of the other, while a client waits at g->port. Returns how many were
 * let in meanwhile. */
static uint64_t
accepted_by_replacing(struct gateway *g, int socket, int next_socket)
{
	struct packed fds = packed_new(g);
	struct generation *old = generation_new(1), *young = generation_new(2);
	struct tls_client client;
	uint64_t accepted;

	g->proxy = proxy_new(g->base, g->stats, 10);
	generation_add_socket(old, "gw", socket);
	if (next_socket >= 0)
		generation_add_socket(young, "gw", next_socket);
	old = packed_build(&fds, old, g);
	assert_non_null(old);
	young = packed_build(&fds, young, g);
	assert_non_null(young);
	generation_start(old);
	gateway_dial(g, &client, NULL);
	generation_start(young);
	generation_replace(old, young);
	accepted = gateway_count(g, STATS_ACCEPTED);
	assert_false(is_open(socket));
	generation_stop(young);
	generation_free(&old);
	generation_free(&young);
	tls_client_done(&client);
	packed_done(&fds);
	return accepted;
}

static void
who_waits_at_a_socket_that_goes_is_let_in(void **state)
{
	struct gateway *g = *state;
	unsigned short other;
	int socket = tcp_listen(&g->port);

	assert_int_equal(
		accepted_by_replacing(g, socket, tcp_listen(&other)), 1);
}

static void
who_waits_at_a_socket_that_stays_is_left_to_the_next(void **state)
{
	struct gateway *g = *state;
	int socket = tcp_listen(&g->port);

	assert_int_equal(accepted_by_replacing(g, socket, dup(socket)), 0);
}

static void
one_without_sockets_leaves_who_waits_to_other_workers(void **state)
{
	struct gateway *g = *state;

	assert_int_equal(accepted_by_replacing(g, tcp_listen(&g->port), -1), 0);
}

static void
news_of_a_host_reaches_its_listener(void **state)
{
	struct gateway *g = *state;
	struct generation *generation = generation_new(1);
	struct addr addr;
	struct packed fds;

	settings_free(&g->it->settings);
	file_source_free(&g->it->files);
	g->it->files = file_source_disk(g->it->dir);
	fixture_write(g->it, "sallyport.ini",
		"[listener gw]\nlisten = 127.0.0.1:0\n"
		"backend = db.example:5432\nallow_remote_plaintext = yes\n"
		"certfile = gw.pem\nkeyfile = gw.key\ncafile = ca.pem\n");
	g->it->settings =
		settings_load("sallyport.ini", g->it->files, g->it->report);
	fds = packed_new(g);
	g->proxy = proxy_new(g->base, g->stats, 10);
	generation = packed_build(&fds, generation, g);
	assert_non_null(generation);
	generation_start(generation);
	assert_int_equal(
		addr_parse("192.0.2.1:5432", ADDR_FOR_CONNECT, &addr, NULL), 0);
	generation_resolved(generation, "db.example", 5432, &addr, 1);
	assert_int_equal(
		TAILQ_FIRST(&g->proxy->listeners)->backend.n_addresses, 1);
	generation_stop(generation);
	generation_free(&generation);
	packed_done(&fds);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, gateway_setup, gateway_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_built_from_a_bundle_and_started),
		TEST(it_needs_no_file_any_more),
		TEST(sockets_that_nobody_takes_are_closed),
		cmocka_unit_test(one_that_was_never_built_closes_its_sockets),
		TEST(a_bundle_that_is_none_is_reported),
		TEST(a_key_that_does_not_belong_to_it_is_reported),
		TEST(a_bundle_without_secrets_is_reported),
		TEST(connections_keep_the_generation_they_were_born_in),
		TEST(who_waits_at_a_socket_that_goes_is_let_in),
		TEST(who_waits_at_a_socket_that_stays_is_left_to_the_next),
		TEST(one_without_sockets_leaves_who_waits_to_other_workers),
		TEST(news_of_a_host_reaches_its_listener),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
