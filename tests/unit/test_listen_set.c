#define _GNU_SOURCE
#include "config.h"

#include "supervisor/listen_set.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "conf/settings.h"
#include "supervisor/handover.h"
#include "supervisor/socket_store.h"
#include "tls_fixture.h"

/* How sockets are opened and shared is in test_bundle; this is about what
 * another image of the process makes of them. */

static int
set_up(void **state)
{
	struct fixture *it;
	struct cert cert;

	(void)fixture_setup(state);
	it = *state;
	cert = cert_make_server("localhost", NULL);
	fixture_write_cert(it, "gw", &cert);
	cert_done(&cert);
	fixture_configure(it, "certfile = gw.pem\n");
	return 0;
}

static void
add(struct handover *handover, const struct fixture *it, const char *where,
	int fd)
{
	handover_add(handover, HANDOVER_SOCKET, it->listener->name, where, fd);
}

static int
listening(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void
what_is_handed_over_is_taken(void **state)
{
	const struct fixture *it = *state;
	struct handover handover = {.public_fd = -1};
	struct listen_set set = {0}, again = {0};
	int fd = listening();

	add(&handover, it, "127.0.0.1:0", fd);
	listen_set_take_over(&set, it->settings, &handover);
	assert_int_equal(set.n, 1);
	assert_int_equal(set.items[0].fd, fd);
	assert_string_equal(set.items[0].listener, it->listener->name);
	assert_int_equal(set.items[0].addr.kind, ADDR_INET);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	handover_done(&handover);

	listen_set_hand_over(&set, &handover);
	assert_int_equal(handover.n_items, 1);
	assert_string_equal(handover.items[0].where, "127.0.0.1:0");
	listen_set_take_over(&again, it->settings, &handover);
	assert_int_equal(again.items[0].fd, fd);
	handover_done(&handover);
	free(again.items);
	listen_set_done(&set);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void
what_makes_no_sense_is_closed(void **state)
{
	const struct fixture *it = *state;
	struct handover handover = {.public_fd = -1};
	struct listen_set set = {0};
	const int fds[] = {listening(), listening(),
		socket(AF_INET, SOCK_STREAM, 0), open("/dev/null", O_RDONLY)};
	size_t i;

	add(&handover, it, "nowhere", fds[0]);
	handover_add(
		&handover, HANDOVER_SOCKET, "nobody", "127.0.0.1:0", fds[1]);
	add(&handover, it, "127.0.0.1:0", fds[2]);
	add(&handover, it, "127.0.0.1:0", fds[3]);
	listen_set_take_over(&set, it->settings, &handover);
	assert_int_equal(set.n, 0);
	for (i = 0; i < sizeof fds / sizeof fds[0]; i++)
		assert_int_equal(fcntl(fds[i], F_GETFD), -1);
	listen_set_done(&set);
	handover_done(&handover);
}

static void
what_is_closed_already_is_not_handed_over(void **state)
{
	const struct fixture *it = *state;
	struct handover handover = {.public_fd = -1};
	struct listen_set set = {0};

	add(&handover, it, "127.0.0.1:0", listening());
	listen_set_take_over(&set, it->settings, &handover);
	handover_done(&handover);
	listen_set_close(&set, true);
	listen_set_hand_over(&set, &handover);
	assert_int_equal(handover.n_items, 0);
	listen_set_done(&set);
	handover_done(&handover);
}

/* Somebody else has put something in its place. */
static void
what_has_lost_its_file_is_not_handed_over(void **state)
{
	struct fixture *it = *state;
	struct listen_set set = {0};
	struct socket_store *store = socket_store_new();
	struct addr *addr = &it->settings->listeners[0].listen.items[0];
	struct handover handover = {.public_fd = -1};
	char *where = NULL;
	struct error err;

	assert_true(asprintf(&where, "unix:%s/gw.sock", it->dir) > 0);
	assert_int_equal(addr_parse(where, ADDR_FOR_LISTEN, addr, &err), 0);
	assert_int_equal(
		listen_set_open(&set, it->settings, NULL, store, it->report),
		0);
	listen_set_hand_over(&set, &handover);
	assert_int_equal(handover.n_items, 1);
	assert_int_equal(unlink(where + strlen("unix:")), 0);
	fixture_write(it, "gw.sock", "of somebody else");
	listen_set_hand_over(&set, &handover);
	assert_int_equal(handover.n_items, 1);
	listen_set_close(&set, false);
	listen_set_done(&set);
	handover_done(&handover);
	socket_store_free(&store);
	free(where);
}

/* A stop closes what runs, and then drops what was on its way. */
static void
the_file_of_a_socket_that_is_kept_stays_when_it_is_closed(void **state)
{
	const struct fixture *it = *state;
	struct listen_set kept = {0}, dropped = {0}, none = {0};
	struct socket_store *store = socket_store_new();
	struct addr *addr = &it->settings->listeners[0].listen.items[0];
	char *where = NULL;
	struct error err;

	assert_true(asprintf(&where, "unix:%s/gw.sock", it->dir) > 0);
	assert_int_equal(addr_parse(where, ADDR_FOR_LISTEN, addr, &err), 0);
	assert_int_equal(
		listen_set_open(&kept, it->settings, NULL, store, it->report),
		0);
	assert_int_equal(listen_set_open(&dropped, it->settings, &kept, store,
				 it->report),
		0);
	listen_set_close(&kept, true);
	listen_set_remove_files(&dropped, &kept);
	assert_int_equal(access(where + strlen("unix:"), F_OK), 0);
	listen_set_remove_files(&dropped, &none);
	assert_int_equal(access(where + strlen("unix:"), F_OK), -1);
	listen_set_done(&kept);
	listen_set_done(&dropped);
	socket_store_free(&store);
	free(where);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, set_up, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_handed_over_is_taken),
		TEST(what_makes_no_sense_is_closed),
		TEST(what_is_closed_already_is_not_handed_over),
		TEST(what_has_lost_its_file_is_not_handed_over),
		TEST(the_file_of_a_socket_that_is_kept_stays_when_it_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
