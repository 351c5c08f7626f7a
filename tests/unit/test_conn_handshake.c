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

static bool
backend_was_dialled(struct gateway *g)
{
	int fd = accept4(g->backend_listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static void
a_client_without_a_certificate_is_refused_by_name(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	gateway_open(g, 10);
	gateway_dial(g, &client, NULL);
	for (uint64_t end = gateway_deadline();
		gateway_count(g, STATS_CLOSED) == 0;
		gateway_turn_before(g, end))
		tls_client_step(&client);
	gateway_assert_one_line(g, " refused listener=gw ");
	gateway_assert_logged(g, " reason=client_certificate_required ");
	assert_false(gateway_client_ended_well(g, &client));
	assert_int_equal(client.got_alert, SSL_AD_CERTIFICATE_REQUIRED);
	assert_false(backend_was_dialled(g));
	assert_int_equal(gateway_count(g, STATS_HANDSHAKES_FAILED), 1);
	assert_int_equal(gateway_count(g, STATS_HANDSHAKES), 0);
	tls_client_done(&client);
}

static void
a_client_that_does_not_speak_tls_is_refused(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	gateway_open(g, 10);
	gateway_dial(g, &client, NULL);
	assert_int_equal(send(client.fd, "GET / HTTP/1.0\r\n", 16, 0), 16);
	GATEWAY_WAIT(g, gateway_count(g, STATS_CLOSED) > 0);
	gateway_assert_one_line(g, " reason=not_tls ");
	assert_false(backend_was_dialled(g));
	tls_client_done(&client);
}

static void
a_probe_is_counted_and_not_logged(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	gateway_open(g, 10);
	gateway_dial(g, &client, NULL);
	assert_int_equal(shutdown(client.fd, SHUT_WR), 0);
	GATEWAY_WAIT(g, gateway_count(g, STATS_CLOSED) > 0);
	assert_int_equal(gateway_count(g, STATS_PROBES), 1);
	assert_int_equal(gateway_count(g, STATS_HANDSHAKES_FAILED), 0);
	assert_int_equal(gateway_log_lines(g), 0);
	tls_client_done(&client);
}

static void
a_probe_is_logged_where_that_is_asked_for(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	g->it->settings->process.log_probes = true;
	gateway_open(g, 10);
	gateway_dial(g, &client, NULL);
	assert_int_equal(shutdown(client.fd, SHUT_WR), 0);
	GATEWAY_WAIT(g, gateway_count(g, STATS_CLOSED) > 0);
	gateway_assert_one_line(g, " reason=probe\n");
	tls_client_done(&client);
}

static void
a_client_that_leaves_in_its_handshake_is_a_failed_one(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	gateway_open(g, 10);
	gateway_dial(g, &client, NULL);
	assert_int_equal(send(client.fd, "\x16\x03\x01", 3, 0), 3);
	assert_int_equal(shutdown(client.fd, SHUT_WR), 0);
	GATEWAY_WAIT(g, gateway_count(g, STATS_CLOSED) > 0);
	gateway_assert_one_line(g, " reason=client_cut\n");
	assert_int_equal(gateway_count(g, STATS_HANDSHAKES_FAILED), 1);
	assert_int_equal(gateway_count(g, STATS_PROBES), 0);
	tls_client_done(&client);
}

static void
a_slow_handshake_ends_at_its_deadline(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	g->it->listener->handshake_timeout_ms = 50;
	gateway_open(g, 10);
	gateway_dial(g, &client, &g->cert);
	assert_int_equal(send(client.fd, "\x16\x03\x01", 3, 0), 3);
	GATEWAY_WAIT(g, gateway_count(g, STATS_CLOSED) > 0);
	gateway_assert_one_line(g, " reason=handshake_timeout\n");
	assert_int_equal(gateway_count(g, STATS_HANDSHAKES_FAILED), 1);
	assert_int_equal(gateway_count(g, STATS_PROBES), 0);
	tls_client_done(&client);
}

static void
a_client_that_stays_silent_is_a_probe_at_the_deadline(void **state)
{
	struct gateway *g = *state;
	struct tls_client client;

	g->it->listener->handshake_timeout_ms = 50;
	gateway_open(g, 10);
	gateway_dial(g, &client, &g->cert);
	GATEWAY_WAIT(g, gateway_count(g, STATS_CLOSED) > 0);
	assert_int_equal(gateway_count(g, STATS_PROBES), 1);
	assert_int_equal(gateway_count(g, STATS_HANDSHAKES_FAILED), 0);
	assert_int_equal(gateway_log_lines(g), 0);
	tls_client_done(&client);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, gateway_setup, gateway_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_client_without_a_certificate_is_refused_by_name),
		TEST(a_client_that_does_not_speak_tls_is_refused),
		TEST(a_probe_is_counted_and_not_logged),
		TEST(a_probe_is_logged_where_that_is_asked_for),
		TEST(a_client_that_leaves_in_its_handshake_is_a_failed_one),
		TEST(a_slow_handshake_ends_at_its_deadline),
		TEST(a_client_that_stays_silent_is_a_probe_at_the_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
