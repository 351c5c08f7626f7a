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

#include <cmocka.h>

#include "gateway.h"
#include "sockets.h"

static void
a_client_that_ended_still_gets_its_reply(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	gateway_open(g, 10);
	gateway_connect(g, &client);
	gateway_client_say(&client, "question");
	tls_client_end(&client);
	gateway_backend_expect(g, "question");
	assert_int_equal(gateway_backend_ending(g), 0);
	assert_int_equal(gateway_conn(g)->state, CONN_HALF_CLOSED);
	gateway_backend_say(g, "answer");
	gateway_client_expect(g, &client, "answer");
	assert_int_equal(shutdown(g->backend, SHUT_WR), 0);
	assert_true(gateway_client_ended_well(g, &client));
	gateway_wait_closed(g);
	gateway_assert_one_line(g, " reason=done\n");
	tls_client_done(&client);
}

static void
a_backend_that_ended_still_gets_the_upload(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;
	char byte;

	gateway_open(g, 10);
	gateway_connect(g, &client);
	assert_int_equal(shutdown(g->backend, SHUT_WR), 0);
	for (uint64_t end = gateway_deadline(); !client.got_close;
		gateway_turn_before(g, end))
		(void)tls_client_read(&client, &byte, 1);
	assert_int_equal(gateway_conn(g)->state, CONN_HALF_CLOSED);
	gateway_client_say(&client, "upload");
	gateway_backend_expect(g, "upload");
	tls_client_end(&client);
	assert_int_equal(gateway_backend_ending(g), 0);
	gateway_wait_closed(g);
	gateway_assert_one_line(g, " reason=done\n");
	tls_client_done(&client);
}

static void
a_client_that_vanishes_is_a_reset_behind_its_last_bytes(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	gateway_open(g, 10);
	gateway_connect(g, &client);
	gateway_client_say(&client, "half a requ");
	assert_int_equal(shutdown(client.fd, SHUT_WR), 0);
	gateway_wait_closed(g);
	gateway_backend_expect(g, "half a requ");
	assert_int_equal(gateway_backend_ending(g), ECONNRESET);
	gateway_assert_one_line(g, " reason=client_cut\n");
	tls_client_done(&client);
}

static void
a_client_that_resets_is_a_reset(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	gateway_open(g, 10);
	gateway_connect(g, &client);
	close_with_reset(client.fd);
	client.fd = -1;
	assert_int_equal(gateway_backend_ending(g), ECONNRESET);
	gateway_wait_closed(g);
	gateway_assert_one_line(g, " reason=client_cut\n");
	tls_client_done(&client);
}

static void
a_backend_that_resets_is_no_close_notify(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	gateway_open(g, 10);
	gateway_connect(g, &client);
	gateway_backend_say(g, "half a rep");
	gateway_client_expect(g, &client, "half a rep");
	close_with_reset(g->backend);
	g->backend = -1;
	assert_false(gateway_client_ended_well(g, &client));
	assert_false(client.got_close);
	gateway_wait_closed(g);
	gateway_assert_one_line(g, " reason=backend_cut detail=");
	tls_client_done(&client);
}

/* The write hears of the reset first, and must not keep it to itself. */
static void
a_backend_that_resets_under_an_upload_is_no_close_notify(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	gateway_open(g, 10);
	gateway_connect(g, &client);
	gateway_client_say(&client, "upload");
	wait_readable(gateway_conn(g)->relay.client->fd);
	close_with_reset(g->backend);
	g->backend = -1;
	assert_false(gateway_client_ended_well(g, &client));
	assert_false(client.got_close);
	gateway_wait_closed(g);
	gateway_assert_one_line(g, " reason=backend_cut detail=");
	tls_client_done(&client);
}

static void
garbage_after_the_handshake_is_a_reset_for_the_backend(void **state)
{
	static const char garbage[] = "\x17\x03\x03\x00\x20"
				      "this is no ciphertext of a kind.";
	struct gateway *g = *state;
	struct tls_client client;

	gateway_open(g, 10);
	gateway_connect(g, &client);
	gateway_client_say(&client, "good");
	gateway_backend_expect(g, "good");
	assert_int_equal(send(client.fd, garbage, sizeof garbage - 1, 0),
		sizeof garbage - 1);
	assert_int_equal(gateway_backend_ending(g), ECONNRESET);
	gateway_wait_closed(g);
	gateway_assert_one_line(g, " reason=tls_failed detail=");
	assert_false(gateway_client_ended_well(g, &client));
	assert_int_equal(client.got_alert, SSL_AD_BAD_RECORD_MAC);
	tls_client_done(&client);
}

static void
an_idle_connection_ends_without_looking_whole(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	g->it->listener->idle_timeout_ms = 50;
	gateway_open(g, 10);
	gateway_connect(g, &client);
	assert_int_equal(gateway_backend_ending(g), ECONNRESET);
	assert_false(gateway_client_ended_well(g, &client));
	gateway_assert_one_line(g, " reason=idle_timeout\n");
	tls_client_done(&client);
}

static void
a_half_closed_connection_without_traffic_ends(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	g->it->listener->half_close_timeout_ms = 50;
	gateway_open(g, 10);
	gateway_connect(g, &client);
	tls_client_end(&client);
	assert_int_equal(gateway_backend_ending(g), 0);
	gateway_wait_closed(g);
	assert_false(gateway_client_ended_well(g, &client));
	gateway_assert_one_line(g, " reason=half_close_timeout\n");
	tls_client_done(&client);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, gateway_setup, gateway_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_client_that_ended_still_gets_its_reply),
		TEST(a_backend_that_ended_still_gets_the_upload),
		TEST(a_client_that_vanishes_is_a_reset_behind_its_last_bytes),
		TEST(a_client_that_resets_is_a_reset),
		TEST(a_backend_that_resets_is_no_close_notify),
		TEST(a_backend_that_resets_under_an_upload_is_no_close_notify),
		TEST(garbage_after_the_handshake_is_a_reset_for_the_backend),
		TEST(an_idle_connection_ends_without_looking_whole),
		TEST(a_half_closed_connection_without_traffic_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
