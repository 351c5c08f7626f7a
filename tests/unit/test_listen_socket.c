#include "config.h"

#include "net/listen_socket.h"

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
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/error.h"

#define DEADLINE_MS 5000

/* A directory of its own for each test, with one path in it. */
struct fixture {
	char dir[40];
	char path[48];
	struct addr addr; /* unix:path */
	struct error err;
};

static int
set_up(void **state)
{
	static struct fixture f;
	char text[64];

	(void)snprintf(f.dir, sizeof f.dir, "/tmp/test_listen_socket.XXXXXX");
	assert_non_null(mkdtemp(f.dir));
	(void)snprintf(f.path, sizeof f.path, "%.40s/s", f.dir);
	(void)snprintf(text, sizeof text, "unix:%s", f.path);
	assert_int_equal(addr_parse(text, ADDR_FOR_LISTEN, &f.addr, &f.err), 0);
	f.err.text[0] = '\0';
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	(void)unlink(f->path);
	assert_int_equal(rmdir(f->dir), 0);
	return 0;
}

static int
open_text(const char *text, struct error *err)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, ADDR_FOR_LISTEN, &addr, err), 0);
	return listen_socket_open(&addr, 0, err);
}

static uint16_t
port_of(int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;
	struct addr addr;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	addr_from_sockaddr((struct sockaddr *)&sa, len, &addr);
	return addr.port;
}

static int
get_option(int fd, int level, int option)
{
	int value = -1;
	socklen_t len = sizeof value;

	assert_int_equal(getsockopt(fd, level, option, &value, &len), 0);
	return value;
}

