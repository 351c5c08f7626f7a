#include "config.h"

#include "proxy/acceptor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway.h"
#include "proxy/listener.h"
#include "proxy/proxy.h"
#include "sockets.h"
#include "stats/stats.h"

static void
one_turn_takes_one_connection(void **state)
{
	struct gateway *g = *state;
	struct tls_client clients[6];

	gateway_open(g, 10);
	for (size_t i = 0; i < 6; i++)
		gateway_dial(g, &clients[i], NULL);
	GATEWAY_WAIT(g, gateway_count(g, STATS_ACCEPTED) > 0);
	for (uint64_t n = 1; n < 6; n++) {
		assert_int_equal(gateway_count(g, STATS_ACCEPTED), n);
		gateway_turn(g);
	}
	assert_int_equal(gateway_count(g, STATS_ACCEPTED), 6);
	for (size_t i = 0; i < 6; i++)
		tls_client_done(&clients[i]);
}

static void
a_full_proxy_pauses_and_goes_on_when_one_has_gone(void **state)
{
	struct gateway *g = *state;
	struct tls_client first, second;

	gateway_open(g, 1);
	gateway_connect(g, &first);
	gateway_dial(g, &second, &g->cert);
	GATEWAY_WAIT(g, g->proxy->accepts_paused);
	gateway_turn_idly(g);
	assert_int_equal(gateway_count(g, STATS_ACCEPTED), 1);
	assert_int_equal(gateway_count(g, STATS_ACCEPT_PAUSED), 1);
	close_with_reset(first.fd);
	first.fd = -1;
	GATEWAY_WAIT(g, gateway_count(g, STATS_ACCEPTED) == 2);
	tls_client_done(&first);
	tls_client_done(&second);
}

static void
a_socket_that_cannot_accept_pauses_and_says_so(void **state)
{
	struct gateway *g = *state;
	int fds[2];

	gateway_open(g, 10);
	listener_stop(g->listener);
	/* Readable, and accept() fails for good. */
	tcp_pair(&fds[0], &fds[1]);
	assert_int_equal(send(fds[0], "x", 1, 0), 1);
	listener_add_socket(g->listener, fds[1]);
	listener_start(g->listener);
	GATEWAY_WAIT(g, g->proxy->accepts_paused);
	gateway_assert_logged(g, " warn ");
	gateway_assert_logged(g, " cannot accept, waiting listener=gw ");
	assert_int_equal(close(fds[0]), 0);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, gateway_setup, gateway_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_turn_takes_one_connection),
		TEST(a_full_proxy_pauses_and_goes_on_when_one_has_gone),
		TEST(a_socket_that_cannot_accept_pauses_and_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
