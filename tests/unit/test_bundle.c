#include "config.h"

#include "supervisor/bundle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/error.h"
#include "conf/report.h"
#include "conf/settings.h"
#include "sockets.h"
#include "supervisor/handover.h"
#include "supervisor/socket_store.h"
#include "tls_fixture.h"

static const uint8_t ticket_secret[TICKET_SECRET_SIZE] = {1, 2, 3};

/* LISTEN lines in a configuration that is otherwise complete. */
static struct bundle *
load(struct fixture *it, const char *listen, uint64_t number)
{
	char text[512], path[512];

	(void)snprintf(text, sizeof text,
		"[listener gw]\n%s\nbackend = 127.0.0.1:9\ncertfile = gw.pem\n",
		listen);
	fixture_write(it, "sallyport.ini", text);
	(void)snprintf(path, sizeof path, "%s/sallyport.ini", it->dir);
	return bundle_load(path, number, ticket_secret, it->report, NULL);
}

static struct socket_store *store; /* empty: no service manager */

static int
set_up(void **state)
{
	struct cert cert;

	(void)fixture_setup(state);
	store = socket_store_new();
	cert = cert_make_server("localhost", NULL);
	fixture_write_cert(*state, "gw", &cert);
	cert_done(&cert);
	return 0;
}

static int
tear_down(void **state)
{
	socket_store_free(&store);
	return fixture_teardown(state);
}

static struct bundle *
load_good(struct fixture *it, const char *listen, uint64_t number)
{
	struct bundle *bundle = load(it, listen, number);

	if (bundle == NULL)
		fail_msg("%s", fixture_report(it));
	return bundle;
}

static uint16_t
port_of(const struct bundle *bundle, size_t index)
{
	struct addr addr;

	assert_string_equal(bundle_socket(bundle, index, &addr), "gw");
	assert_int_not_equal(addr.port, 0);
	return addr.port;
}

static void
a_good_configuration_becomes_a_bundle(void **state)
{
	struct bundle *bundle = load_good(*state, "listen = 127.0.0.1:0", 42);
	struct addr addr = {.port = 77};

	assert_int_equal(bundle_number(bundle), 42);
	assert_int_equal(bundle_settings(bundle)->n_listeners, 1);
	/* No socket yet. */
	assert_null(bundle_socket(bundle, 0, &addr));
	assert_int_equal(addr.port, 77);
	bundle_free(&bundle);
	assert_null(bundle);
	bundle_free(&bundle);
}

static void
errors_are_reported_and_give_no_bundle(void **state)
{
	struct fixture *it = *state;

	assert_null(load(it, "listen = nowhere", 1));
	assert_true(report_errors(it->report) > 0);
	fixture_assert_reported(it, "sallyport.ini:2: [listener gw] listen");
}

static void
a_missing_file_is_reported(void **state)
{
	struct fixture *it = *state;

	assert_null(bundle_load(
		"/nonexistent/x.ini", 1, ticket_secret, it->report, NULL));
	fixture_assert_reported(it, "/nonexistent/x.ini");
	fixture_assert_reported(it, "No such file or directory");
}

static void
every_listen_line_opens_a_socket(void **state)
{
	struct fixture *it = *state;
	struct bundle *bundle =
		load_good(it, "listen = 127.0.0.1:0\nlisten = 127.0.0.2:0", 1);
	struct addr addr;

	assert_int_equal(
		bundle_open_sockets(bundle, NULL, store, it->report), 0);
	(void)port_of(bundle, 0);
	(void)port_of(bundle, 1);
	assert_null(bundle_socket(bundle, 2, &addr));
	bundle_free(&bundle);
}