/* Connects by IPv4, speaks first, and is accepted. */
static void
assert_serves_ipv4(int listener)
{
	const struct sockaddr_in sin = {.sin_family = AF_INET,
		.sin_port = htons(port_of(listener)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct pollfd p = {.fd = listener, .events = POLLIN};
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd;

	assert_int_equal(
		connect(client, (const struct sockaddr *)&sin, sizeof sin), 0);
	assert_int_equal(send(client, "x", 1, 0), 1);
	assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
	fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(close(client), 0);
}

/* A socket file of TYPE that may or may not have somebody behind it. */
static int
bind_socket(const struct fixture *f, int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(
		bind(fd, (const struct sockaddr *)&f->addr.sa, f->addr.sa_len),
		0);
	return fd;
}

static void
assert_refused(struct fixture *f, const char *why)
{
	char expected[128];

	(void)snprintf(expected, sizeof expected,
		"cannot listen on unix:%s: %s", f->path, why);
	assert_int_equal(listen_socket_open(&f->addr, 0600, &f->err), -1);
	assert_string_equal(f->err.text, expected);
}

static void
an_ipv4_socket_listens_and_does_not_block(void **state)
{
	struct error err;
	int fd = open_text("127.0.0.1:0", &err);

	(void)state;
	assert_true(fd >= 0);
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(get_option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
	assert_int_equal(get_option(fd, SOL_SOCKET, SO_REUSEADDR), 1);
	assert_true(get_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT) > 0);
	assert_serves_ipv4(fd);
	assert_int_equal(listen_socket_adopt(fd, &err), 0);
	assert_int_equal(close(fd), 0);
}

static void
an_ipv6_socket_leaves_ipv4_alone(void **state)
{
	struct error err;
	int fd = open_text("[::1]:0", &err);

	(void)state;
	if (fd < 0)
		skip(); /* a machine without IPv6 */
	assert_int_equal(get_option(fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
	assert_int_equal(close(fd), 0);
}

static void
a_dual_stack_socket_takes_ipv4_as_well(void **state)
{
	struct error err;
	int fd = open_text("*:0", &err);

	(void)state;
	if (fd < 0)
		skip(); /* a machine without IPv6 */
	assert_int_equal(get_option(fd, IPPROTO_IPV6, IPV6_V6ONLY), 0);
	assert_serves_ipv4(fd);
	assert_int_equal(close(fd), 0);
}

static void
an_address_in_use_is_named(void **state)
{
	struct error err;
	int fd = open_text("127.0.0.1:0", &err);
	char text[32];
	char expected[96];

	(void)state;
	assert_true(fd >= 0);
	(void)snprintf(
		text, sizeof text, "127.0.0.1:%u", (unsigned)port_of(fd));
	(void)snprintf(expected, sizeof expected,
		"cannot listen on %s: Address already in use", text);
	assert_int_equal(open_text(text, &err), -1);
	assert_string_equal(err.text, expected);
	assert_int_equal(close(fd), 0);
}

static void
an_address_of_another_machine_is_refused(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(open_text("192.0.2.1:0", &err), -1);
	assert_string_equal(err.text, "cannot listen on 192.0.2.1:0: Cannot "
				      "assign requested address");
}

static void
a_systemd_address_is_not_opened(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(open_text("systemd:web", &err), -1);
	assert_non_null(strstr(err.text, "cannot listen on systemd:web: "));
}

static void
a_unix_socket_gets_exactly_its_mode(void **state)
{
	const mode_t modes[] = {0600, 0660, 0666, 0777};
	struct fixture *f = *state;
	mode_t before = umask(027);

	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		struct stat st;
		int fd = listen_socket_open(&f->addr, modes[i], &f->err);

		assert_true(fd >= 0);
		assert_int_equal(stat(f->path, &st), 0);
		assert_true(S_ISSOCK(st.st_mode));
		assert_int_equal(st.st_mode & 07777, modes[i]);
		/* The next round meets it as a stale file. */
		assert_int_equal(close(fd), 0);
	}
	assert_int_equal(umask(before), 027);
}

static void
a_stale_unix_socket_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct stat old, new;
	int fd = bind_socket(f, SOCK_STREAM);

	assert_int_equal(stat(f->path, &old), 0);
	assert_int_equal(close(fd), 0);
	fd = listen_socket_open(&f->addr, 0600, &f->err);
	assert_true(fd >= 0);
	assert_int_equal(stat(f->path, &new), 0);
	assert_true(old.st_ino != new.st_ino ||
		    old.st_ctim.tv_nsec != new.st_ctim.tv_nsec);
	assert_int_equal(listen_socket_adopt(fd, &f->err), 0);
	assert_int_equal(close(fd), 0);
}

static void
a_live_unix_socket_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	int fd = bind_socket(f, SOCK_STREAM);

	assert_int_equal(listen(fd, 1), 0);
	assert_refused(f, "Address already in use");
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(close(fd), 0);
}

static void
a_live_unix_socket_with_a_full_backlog_is_left_alone(void **state)
{
	struct fixture *f = *state;
	int fd = bind_socket(f, SOCK_STREAM);
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(listen(fd, 0), 0);
	assert_int_equal(connect(client, (const struct sockaddr *)&f->addr.sa,
				 f->addr.sa_len),
		0);
	assert_refused(f, "Address already in use");
	assert_int_equal(access(f->path, F_OK), 0);
	assert_int_equal(close(client), 0);
	assert_int_equal(close(fd), 0);
}

static void
a_live_datagram_socket_is_left_alone(void **state)
{
	struct fixture *f = *state;
	int fd = bind_socket(f, SOCK_DGRAM);

	assert_refused(f, "Address already in use");
	assert_int_equal(access(f->path, F_OK), 0);
	assert_int_equal(close(fd), 0);
}

static void
a_file_that_is_no_socket_is_never_removed(void **state)
{
	struct fixture *f = *state;
	int fd = open(f->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "data", 4), 4);
	assert_int_equal(close(fd), 0);
	assert_refused(f, "the file is not a socket");
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_size, 4);
}

static void
a_symbolic_link_is_never_followed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(symlink("/nonexistent", f->path), 0);
	assert_refused(f, "the file is not a socket");
	assert_int_equal(
		faccessat(AT_FDCWD, f->path, F_OK, AT_SYMLINK_NOFOLLOW), 0);
}

static void
a_missing_directory_is_named(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(open_text("unix:/nonexistent/s", &err), -1);
	assert_string_equal(err.text, "cannot listen on unix:/nonexistent/s: "
				      "No such file or directory");
}

