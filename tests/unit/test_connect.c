#include "config.h"

#include "net/connect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/addr.h"

#define DEADLINE_MS 5000

/* A listening socket on a port of the kernel's choice, and its address. */
static int
listen_tcp(struct addr *addr_out)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof sin;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	addr_from_sockaddr((struct sockaddr *)&sin, len, addr_out);
	return fd;
}

/* The same on a path in a new directory. */
static int
listen_unix(int backlog, char dir[32], struct addr *addr_out)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(dir, 32, "/tmp/test_connect.XXXXXX");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(un.sun_path, sizeof un.sun_path, "%s/s", dir);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
	assert_int_equal(listen(fd, backlog), 0);
	addr_from_sockaddr((struct sockaddr *)&un, sizeof un, addr_out);
	return fd;
}

static void
remove_unix(const char *dir)
{
	char path[64];

	(void)snprintf(path, sizeof path, "%s/s", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void
wait_for(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
}

static int
get_option(int fd, int level, int option)
{
	int value = -1;
	socklen_t len = sizeof value;

	assert_int_equal(getsockopt(fd, level, option, &value, &len), 0);
	return value;
}

/* Both ends of a connection over loopback. */
static void
connect_pair(int *near_out, int *far_out)
{
	struct addr addr;
	int listener = listen_tcp(&addr);

	*near_out = connect_start(&addr);
	assert_true(*near_out >= 0);
	*far_out = accept(listener, NULL, NULL);
	assert_true(*far_out >= 0);
	wait_for(*near_out, POLLOUT);
	assert_int_equal(connect_result(*near_out), 0);
	assert_int_equal(close(listener), 0);
}

static void
a_connection_comes_about_without_blocking(void **state)
{
	int near, far;

	(void)state;
	connect_pair(&near, &far);
	assert_true((fcntl(near, F_GETFL) & O_NONBLOCK) != 0);
	assert_true((fcntl(near, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(get_option(near, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(close(near), 0);
	assert_int_equal(close(far), 0);
}

static void
a_refused_connection_says_so(void **state)
{
	struct addr addr;
	int listener = listen_tcp(&addr);
	int fd;

	(void)state;
	assert_int_equal(close(listener), 0);
	fd = connect_start(&addr);
	assert_true(fd >= 0);
	wait_for(fd, POLLOUT);
	assert_int_equal(connect_result(fd), ECONNREFUSED);
	assert_int_equal(close(fd), 0);
}

static void
a_unix_socket_is_connected_to(void **state)
{
	struct addr addr;
	char dir[32];
	int listener = listen_unix(1, dir, &addr);
	int fd = connect_start(&addr);

	(void)state;
	assert_true(fd >= 0);
	wait_for(fd, POLLOUT);
	assert_int_equal(connect_result(fd), 0);
	connect_nodelay(fd);
	connect_keepalive(fd, 60000);
	connect_end_on_close(fd);
	assert_int_equal(close(fd), 0);
	assert_int_equal(close(listener), 0);
	remove_unix(dir);
}

static void
a_unix_socket_with_a_full_backlog_says_try_again(void **state)
{
	struct addr addr;
	char dir[32];
	int listener = listen_unix(0, dir, &addr);
	int fds[8];
	int n = 0;

	(void)state;
	while (n < 8 && (fds[n] = connect_start(&addr)) >= 0)
		n++;
	assert_true(n < 8);
	assert_int_equal(errno, EAGAIN);
	while (n > 0)
		assert_int_equal(close(fds[--n]), 0);
	assert_int_equal(close(listener), 0);
	remove_unix(dir);
}

static void
a_failed_start_leaves_no_descriptor_open(void **state)
{
	struct sockaddr_un un = {
		.sun_family = AF_UNIX, .sun_path = "/nonexistent/socket"};
	struct addr addr;
	int first_free = dup(STDERR_FILENO);

	(void)state;
	assert_int_equal(close(first_free), 0);
	addr_from_sockaddr((struct sockaddr *)&un, sizeof un, &addr);
	assert_int_equal(connect_start(&addr), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(dup(STDERR_FILENO), first_free);
	assert_int_equal(close(first_free), 0);
}

static void
addresses_that_are_no_socket_are_refused(void **state)
{
	const enum addr_kind kinds[] = {ADDR_NONE, ADDR_SYSTEMD, ADDR_HOST};

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct addr addr = {.kind = kinds[i]};

		assert_int_equal(connect_start(&addr), -1);
		assert_int_equal(errno, EAFNOSUPPORT);
	}
}

static void
a_socket_that_met_itself_counts_as_refused(void **state)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof sin;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(connect_result(fd), ECONNREFUSED);
	assert_int_equal(close(fd), 0);
}

static void
what_is_no_socket_has_no_result(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(connect_result(fds[0]), ENOTSOCK);
	assert_int_equal(connect_unacked(fds[0]), 0);
	assert_int_equal(close(fds[0]), 0);
	assert_int_equal(close(fds[1]), 0);
	assert_int_equal(connect_result(-1), EBADF);
}

static void
keepalive_probes_after_the_time_given(void **state)
{
	int near, far;

	(void)state;
	connect_pair(&near, &far);
	connect_keepalive(near, 0);
	assert_int_equal(get_option(near, SOL_SOCKET, SO_KEEPALIVE), 0);
	connect_keepalive(near, 60000);
	assert_int_equal(get_option(near, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(get_option(near, IPPROTO_TCP, TCP_KEEPIDLE), 60);
	assert_int_equal(get_option(near, IPPROTO_TCP, TCP_KEEPINTVL), 20);
	assert_int_equal(get_option(near, IPPROTO_TCP, TCP_KEEPCNT), 4);
	assert_int_equal(close(near), 0);
	assert_int_equal(close(far), 0);
}

static void
keepalive_times_beyond_the_kernels_are_cut(void **state)
{
	int near, far;

	(void)state;
	connect_pair(&near, &far);
	connect_keepalive(near, 1);
	assert_int_equal(get_option(near, IPPROTO_TCP, TCP_KEEPIDLE), 1);
	assert_int_equal(get_option(near, IPPROTO_TCP, TCP_KEEPINTVL), 1);
	connect_keepalive(near, UINT64_MAX);
	assert_int_equal(get_option(near, IPPROTO_TCP, TCP_KEEPIDLE), 32767);
	assert_int_equal(get_option(near, IPPROTO_TCP, TCP_KEEPINTVL), 10922);
	assert_int_equal(close(near), 0);
	assert_int_equal(close(far), 0);
}

static void
a_close_reaches_the_peer_as_a_reset(void **state)
{
	int near, far;
	char byte;

	(void)state;
	connect_pair(&near, &far);
	assert_int_equal(close(near), 0);
	wait_for(far, POLLIN);
	assert_int_equal(recv(far, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(close(far), 0);
}

static void
a_close_in_order_reaches_the_peer_behind_all_bytes(void **state)
{
	int near, far;
	char bytes[8];

	(void)state;
	connect_pair(&near, &far);
	assert_int_equal(send(near, "whole", 5, 0), 5);
	connect_end_on_close(near);
	assert_int_equal(close(near), 0);
	wait_for(far, POLLIN);
	assert_int_equal(recv(far, bytes, sizeof bytes, 0), 5);
	assert_int_equal(recv(far, bytes, sizeof bytes, 0), 0);
	assert_int_equal(close(far), 0);
}

static void
bytes_under_way_are_counted_until_acknowledged(void **state)
{
	static const char block[65536];
	int near, far;

	(void)state;
	connect_pair(&near, &far);
	assert_int_equal(connect_unacked(near), 0);
	while (send(near, block, sizeof block, MSG_DONTWAIT) > 0)
		;
	assert_true(connect_unacked(near) > 0);
	assert_int_equal(close(near), 0);
	assert_int_equal(close(far), 0);
}

static void
what_the_kernel_sends_for_us_is_seen(void **state)
{
	static char block[65536];
	uint64_t stuck_ms, ago_ms;
	int near, far;

	(void)state;
	connect_pair(&near, &far);
	while (send(near, block, sizeof block, MSG_DONTWAIT) > 0)
		;
	/* Nobody reads: the time since the last byte grows. */
	do
		stuck_ms = connect_sent_ago_ms(near);
	while (stuck_ms < 100);
	assert_true(stuck_ms < DEADLINE_MS);
	/* Nothing is given to it, but the other side reads. */
	do {
		(void)recv(far, block, sizeof block, MSG_DONTWAIT);
		ago_ms = connect_sent_ago_ms(near);
	} while (ago_ms >= 100 && ago_ms < DEADLINE_MS);
	assert_true(ago_ms < 100);
	assert_int_equal(close(near), 0);
	assert_int_equal(close(far), 0);
}

static void
what_is_no_tcp_socket_has_sent_nothing_known(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_true(connect_sent_ago_ms(fds[0]) == UINT64_MAX);
	assert_int_equal(close(fds[0]), 0);
	assert_int_equal(close(fds[1]), 0);
	assert_true(connect_sent_ago_ms(-1) == UINT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_comes_about_without_blocking),
		cmocka_unit_test(a_refused_connection_says_so),
		cmocka_unit_test(a_unix_socket_is_connected_to),
		cmocka_unit_test(
			a_unix_socket_with_a_full_backlog_says_try_again),
		cmocka_unit_test(a_failed_start_leaves_no_descriptor_open),
		cmocka_unit_test(addresses_that_are_no_socket_are_refused),
		cmocka_unit_test(a_socket_that_met_itself_counts_as_refused),
		cmocka_unit_test(what_is_no_socket_has_no_result),
		cmocka_unit_test(keepalive_probes_after_the_time_given),
		cmocka_unit_test(keepalive_times_beyond_the_kernels_are_cut),
		cmocka_unit_test(a_close_reaches_the_peer_as_a_reset),
		cmocka_unit_test(
			a_close_in_order_reaches_the_peer_behind_all_bytes),
		cmocka_unit_test(
			bytes_under_way_are_counted_until_acknowledged),
		cmocka_unit_test(what_the_kernel_sends_for_us_is_seen),
		cmocka_unit_test(what_is_no_tcp_socket_has_sent_nothing_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