static void
a_socket_that_stays_is_shared_with_the_bundle_before(void **state)
{
	struct fixture *it = *state;
	struct bundle *old = load_good(it, "listen = 127.0.0.1:0", 1);
	struct bundle *young =
		load_good(it, "listen = 127.0.0.1:0\nlisten = 127.0.0.2:0", 2);
	uint16_t port;

	assert_int_equal(bundle_open_sockets(old, NULL, store, it->report), 0);
	port = port_of(old, 0);
	assert_int_equal(bundle_open_sockets(young, old, store, it->report), 0);
	assert_int_equal(port_of(young, 0), port);
	bundle_free(&old);
	assert_int_equal(port_of(young, 0), port);
	bundle_free(&young);
}

static void
an_address_that_is_taken_is_reported_with_its_line(void **state)
{
	struct fixture *it = *state;
	unsigned short port;
	int fd = tcp_listen(&port);
	struct bundle *bundle;
	char listen[64];

	(void)snprintf(listen, sizeof listen, "listen = 127.0.0.1:%hu", port);
	bundle = load_good(it, listen, 1);
	assert_int_equal(
		bundle_open_sockets(bundle, NULL, store, it->report), -1);
	fixture_assert_reported(it, "sallyport.ini:2: [listener gw]");
	fixture_assert_reported(it, "Address already in use");
	bundle_free(&bundle);
	assert_int_equal(close(fd), 0);
}

static void
one_address_that_fails_does_not_hide_the_next(void **state)
{
	struct fixture *it = *state;
	struct bundle *bundle = load_good(it,
		"listen = unix:/nonexistent/a.sock\n"
		"listen = unix:/nonexistent/b.sock",
		1);

	assert_int_equal(
		bundle_open_sockets(bundle, NULL, store, it->report), -1);
	assert_int_equal(report_errors(it->report), 2);
	bundle_free(&bundle);
}

static void
an_inherited_socket_that_nobody_passed_is_reported(void **state)
{
	struct fixture *it = *state;
	struct bundle *bundle = load_good(it, "listen = systemd:web", 1);

	assert_int_equal(
		bundle_open_sockets(bundle, NULL, store, it->report), -1);
	fixture_assert_reported(it, "no socket named \"web\"");
	bundle_free(&bundle);
}

