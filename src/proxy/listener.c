/* One [listener] of one generation in one worker. */
#include "proxy/listener.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cidr.h"
#include "base/fd.h"
#include "base/hash_index.h"
#include "base/mem.h"
#include "conf/settings.h"
#include "net/listen_socket.h"
#include "proxy/acceptor.h"
#include "proxy/conn.h"
#include "proxy/proxy.h"
#include "tls/tls_ctx.h"
#include "tls/tls_error.h"
#include "tls/tls_sni.h"
#include "tls/tls_stock.h"
#include "tls/tls_stream.h"

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

struct listener *
listener_new(struct proxy *proxy, const struct process_settings *process,
	const struct listener_settings *settings, struct tls_stock *stock,
	struct report *report)
{
	struct listener *listener = new_one(
		proxy, settings->name, process, settings, stock, report);

	if (listener == NULL || settings->n_overlays == 0)
		return listener;
	listener->names = tls_sni_new();
	listener->overlays =
		xcalloc(settings->n_overlays, sizeof(struct listener *));
	return listener;
}

int
listener_add_name(struct listener *listener,
	const struct process_settings *process,
	const struct listener_settings *settings, struct tls_stock *stock,
	struct report *report)
{
	struct listener *overlay = new_one(listener->proxy, listener->name,
		process, settings, stock, report);

	if (overlay == NULL)
		return -1;
	hash_index_add(&listener->by_context, &overlay->tls,
		sizeof overlay->tls, listener->n_overlays);
	listener->overlays[listener->n_overlays++] = overlay;
	/* settings_check() has refused names that stand twice. */
	for (size_t i = 0; i < settings->server_names.n; i++)
		(void)tls_sni_add(listener->names,
			settings->server_names.items[i], overlay->tls);
	return 0;
}

void
listener_complete(
	struct listener *listener, const struct listener_settings *settings)
{
	if (listener->names == NULL)
		return;
	tls_ctx_set_names(listener->tls, listener->names,
		settings->tls.sni_mismatch == SNI_MISMATCH_REJECT);
	listener->names = NULL;
}

struct listener *
listener_ref(struct listener *listener)
{
	listener->refs++;
	return listener;
}

/* One piece of what is left of it; a background step. */
static bool
free_some(void *arg)
{
	struct listener *gone = arg;

	/* First, because it refers to all contexts of the overlays: whose they
	 * are frees them, one by one. */
	if (gone->tls != NULL) {
		tls_ctx_unref(&gone->tls);
		return true;
	}
	if (gone->n_overlays > 0) {
		listener_unref(&gone->overlays[--gone->n_overlays]);
		return true;
	}
	free(gone->overlays);
	hash_index_done(&gone->by_context);
	free(gone->trusted_proxies);
	backend_done(&gone->backend);
	free(gone->name);
	free(gone);
	return false;
}

void
listener_unref(struct listener **listener)
{
	struct listener *gone = *listener;

	*listener = NULL;
	if (gone == NULL || --gone->refs > 0)
		return;
	listener_stop(gone);
	tls_sni_free(&gone->names);
	gone->leftovers =
		(struct background_task){.step = free_some, .arg = gone};
	background_add(&gone->proxy->background, &gone->leftovers);
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

void
listener_accept_waiting(struct listener *listener, size_t which)
{
	int n;

	for (n = 0; n < LISTEN_SOCKET_BACKLOG; n++)
		if (!acceptor_take_one(&listener->acceptors[which]))
			return;
}

uint64_t
listener_cookie(const struct listener *listener, size_t which)
{
	return listen_socket_cookie(listener->acceptors[which].fd);
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
	assert(!listener->accepting); /* events must not move */
	listener->acceptors = xreallocarray(listener->acceptors,
		listener->n_acceptors + 1, sizeof *listener->acceptors);
	listener->acceptors[listener->n_acceptors++] =
		(struct acceptor){.fd = fd, .listener = listener};
}

void
listener_pause(struct listener *listener)
{
	size_t i;

	for (i = 0; i < listener->n_acceptors; i++)
		acceptor_pause(&listener->acceptors[i]);
}

void
listener_resume(struct listener *listener)
{
	size_t i;

	for (i = 0; i < listener->n_acceptors; i++)
		acceptor_resume(&listener->acceptors[i]);
}

void
listener_start(struct listener *listener)
{
	size_t i;

	for (i = 0; i < listener->n_acceptors; i++)
		acceptor_prepare(&listener->acceptors[i]);
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
	for (i = 0; i < listener->n_acceptors; i++)
		fd_close(&listener->acceptors[i].fd);
	free(listener->acceptors);
	listener->acceptors = NULL;
	listener->n_acceptors = 0;
}
