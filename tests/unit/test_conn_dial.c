#include "config.h"

#include "proxy/conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway.h"

static void
a_backend_that_is_down_is_a_prompt_close_with_a_reason(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	assert_int_equal(close(g->backend_listener), 0);
	g->backend_listener = -1;
	gateway_open(g, 10);
	gateway_dial(g, &client, &g->cert);
	for (uint64_t end = gateway_deadline();
		gateway_count(g, STATS_CLOSED) == 0;
		gateway_turn_before(g, end))
		tls_client_step(&client);
	assert_false(client.got_close);
	gateway_assert_one_line(g, " warn ");
	gateway_assert_logged(
		g, " reason=backend_failed detail=\"Connection refused\"\n");
	assert_int_equal(gateway_count(g, STATS_BACKEND_FAILED), 1);
	assert_int_equal(gateway_count(g, STATS_HANDSHAKES), 1);
	tls_client_done(&client);
}

static void
a_backend_without_an_address_is_a_close_with_a_reason(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	assert_int_equal(addr_parse("db.example:5432", ADDR_FOR_CONNECT,
				 &g->it->listener->backend, NULL),
		0);
	gateway_open(g, 10);
	gateway_dial(g, &client, &g->cert);
	for (uint64_t end = gateway_deadline();
		gateway_count(g, STATS_CLOSED) == 0;
		gateway_turn_before(g, end))
		tls_client_step(&client);
	gateway_assert_one_line(g, " reason=backend_unresolved\n");
	tls_client_done(&client);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, gateway_setup, gateway_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_backend_that_is_down_is_a_prompt_close_with_a_reason),
		TEST(a_backend_without_an_address_is_a_close_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
