#include "config.h"

#include "supervisor/socket_store.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/systemd.h"
#include "net/listen_socket.h"
#include "service_manager.h"

#define MODE 0600

/* What a child that failed to do its part says. */
#define BROKEN 50

static struct addr
parsed(const char *text)
{
	struct addr addr;
	struct error err;

	if (addr_parse(text, ADDR_FOR_LISTEN, &addr, &err) < 0)
		abort();
	return addr;
}

/* A socket on TEXT, and where it is bound. */
static int
open_socket(const char *text, struct addr *bound_out)
{
	struct addr addr = parsed(text);
	struct error err;
	int fd = listen_socket_open(&addr, MODE, &err);

	if (fd < 0 || listen_socket_bound(fd, bound_out) < 0)
		abort();
	return fd;
}

static int
stores_new_socket(struct manager *manager, struct socket_store *store,
	const char *text, char name_out[256])
{
	struct addr bound;
	int fd = open_socket(text, &bound), kept;

	socket_store_begin(store, true);
	socket_store_keep(store, fd, &bound);
	socket_store_end(store);
	kept = manager_next_change(manager, name_out);
	(void)close(fd);
	return kept;
}

static void
a_socket_that_is_served_is_stored_once(void **state)
{
	struct manager *manager = *state;
	struct socket_store *store = socket_store_new();
	struct addr bound;
	char name[256];
	int fd = open_socket("127.0.0.1:0", &bound), kept, i;

	if (!systemd_available())
		skip();
	for (i = 0; i < 3; i++) {
		socket_store_begin(store, true);
		assert_true(socket_store_is_on(store));
		socket_store_keep(store, fd, &bound);
		socket_store_end(store);
	}
	kept = manager_next_change(manager, name);
	assert_true(kept >= 0);
	manager_expect_nothing(manager);
	(void)close(kept);
	(void)close(fd);
	socket_store_free(&store);
	assert_null(store);
	socket_store_free(&store);
}

static void
a_socket_that_is_served_no_more_leaves_the_store(void **state)
{
	struct manager *manager = *state;
	struct socket_store *store = socket_store_new();
	char name[256], gone[256];

	if (!systemd_available())
		skip();
	(void)close(stores_new_socket(manager, store, "127.0.0.1:0", name));
	socket_store_begin(store, true);
	socket_store_end(store);
	assert_int_equal(manager_next_change(manager, gone), -1);
	assert_string_equal(gone, name);
	manager_expect_nothing(manager);
	socket_store_free(&store);
}

static void
all_leave_when_the_store_is_turned_off(void **state)
{
	struct manager *manager = *state;
	struct socket_store *store = socket_store_new();
	struct addr bound;
	char name[256];
	int fd;

	if (!systemd_available())
		skip();
	(void)close(stores_new_socket(manager, store, "127.0.0.1:0", name));
	fd = open_socket("127.0.0.1:0", &bound);
	socket_store_begin(store, false);
	assert_false(socket_store_is_on(store));
	socket_store_keep(store, fd, &bound);
	socket_store_end(store);
	assert_int_equal(manager_next_change(manager, name), -1);
	manager_expect_nothing(manager);
	(void)close(fd);
	socket_store_free(&store);
}

static void
a_manager_that_stores_nothing_is_given_nothing(void **state)
{
	struct manager *manager = *state;
	struct socket_store *store = socket_store_new();
	struct addr bound;
	int fd = open_socket("127.0.0.1:0", &bound);

	assert_int_equal(setenv("FDSTORE", "0", 1), 0);
	socket_store_begin(store, true);
	assert_false(socket_store_is_on(store));
	socket_store_keep(store, fd, &bound);
	socket_store_end(store);
	manager_expect_nothing(manager);
	(void)close(fd);
	socket_store_free(&store);
}

static void
two_sockets_have_two_names(void **state)
{
	struct manager *manager = *state;
	struct socket_store *store = socket_store_new();
	char one[256], other[256];

	if (!systemd_available())
		skip();
	(void)close(stores_new_socket(manager, store, "127.0.0.1:0", one));
	(void)close(stores_new_socket(manager, store, "127.0.0.1:0", other));
	assert_string_not_equal(one, other);
	socket_store_free(&store);
}

/* ---- in the next process, which has SOCKET_FD under SOCKET_NAME ---- */

static int socket_fd;
static char socket_name[256];
static struct addr wish;

/* 1: it is used; 0: it is not, and closed. */
static int
start_again(void)
{
	struct socket_store *store;
	int fd;

	manager_inherit(socket_name, socket_fd);
	store = socket_store_new();
	socket_store_want(store, &wish);
	socket_store_drop_unwanted(store);
	fd = socket_store_take(store, &wish);
	if ((fd >= 0) != (socket_store_taken(store) == 1) ||
		socket_store_take(store, &wish) >= 0 ||
		(fd >= 0) != (fcntl(3, F_GETFD) == FD_CLOEXEC))
		return BROKEN;
	socket_store_free(&store);
	return fd >= 0;
}

/* Is what was stored of TEXT used where WANTED is configured ("": just
 * there)? */
static int
is_used_for(struct manager *manager, const char *text, const char *wanted)
{
	struct socket_store *store = socket_store_new();
	struct addr bound;
	int used, removed;

	socket_fd = stores_new_socket(manager, store, text, socket_name);
	assert_int_equal(listen_socket_bound(socket_fd, &bound), 0);
	wish = *wanted == '\0' ? bound : parsed(wanted);
	used = manager_in_child(start_again);
	if (used == 0) {
		char gone[256];

		removed = manager_next_change(manager, gone);
		assert_int_equal(removed, -1);
		assert_string_equal(gone, socket_name);
	}
	manager_expect_nothing(manager);
	(void)close(socket_fd);
	socket_store_free(&store);
	return used;
}

