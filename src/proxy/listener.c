/* One [listener] of one generation in one worker. */
#define _GNU_SOURCE
#include "proxy/listener.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cidr.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/hash_index.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/settings.h"
#include "net/connect.h"
#include "net/listen_socket.h"
#include "proxy/conn.h"
#include "proxy/proxy.h"
#include "tls/tls_ctx.h"
#include "tls/tls_error.h"
#include "tls/tls_sni.h"
#include "tls/tls_stock.h"
#include "tls/tls_stream.h"

struct accept_socket {
	struct event readable;
	int fd;
	struct listener *listener;
};

/* The settings are of a lower room and number these by themselves. */
static_assert((int)PROXY_PROTOCOL_V1 == (int)PROXY_HEADER_V1 &&
		      (int)PROXY_PROTOCOL_V2 == (int)PROXY_HEADER_V2,
	"versions of the PROXY protocol");
static_assert((int)SEND_TLV_CERT == (int)PROXY_TLV_CERT &&
		      (int)SEND_TLV_URI_SAN == (int)PROXY_TLV_URI_SAN,
	"what a PROXY header may hold");

static void
set_proxy_protocol(
	struct listener *listener, const struct listener_settings *settings)
{
	size_t n = settings->trusted_proxies.n, i;

	listener->proxy_protocol =
		(enum proxy_header_version)settings->proxy_protocol;
	listener->proxy_tlvs = (unsigned)settings->proxy_tlvs;
	listener->accept_proxy_protocol = settings->accept_proxy_protocol;
	listener->trusted_proxies = xcalloc(n + 1, sizeof(struct cidr));
	listener->n_trusted_proxies = n;
	for (i = 0; i < n; i++)
		listener->trusted_proxies[i] =
			settings->trusted_proxies.items[i];
}

/* NAME is that of the [listener], for a server name's overlay as well: the
 * log names the server beside it. */
static struct listener *
new_one(struct proxy *proxy, const char *name,
	const struct process_settings *process,
	const struct listener_settings *settings, struct tls_stock *stock,
	struct report *report)
{
	struct tls_ctx *tls = tls_stock_get(stock, settings, report);
	struct event_base *base = proxy->base;
	struct listener *listener;

	if (tls == NULL)
		return NULL;
	listener = xcalloc(1, sizeof *listener);
	listener->refs = 1;
	listener->proxy = proxy;
	listener->name = xstrdup(name);
	listener->tls = tls;
	backend_init(&listener->backend, &settings->backend);
	timeout_init(&listener->handshake_timeout, base,
		settings->handshake_timeout_ms);
	timeout_init(
		&listener->connect_timeout, base, settings->connect_timeout_ms);
	timeout_init(&listener->idle_timeout, base, settings->idle_timeout_ms);
	timeout_init(&listener->half_close_timeout, base,
		settings->half_close_timeout_ms);
	listener->tcp_keepalive_ms = settings->tcp_keepalive_ms;
	set_proxy_protocol(listener, settings);
	listener->close_deauthorized =
		settings->rules.on_deauthorize == ON_DEAUTHORIZE_CLOSE;
	listener->access_log = process->access_log;
	listener->log_probes = process->log_probes;
	return listener;
}

/* Whom a name leads to. Returns -1 when REPORT got an error. */
static int
add_overlays(struct listener *listener, const struct process_settings *process,
	const struct listener_settings *settings, struct tls_stock *stock,
	struct report *report)
{
	const struct listener_settings *set;
	struct tls_sni *names = tls_sni_new();
	struct listener *overlay;
	size_t i, k;

	listener->overlays =
		xcalloc(settings->n_overlays + 1, sizeof(struct listener *));
	for (i = 0; i < settings->n_overlays; i++) {
		set = &settings->overlays[i];
		overlay = new_one(listener->proxy, listener->name, process, set,
			stock, report);
		if (overlay == NULL)
			continue;
		hash_index_add(&listener->by_context, &overlay->tls,
			sizeof overlay->tls, listener->n_overlays);
		listener->overlays[listener->n_overlays++] = overlay;
		/* settings_check() has refused names that stand twice. */
		for (k = 0; k < set->server_names.n; k++)
			(void)tls_sni_add(names, set->server_names.items[k],
				overlay->tls);
	}
	tls_ctx_set_names(listener->tls, names,
		settings->tls.sni_mismatch == SNI_MISMATCH_REJECT);
	return listener->n_overlays == settings->n_overlays ? 0 : -1;
}

struct listener *
listener_new(struct proxy *proxy, const struct process_settings *process,
	const struct listener_settings *settings, struct tls_stock *stock,
	struct report *report)
{
	struct listener *listener = new_one(
		proxy, settings->name, process, settings, stock, report);

	if (listener == NULL)
		return NULL;
	if (settings->n_overlays > 0 &&
		add_overlays(listener, process, settings, stock, report) < 0)
		listener_unref(&listener);
	return listener;
}

struct listener *
listener_ref(struct listener *listener)
{
	listener->refs++;
	return listener;
}

