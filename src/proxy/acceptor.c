/* One socket that a listener accepts from. */
#define _GNU_SOURCE
#include "proxy/acceptor.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/connect.h"
#include "proxy/conn.h"
#include "proxy/listener.h"
#include "proxy/proxy.h"

/* accept(2) hands over errors of the connection that it would have returned;
 * they say nothing about the listening socket. */
static bool
is_error_of_the_peer(int errnum)
{
	switch (errnum) {
	case ECONNABORTED:
	case ENETDOWN:
	case EPROTO:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
	case EINTR:
	case EPERM:
		return true;
	default:
		return false;
	}
}

static void
run_out(struct listener *listener, int errnum)
{
	static struct log_limit limit = {.burst = 3, .per_second = 1};
	const struct log_field fields[] = {
		{.key = "listener", .text = listener->name},
		{.key = "error", .text = strerror(errnum)},
		{.key = "connections", .number = listener->proxy->n_conns},
	};
	uint64_t held_back;

	proxy_pause_accepts(listener->proxy);
	if (log_limit_allows(&limit, clock_monotonic_ms(), &held_back))
		log_event(LOG_LEVEL_WARN, "cannot accept, waiting", fields,
			sizeof fields / sizeof fields[0]);
}

/*
 * One connection from one socket per turn of the loop. A turn takes one step
 * of one handshake, and a handshake has two of them, so whoever is accepted
 * sooner only waits longer; asking until there is nobody left costs a system
 * call that fails for every connection; and all workers are woken by the same
 * socket: one that took more would leave the others without work.
 *
 * False: nobody waits there, or can be let in just now.
 */
bool
acceptor_take_one(struct acceptor *acceptor)
{
	struct sockaddr_storage peer = {0};
	socklen_t len = sizeof peer;
	int fd;

	if (!proxy_has_room(acceptor->listener->proxy)) {
		proxy_pause_accepts(acceptor->listener->proxy);
		return false;
	}
	fd = accept4(acceptor->fd, (struct sockaddr *)&peer, &len,
		SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		conn_start(acceptor->listener, fd, (struct sockaddr *)&peer);
		return true;
	}
	if (errno == EAGAIN)
		return false;
	if (is_error_of_the_peer(errno))
		return true;
	run_out(acceptor->listener, errno);
	return false;
}

static void
on_acceptable(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)acceptor_take_one(arg);
}

void
acceptor_prepare(struct acceptor *acceptor)
{
	const struct listener *listener = acceptor->listener;

	/* For those to be accepted: they inherit it. */
	connect_nodelay(acceptor->fd);
	connect_keepalive(acceptor->fd, listener->tcp_keepalive_ms);
	(void)event_assign(&acceptor->readable, listener->proxy->base,
		acceptor->fd, EV_READ | EV_PERSIST, on_acceptable, acceptor);
}

void
acceptor_pause(struct acceptor *acceptor)
{
	(void)event_del(&acceptor->readable);
}

void
acceptor_resume(struct acceptor *acceptor)
{
	(void)event_add(&acceptor->readable, NULL);
}