static void
a_stored_socket_is_used_where_its_address_is_configured(void **state)
{
	if (!systemd_available())
		skip();
	assert_int_equal(is_used_for(*state, "127.0.0.1:0", ""), 1);
	assert_int_equal(is_used_for(*state, "[::1]:0", ""), 1);
	assert_int_equal(is_used_for(*state, "*:0", ""), 1);
	assert_int_equal(is_used_for(*state, "[::]:0", ""), 1);
	assert_int_equal(is_used_for(*state, "unix:@test_socket_store", ""), 1);
}

static void
one_that_nobody_wants_is_closed_and_leaves_the_store(void **state)
{
	if (!systemd_available())
		skip();
	assert_int_equal(is_used_for(*state, "127.0.0.1:0", "127.0.0.1:9"), 0);
	assert_int_equal(is_used_for(*state, "127.0.0.1:0", "127.0.0.1:0"), 0);
	assert_int_equal(is_used_for(*state, "127.0.0.1:0", "unix:/x"), 0);
}

static void
dual_stack_is_part_of_an_address(void **state)
{
	struct manager *manager = *state;
	struct socket_store *store = socket_store_new();
	struct addr bound;

	if (!systemd_available())
		skip();
	socket_fd = stores_new_socket(manager, store, "*:0", socket_name);
	assert_int_equal(listen_socket_bound(socket_fd, &bound), 0);
	assert_true(bound.dual_stack);
	wish = bound;
	wish.dual_stack = false;
	assert_int_equal(manager_in_child(start_again), 0);
	(void)close(socket_fd);
	socket_store_free(&store);
}

static void
a_socket_under_anothers_name_is_not_used(void **state)
{
	struct manager *manager = *state;
	struct socket_store *store = socket_store_new();
	struct addr bound;

	if (!systemd_available())
		skip();
	(void)close(
		stores_new_socket(manager, store, "127.0.0.1:0", socket_name));
	socket_fd = open_socket("127.0.0.1:0", &bound);
	wish = bound;
	assert_int_equal(manager_in_child(start_again), 0);
	(void)close(socket_fd);
	socket_store_free(&store);
}

static void
what_does_not_listen_is_not_used(void **state)
{
	struct addr bound;

	(void)state;
	if (!systemd_available())
		skip();
	socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(listen_socket_bound(socket_fd, &bound), 0);
	wish = bound;
	(void)snprintf(socket_name, sizeof socket_name, "sallyport-listen-1");
	assert_int_equal(manager_in_child(start_again), 0);
	(void)close(socket_fd);
}

/* ---- unix sockets: what matters is the file ---- */

static char path[] = "/tmp/test_socket_store.XXXXXX/s";

static void
make_path(char text[64])
{
	char *slash = strrchr(path, '/');

	memcpy(slash - 6, "XXXXXX", 6);
	*slash = '\0';
	assert_non_null(mkdtemp(path));
	*slash = '/';
	(void)snprintf(text, 64, "unix:%s", path);
}

static void
remove_path(void)
{
	char *slash = strrchr(path, '/');

	(void)unlink(path);
	*slash = '\0';
	assert_int_equal(rmdir(path), 0);
	*slash = '/';
}

static void
a_unix_socket_is_used_while_its_file_is_there(void **state)
{
	char text[64];

	if (!systemd_available())
		skip();
	make_path(text);
	assert_int_equal(is_used_for(*state, text, text), 1);
	remove_path();
}

static void
a_unix_socket_whose_file_is_gone_is_not_used(void **state)
{
	struct manager *manager = *state;
	struct socket_store *store = socket_store_new();
	char text[64];

	if (!systemd_available())
		skip();
	make_path(text);
	wish = parsed(text);
	socket_fd = stores_new_socket(manager, store, text, socket_name);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(manager_in_child(start_again), 0);
	(void)close(socket_fd);
	socket_store_free(&store);
	remove_path();
}

static void
a_unix_socket_whose_file_is_anothers_now_is_not_used(void **state)
{
	struct manager *manager = *state;
	struct socket_store *store = socket_store_new();
	char text[64], aside[80];
	struct addr bound;
	int other;

	if (!systemd_available())
		skip();
	make_path(text);
	wish = parsed(text);
	socket_fd = stores_new_socket(manager, store, text, socket_name);
	/* Not removed, so that its inode is not given to the next file. */
	(void)snprintf(aside, sizeof aside, "%s.aside", path);
	assert_int_equal(rename(path, aside), 0);
	other = open_socket(text, &bound);
	assert_int_equal(manager_in_child(start_again), 0);
	(void)close(other);
	(void)close(socket_fd);
	(void)unlink(aside);
	socket_store_free(&store);
	remove_path();
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, manager_start, manager_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_socket_that_is_served_is_stored_once),
		TEST(a_socket_that_is_served_no_more_leaves_the_store),
		TEST(all_leave_when_the_store_is_turned_off),
		TEST(a_manager_that_stores_nothing_is_given_nothing),
		TEST(two_sockets_have_two_names),
		TEST(a_stored_socket_is_used_where_its_address_is_configured),
		TEST(one_that_nobody_wants_is_closed_and_leaves_the_store),
		TEST(dual_stack_is_part_of_an_address),
		TEST(a_socket_under_anothers_name_is_not_used),
		TEST(what_does_not_listen_is_not_used),
		TEST(a_unix_socket_is_used_while_its_file_is_there),
		TEST(a_unix_socket_whose_file_is_gone_is_not_used),
		TEST(a_unix_socket_whose_file_is_anothers_now_is_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