void
listener_unref(struct listener **listener)
{
	struct listener *gone = *listener;
	size_t i;

	*listener = NULL;
	if (gone == NULL || --gone->refs > 0)
		return;
	listener_stop(gone);
	for (i = 0; i < gone->n_overlays; i++)
		listener_unref(&gone->overlays[i]);
	free(gone->overlays);
	hash_index_done(&gone->by_context);
	free(gone->trusted_proxies);
	backend_done(&gone->backend);
	tls_ctx_unref(&gone->tls);
	free(gone->name);
	free(gone);
}

struct wanted {
	const struct listener *listener;
	const struct tls_ctx *ctx;
};

static bool
is_wanted(size_t place, const void *arg)
{
	const struct wanted *wanted = arg;

	return wanted->listener->overlays[place]->tls == wanted->ctx;
}

struct listener *
listener_serving(struct listener *listener, const struct tls_ctx *ctx)
{
	const struct wanted wanted = {listener, ctx};
	size_t place = hash_index_find(
		&listener->by_context, &ctx, sizeof ctx, is_wanted, &wanted);

	return place == HASH_INDEX_NONE ? listener : listener->overlays[place];
}

bool
listener_readmit(struct listener *listener, struct conn *conn)
{
	struct tls_ctx *ctx = tls_ctx_for_name(
		listener->tls, tls_stream_server_name(conn->tls));
	struct tls_failure failure;

	/* A name that is not served any more says nothing of the client. */
	if (ctx == NULL)
		return true;
	if (!listener_serving(listener, ctx)->close_deauthorized ||
		tls_ctx_same_entrance(ctx, tls_stream_ctx(conn->tls)) ||
		tls_stream_readmit(conn->tls, ctx, &failure))
		return true;
	conn_close(conn, CONN_DEAUTHORIZED, failure.text);
	return false;
}

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
static bool
accept_one(struct accept_socket *socket)
{
	struct sockaddr_storage peer = {0};
	socklen_t len = sizeof peer;
	int fd;

	if (!proxy_has_room(socket->listener->proxy)) {
		proxy_pause_accepts(socket->listener->proxy);
		return false;
	}
	fd = accept4(socket->fd, (struct sockaddr *)&peer, &len,
		SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		conn_start(socket->listener, fd, (struct sockaddr *)&peer);
		return true;
	}
	if (errno == EAGAIN)
		return false;
	if (is_error_of_the_peer(errno))
		return true;
	run_out(socket->listener, errno);
	return false;
}

static void
on_acceptable(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)accept_one(arg);
}

void
listener_accept_waiting(struct listener *listener, size_t which)
{
	int n;

	for (n = 0; n < LISTEN_SOCKET_BACKLOG; n++)
		if (!accept_one(&listener->sockets[which]))
			return;
}

uint64_t
listener_cookie(const struct listener *listener, size_t which)
{
	return listen_socket_cookie(listener->sockets[which].fd);
}

void
listener_resolved(struct listener *listener, const char *host, uint16_t port,
	const struct addr *addresses, size_t n)
{
	size_t i;

	backend_resolved(&listener->backend, host, port, addresses, n);
	for (i = 0; i < listener->n_overlays; i++)
		backend_resolved(&listener->overlays[i]->backend, host, port,
			addresses, n);
}

void
listener_add_socket(struct listener *listener, int fd)
{
	struct accept_socket *socket;

	assert(!listener->accepting); /* events must not move */
	listener->sockets = xreallocarray(listener->sockets,
		listener->n_sockets + 1, sizeof *listener->sockets);
	socket = &listener->sockets[listener->n_sockets++];
	*socket = (struct accept_socket){.fd = fd, .listener = listener};
}

void
listener_pause(struct listener *listener)
{
	size_t i;

	for (i = 0; i < listener->n_sockets; i++)
		(void)event_del(&listener->sockets[i].readable);
}

void
listener_resume(struct listener *listener)
{
	size_t i;

	for (i = 0; i < listener->n_sockets; i++)
		(void)event_add(&listener->sockets[i].readable, NULL);
}

void
listener_start(struct listener *listener)
{
	struct accept_socket *socket;
	size_t i;

	for (i = 0; i < listener->n_sockets; i++) {
		socket = &listener->sockets[i];
		/* For those to be accepted: they inherit it. */
		connect_nodelay(socket->fd);
		connect_keepalive(socket->fd, listener->tcp_keepalive_ms);
		(void)event_assign(&socket->readable, listener->proxy->base,
			socket->fd, EV_READ | EV_PERSIST, on_acceptable,
			socket);
	}
	listener->accepting = true;
	TAILQ_INSERT_TAIL(&listener->proxy->listeners, listener, entry);
	if (!listener->proxy->accepts_paused)
		listener_resume(listener);
}

void
listener_stop(struct listener *listener)
{
	size_t i;

	if (listener->accepting) {
		listener_pause(listener);
		TAILQ_REMOVE(&listener->proxy->listeners, listener, entry);
		listener->accepting = false;
	}
	for (i = 0; i < listener->n_sockets; i++)
		fd_close(&listener->sockets[i].fd);
	free(listener->sockets);
	listener->sockets = NULL;
	listener->n_sockets = 0;
}
