#include "net/listen_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/fd.h"
#include "net/connect.h"

/*
 * A client that says nothing for about this long is handed over all the same,
 * so that the handshake timeout can count and end it.
 */
#define DEFER_ACCEPT_S 3

static int
fail_errno(const struct addr *addr, int errnum, struct error *err)
{
	char text[ADDR_TEXT_MAX];

	return error_set_errno(
		err, errnum, "cannot listen on %s", addr_format(addr, text));
}

static int
set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

/*
 * Removes what a process that died left at the path. Never anything but a
 * socket, and never one that somebody answers behind.
 */
static int
remove_stale(const struct addr *addr, struct error *err)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&addr->sa;
	char text[ADDR_TEXT_MAX];
	struct stat st;
	int fd;

	if (lstat(un->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : fail_errno(addr, errno, err);
	/* connect() refuses with the same errno when it is no socket. */
	if (!S_ISSOCK(st.st_mode))
		return error_set(err,
			"cannot listen on %s: the file is not a socket",
			addr_format(addr, text));
	fd = connect_start(addr);
	/* EAGAIN: the backlog is full, so there is one. */
	if (fd >= 0 || errno == EAGAIN || errno == EPROTOTYPE) {
		fd_close(&fd);
		return fail_errno(addr, EADDRINUSE, err);
	}
	if (errno != ECONNREFUSED && errno != ENOENT)
		return fail_errno(addr, errno, err);
	if (unlink(un->sun_path) < 0 && errno != ENOENT)
		return fail_errno(addr, errno, err);
	return 0;
}

static int
bind_unix(int fd, const struct addr *addr, unsigned mode)
{
	/* bind() creates the file with 0777 less the umask: with this one it
	 * never has another mode than MODE. */
	mode_t old = umask((mode_t)(~mode & 0777U));
	int rc = bind(fd, (const struct sockaddr *)&addr->sa, addr->sa_len);
	int saved = errno;

	(void)umask(old);
	errno = saved;
	return rc;
}

static int
open_unix(int fd, const struct addr *addr, unsigned mode, struct error *err)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&addr->sa;

	if (remove_stale(addr, err) < 0)
		return -1;
	if (bind_unix(fd, addr, mode) < 0)
		return fail_errno(addr, errno, err);
	if (listen(fd, LISTEN_SOCKET_BACKLOG) < 0) {
		fail_errno(addr, errno, err);
		(void)unlink(un->sun_path);
		return -1;
	}
	return 0;
}

static int
open_tcp(int fd, const struct addr *addr, struct error *err)
{
	const struct sockaddr *sa = (const struct sockaddr *)&addr->sa;

	if (set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0 ||
		(addr->kind == ADDR_INET6 &&
			set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY,
				!addr->dual_stack) < 0) ||
		bind(fd, sa, addr->sa_len) < 0 ||
		listen(fd, LISTEN_SOCKET_BACKLOG) < 0)
		return fail_errno(addr, errno, err);
	/* Saves a wake-up; nothing is lost without it. */
	(void)set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, DEFER_ACCEPT_S);
	return 0;
}

int
listen_socket_open(const struct addr *addr, unsigned mode, struct error *err)
{
	const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	int fd;
	int rc;

	if (addr->kind != ADDR_INET && addr->kind != ADDR_INET6 &&
		addr->kind != ADDR_UNIX)
		return fail_errno(addr, EAFNOSUPPORT, err);
	fd = socket(addr->sa.ss_family, type, 0);
	if (fd < 0)
		return fail_errno(addr, errno, err);
	if (addr->kind == ADDR_UNIX)
		rc = open_unix(fd, addr, mode, err);
	else
		rc = open_tcp(fd, addr, err);
	if (rc < 0)
		fd_close(&fd);
	return fd;
}

static int
get_option(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof value;

	if (getsockopt(fd, SOL_SOCKET, option, &value, &len) < 0)
		return -1;
	return value;
}

int
listen_socket_adopt(int fd, struct error *err)
{
	int domain = get_option(fd, SO_DOMAIN);

	if (domain != AF_INET && domain != AF_INET6 && domain != AF_UNIX)
		return error_set(err,
			"inherited descriptor %d is not an IPv4, IPv6 or unix "
			"socket",
			fd);
	if (get_option(fd, SO_TYPE) != SOCK_STREAM)
		return error_set(err,
			"inherited descriptor %d is not a stream socket", fd);
	if (get_option(fd, SO_ACCEPTCONN) != 1)
		return error_set(
			err, "inherited descriptor %d does not listen", fd);
	if (fd_set_nonblocking(fd, true) < 0 || fd_set_cloexec(fd, true) < 0)
		return error_set_errno(
			err, errno, "inherited descriptor %d", fd);
	return 0;
}

int
listen_socket_bound(int fd, struct addr *addr_out)
{
	struct sockaddr_storage sa = {0};
	socklen_t sa_len = sizeof sa, len = sizeof(int);
	int only_v6 = 1;

	if (getsockname(fd, (struct sockaddr *)&sa, &sa_len) < 0)
		return -1;
	addr_from_sockaddr((struct sockaddr *)&sa, sa_len, addr_out);
	if (addr_out->kind == ADDR_INET6 &&
		getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, &len) < 0)
		return -1;
	addr_out->dual_stack = only_v6 == 0;
	return 0;
}

uint64_t
listen_socket_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof cookie;

	(void)getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len);
	return cookie;
}