static void
closing_the_sockets_removes_the_files_of_unix_ones(void **state)
{
	struct fixture *it = *state;
	char listen[256], path[128];
	struct bundle *bundle;
	struct stat st;

	(void)snprintf(path, sizeof path, "%s/x.sock", it->dir);
	(void)snprintf(listen, sizeof listen, "listen = unix:%s", path);
	bundle = load_good(it, listen, 1);
	assert_int_equal(
		bundle_open_sockets(bundle, NULL, store, it->report), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	bundle_close_sockets(bundle, false);
	assert_int_equal(stat(path, &st), -1);
	bundle_close_sockets(bundle, false);
	bundle_free(&bundle);
}

static void
a_unix_socket_that_somebody_else_holds_keeps_its_file(void **state)
{
	struct fixture *it = *state;
	char listen[256], path[128];
	struct bundle *bundle;
	struct stat st;

	(void)snprintf(path, sizeof path, "%s/x.sock", it->dir);
	(void)snprintf(listen, sizeof listen, "listen = unix:%s", path);
	bundle = load_good(it, listen, 1);
	assert_int_equal(
		bundle_open_sockets(bundle, NULL, store, it->report), 0);
	bundle_close_sockets(bundle, true);
	assert_int_equal(stat(path, &st), 0);
	bundle_free(&bundle);
}

static void
freeing_one_of_two_keeps_the_file_of_a_unix_socket(void **state)
{
	struct fixture *it = *state;
	char listen[256], path[128];
	struct bundle *old, *young;
	struct stat st;

	(void)snprintf(path, sizeof path, "%s/x.sock", it->dir);
	(void)snprintf(listen, sizeof listen, "listen = unix:%s", path);
	old = load_good(it, listen, 1);
	young = load_good(it, listen, 2);
	assert_int_equal(bundle_open_sockets(old, NULL, store, it->report), 0);
	assert_int_equal(bundle_open_sockets(young, old, store, it->report), 0);
	bundle_free(&old);
	assert_int_equal(stat(path, &st), 0);
	bundle_close_sockets(young, false);
	bundle_free(&young);
}

/* ---- from one binary to the next ---- */

/* As if another image of this process had read what BUNDLE handed over. */
static struct bundle *
hand_over(struct fixture *it, const struct bundle *bundle)
{
	struct handover handover = {.version = strdup("1"),
		.protocol = strdup("1"),
		.program = strdup("/x")};
	struct handover got;
	struct bundle *taken;
	struct error err;
	char path[512];
	size_t i;
	int fd;

	bundle_hand_over(bundle, &handover);
	fd = handover_write(&handover, &err);
	assert_true(fd >= 0);
	assert_int_equal(handover_read(fd, &got, &err), 0);
	(void)close(fd);
	got.public_fd = dup(got.public_fd);
	got.secret_fd = dup(got.secret_fd);
	for (i = 0; i < got.n_items; i++)
		got.items[i].fd = dup(got.items[i].fd);
	(void)snprintf(path, sizeof path, "%s/sallyport.ini", it->dir);
	taken = bundle_take_over(path, &got, it->report);
	assert_non_null(taken);
	handover_done(&got);
	handover_done(&handover);
	return taken;
}

static void
a_bundle_that_was_handed_over_is_the_same(void **state)
{
	struct fixture *it = *state;
	struct bundle *old =
		load_good(it, "listen = 127.0.0.1:0\nlisten = 127.0.0.1:0", 7);
	struct bundle *young, *next;
	uint16_t port, other;

	assert_int_equal(bundle_open_sockets(old, NULL, store, it->report), 0);
	port = port_of(old, 0);
	other = port_of(old, 1);
	/* The files are of no matter. */
	fixture_write(it, "sallyport.ini", "broken");
	young = hand_over(it, old);
	assert_int_equal(bundle_number(young), 7);
	assert_int_equal(port_of(young, 0), port);
	assert_int_equal(port_of(young, 1), other);
	assert_true(bundle_is_same(young, old));
	next = bundle_again(young, 8, it->report);
	assert_non_null(next);
	assert_int_equal(bundle_number(next), 8);
	assert_true(bundle_is_same(next, young));
	assert_int_equal(
		bundle_open_sockets(next, young, store, it->report), 0);
	assert_int_equal(port_of(next, 0), port);
	assert_int_equal(port_of(next, 1), other);
	bundle_free(&next);
	bundle_free(&young);
	bundle_free(&old);
}

static void
another_file_makes_another_bundle(void **state)
{
	struct fixture *it = *state;
	struct bundle *one = load_good(it, "listen = 127.0.0.1:0", 1);
	struct bundle *same = load_good(it, "listen = 127.0.0.1:0", 2);
	struct bundle *other = load_good(it, "listen = 127.0.0.2:0", 3);

	assert_true(bundle_is_same(one, same));
	assert_false(bundle_is_same(one, other));
	bundle_free(&one);
	bundle_free(&same);
	bundle_free(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_good_configuration_becomes_a_bundle),
		TEST(errors_are_reported_and_give_no_bundle),
		TEST(a_missing_file_is_reported),
		TEST(every_listen_line_opens_a_socket),
		TEST(a_socket_that_stays_is_shared_with_the_bundle_before),
		TEST(an_address_that_is_taken_is_reported_with_its_line),
		TEST(one_address_that_fails_does_not_hide_the_next),
		TEST(an_inherited_socket_that_nobody_passed_is_reported),
		TEST(closing_the_sockets_removes_the_files_of_unix_ones),
		TEST(a_unix_socket_that_somebody_else_holds_keeps_its_file),
		TEST(a_bundle_that_was_handed_over_is_the_same),
		TEST(another_file_makes_another_bundle),
		TEST(freeing_one_of_two_keeps_the_file_of_a_unix_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