static void
an_inherited_listening_socket_is_adopted(void **state)
{
	struct fixture *f = *state;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(
		bind(fd, (const struct sockaddr *)&f->addr.sa, f->addr.sa_len),
		0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(listen_socket_adopt(fd, &f->err), 0);
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(close(fd), 0);
}

static void
other_inherited_descriptors_are_refused(void **state)
{
	struct error err;
	int stream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int datagram = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int pipe_fds[2];

	(void)state;
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	assert_int_equal(listen_socket_adopt(stream, &err), -1);
	assert_non_null(strstr(err.text, "does not listen"));
	assert_int_equal(listen_socket_adopt(datagram, &err), -1);
	assert_non_null(strstr(err.text, "is not a stream socket"));
	assert_int_equal(listen_socket_adopt(pipe_fds[0], &err), -1);
	assert_non_null(strstr(err.text, "is not an IPv4, IPv6 or unix"));
	assert_int_equal(listen_socket_adopt(-1, &err), -1);
	assert_int_equal(close(stream), 0);
	assert_int_equal(close(datagram), 0);
	assert_int_equal(close(pipe_fds[0]), 0);
	assert_int_equal(close(pipe_fds[1]), 0);
}

/* Opens TEXT; is it bound to just that, but for the port? */
static bool
is_bound_as_written(const char *text)
{
	struct addr asked, bound;
	struct error err;
	int fd;

	assert_int_equal(addr_parse(text, ADDR_FOR_LISTEN, &asked, &err), 0);
	fd = listen_socket_open(&asked, 0600, &err);
	assert_true(fd >= 0);
	assert_int_equal(listen_socket_bound(fd, &bound), 0);
	assert_int_equal(close(fd), 0);
	assert_true(asked.kind == ADDR_UNIX || bound.port != 0);
	bound.port = asked.port;
	return addr_equal(&asked, &bound);
}

static void
the_bound_address_is_the_one_that_was_asked_for(void **state)
{
	const struct fixture *f = *state;
	char text[64];

	(void)snprintf(text, sizeof text, "unix:%s", f->path);
	assert_true(is_bound_as_written("127.0.0.1:0"));
	assert_true(is_bound_as_written("0.0.0.0:0"));
	assert_true(is_bound_as_written("[::1]:0"));
	assert_true(is_bound_as_written("[::]:0"));
	assert_true(is_bound_as_written("*:0"));
	assert_true(is_bound_as_written(text));
	assert_true(is_bound_as_written("unix:@test_listen_socket"));
}

static void
what_is_no_socket_has_no_bound_address(void **state)
{
	struct addr bound;

	(void)state;
	assert_int_equal(listen_socket_bound(-1, &bound), -1);
	assert_int_equal(errno, EBADF);
}

static void
a_socket_has_a_cookie_of_its_own(void **state)
{
	struct error err;
	int one = open_text("127.0.0.1:0", &err);
	int other = open_text("127.0.0.1:0", &err);
	int same = dup(one);

	(void)state;
	assert_true(listen_socket_cookie(one) != 0);
	assert_true(listen_socket_cookie(one) != listen_socket_cookie(other));
	assert_true(listen_socket_cookie(one) == listen_socket_cookie(same));
	assert_true(listen_socket_cookie(-1) == 0);
	assert_int_equal(close(one), 0);
	assert_int_equal(close(other), 0);
	assert_int_equal(close(same), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ipv4_socket_listens_and_does_not_block),
		cmocka_unit_test(an_ipv6_socket_leaves_ipv4_alone),
		cmocka_unit_test(a_dual_stack_socket_takes_ipv4_as_well),
		cmocka_unit_test(an_address_in_use_is_named),
		cmocka_unit_test(an_address_of_another_machine_is_refused),
		cmocka_unit_test(a_systemd_address_is_not_opened),
		TEST(the_bound_address_is_the_one_that_was_asked_for),
		cmocka_unit_test(what_is_no_socket_has_no_bound_address),
		cmocka_unit_test(a_socket_has_a_cookie_of_its_own),
		TEST(a_unix_socket_gets_exactly_its_mode),
		TEST(a_stale_unix_socket_is_replaced),
		TEST(a_live_unix_socket_is_left_alone),
		TEST(a_live_unix_socket_with_a_full_backlog_is_left_alone),
		TEST(a_live_datagram_socket_is_left_alone),
		TEST(a_file_that_is_no_socket_is_never_removed),
		TEST(a_symbolic_link_is_never_followed),
		cmocka_unit_test(a_missing_directory_is_named),
		TEST(an_inherited_listening_socket_is_adopted),
		cmocka_unit_test(other_inherited_descriptors_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
