#include "net/connect.h"

#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "base/fd.h"

/* What the kernel takes for TCP_KEEPIDLE and TCP_KEEPINTVL. */
#define KEEPALIVE_MAX_S 32767

/* The first probe and the three that follow it. */
#define KEEPALIVE_PROBES 4

static void
reset_on_close(int fd, bool wanted)
{
	const struct linger reset = {.l_onoff = wanted, .l_linger = 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

int
connect_start(const struct addr *addr)
{
	const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	const struct sockaddr *sa = (const struct sockaddr *)&addr->sa;
	int fd;

	if (addr->kind != ADDR_INET && addr->kind != ADDR_INET6 &&
		addr->kind != ADDR_UNIX) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	fd = socket(sa->sa_family, type, 0);
	if (fd < 0)
		return -1;
	if (addr->kind != ADDR_UNIX) {
		connect_nodelay(fd);
		reset_on_close(fd, true);
	}
	/* EINTR: the attempt goes on, as with EINPROGRESS (POSIX). */
	if (connect(fd, sa, addr->sa_len) < 0 && errno != EINPROGRESS &&
		errno != EINTR)
		fd_close(&fd);
	return fd;
}

enum meeting { MET_NOBODY, MET_ITSELF, MET_PEER };

/*
 * Whom did a socket meet? An attempt at a local port where nobody listens
 * may be given that very port as its own, and TCP connects the two ends: the
 * client would talk to itself and the backend could not come back.
 */
static enum meeting
whom_it_met(int fd)
{
	struct sockaddr_storage self = {0}, peer = {0};
	socklen_t self_len = sizeof self, peer_len = sizeof peer;

	if (getpeername(fd, (struct sockaddr *)&peer, &peer_len) < 0)
		return MET_NOBODY;
	if (peer.ss_family != AF_INET && peer.ss_family != AF_INET6)
		return MET_PEER;
	if (getsockname(fd, (struct sockaddr *)&self, &self_len) < 0)
		return MET_NOBODY;
	return self_len == peer_len && memcmp(&self, &peer, self_len) == 0
		       ? MET_ITSELF
		       : MET_PEER;
}

bool
connect_is_done(int fd)
{
	return whom_it_met(fd) == MET_PEER;
}

int
connect_result(int fd)
{
	int result = 0;
	socklen_t len = sizeof result;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &result, &len) < 0)
		return errno;
	if (result == 0 && whom_it_met(fd) == MET_ITSELF)
		return ECONNREFUSED;
	return result;
}

static void
set_option(int fd, int level, int option, int value)
{
	/* Fails on unix sockets and where it does not matter. */
	(void)setsockopt(fd, level, option, &value, sizeof value);
}

void
connect_keepalive(int fd, uint64_t idle_ms)
{
	uint64_t idle_s = idle_ms / 1000 + (idle_ms % 1000 != 0);
	int idle;
	int interval;

	if (idle_s == 0) {
		set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 0);
		return;
	}
	idle = idle_s > KEEPALIVE_MAX_S ? KEEPALIVE_MAX_S : (int)idle_s;
	interval = idle < KEEPALIVE_PROBES ? 1 : idle / (KEEPALIVE_PROBES - 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

void
connect_nodelay(int fd)
{
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

void
connect_end_on_close(int fd)
{
	reset_on_close(fd, false);
}

int
connect_unacked(int fd)
{
	int bytes = 0;

	if (ioctl(fd, SIOCOUTQ, &bytes) < 0)
		return 0;
	return bytes;
}

uint64_t
connect_sent_ago_ms(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof info;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return UINT64_MAX;
	/* Nobody acknowledges what is sent again and again. */
	return info.tcpi_retransmits > 0 ? UINT64_MAX
					 : info.tcpi_last_data_sent;
}
