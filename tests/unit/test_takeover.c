#define _GNU_SOURCE
#include "config.h"

#include "supervisor/takeover.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/systemd.h"
#include "supervisor/handover.h"

/* What a binary before ours has left: one socket of the service manager. */
static void
leave(int inherited)
{
	struct handover handover = {.version = xstrdup("1"),
		.protocol = xstrdup("1"),
		.program = xstrdup("/x"),
		.public_fd = 900,
		.secret_fd = 901};
	struct error err;
	int fd;

	handover_add(&handover, HANDOVER_INHERITED, "web", "", inherited);
	fd = handover_write(&handover, &err);
	assert_true(fd >= 0);
	handover_announce(fd);
	handover_done(&handover);
}

static void
a_start_finds_nothing(void **state)
{
	struct handover handover;

	(void)state;
	assert_int_equal(takeover_read(&handover), 1);
}

static void
what_was_left_is_found_once(void **state)
{
	int fd = open("/dev/null", O_RDONLY);
	struct handover handover;

	(void)state;
	leave(fd);
	assert_int_equal(takeover_read(&handover), 0);
	assert_string_equal(handover.program, "/x");
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	handover_done(&handover);
	assert_int_equal(takeover_read(&handover), 1);
	assert_int_equal(close(fd), 0);
}

static void
what_cannot_be_read_is_no_start(void **state)
{
	struct handover handover;
	struct error err;

	(void)state;
	handover_announce(fd_sealed_memfd("x", "nonsense", 8, &err));
	assert_int_equal(takeover_read(&handover), -1);
}

static void
sockets_of_the_manager_go_on_and_on(void **state)
{
	struct handover handover, next = {.public_fd = -1, .secret_fd = -1};
	int fd = open("/dev/null", O_RDONLY), found = -1;

	(void)state;
	if (!systemd_available())
		skip();
	leave(fd);
	assert_int_equal(takeover_read(&handover), 0);
	takeover_inherit(&handover);
	handover_done(&handover);
	assert_int_equal(systemd_listen_fds("web", &found, 1), 1);
	assert_int_equal(found, fd);
	takeover_hand_over_inherited(&next);
	assert_int_equal(next.n_items, 1);
	assert_string_equal(next.items[0].name, "web");
	assert_int_equal(next.items[0].fd, fd);
	handover_done(&next);
	assert_int_equal(close(fd), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_start_finds_nothing),
		cmocka_unit_test(what_was_left_is_found_once),
		cmocka_unit_test(what_cannot_be_read_is_no_start),
		cmocka_unit_test(sockets_of_the_manager_go_on_and_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
