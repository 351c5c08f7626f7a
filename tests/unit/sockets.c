#include "config.h"

#include "sockets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void
bind_loopback(int fd, struct sockaddr_in *sin)
{
	socklen_t len = sizeof *sin;

	*sin = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(fd, (struct sockaddr *)sin, len), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)sin, &len), 0);
}

int
tcp_listen(unsigned short *port_out)
{
	struct sockaddr_in sin;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	bind_loopback(fd, &sin);
	*port_out = ntohs(sin.sin_port);
	return fd;
}

/* What was sent is there: no test waits for an acknowledgement. */
static void
send_at_once(int fd)
{
	const int on = 1;

	assert_int_equal(
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
}

void
tcp_pair(int *peer_out, int *local_out)
{
	struct sockaddr_in sin;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(listener >= 0);
	bind_loopback(listener, &sin);
	*peer_out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(*peer_out >= 0);
	assert_int_equal(
		connect(*peer_out, (struct sockaddr *)&sin, sizeof sin), 0);
	*local_out =
		accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(*local_out >= 0);
	assert_int_equal(close(listener), 0);
	send_at_once(*peer_out);
	send_at_once(*local_out);
}

void
shrink_buffers(int fd)
{
	const int least = 1;

	assert_int_equal(
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &least, sizeof least), 0);
	assert_int_equal(
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof least), 0);
}

void
unix_pair(int *peer_out, int *local_out)
{
	int fds[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	shrink_buffers(fds[0]);
	shrink_buffers(fds[1]);
	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	*peer_out = fds[0];
	*local_out = fds[1];
}

void
close_with_reset(int fd)
{
	const struct linger reset = {.l_onoff = 1};

	assert_int_equal(
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
	assert_int_equal(close(fd), 0);
}

void
wait_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&p, 1, SOCKETS_DEADLINE_MS), 1);
}

void
recv_all(int fd, void *out, size_t len)
{
	char *at = out;
	ssize_t n;

	while (len > 0) {
		wait_readable(fd);
		n = recv(fd, at, len, 0);
		assert_true(n > 0);
		at += n;
		len -= (size_t)n;
	}
}

bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}
