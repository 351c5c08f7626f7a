#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/hash_index.h"
#include "net/proxy_header.h"
#include "proxy/backend.h"
#include "proxy/background.h"
#include "proxy/timeout.h"

struct addr;
struct cidr;
struct conn;
struct listener_settings;
struct process_settings;
struct proxy;
struct report;
struct tls_ctx;
struct tls_sni;
struct tls_stock;

/*
 * One [listener] of one generation in one worker: its TLS context, its
 * backend, its limits, and the sockets it accepts from.
 *
 * Counted: its generation holds one reference, each of its connections
 * another. It copies what it needs of the settings. When nobody holds it any
 * more its sockets are closed; the rest is freed in the background of its
 * proxy, which must outlive it.
 */
struct listener {
	TAILQ_ENTRY(listener) entry; /* in proxy->listeners while accepting */
	unsigned refs;
	struct proxy *proxy;
	char *name;
	struct tls_ctx *tls;
	struct backend backend;
	struct timeout handshake_timeout;
	struct timeout connect_timeout;
	struct timeout idle_timeout;
	struct timeout half_close_timeout;
	uint64_t tcp_keepalive_ms;
	enum proxy_header_version proxy_protocol; /* told to the backend */
	unsigned proxy_tlvs;                      /* enum proxy_tlv, or-ed */
	bool accept_proxy_protocol;               /* told to us, by these: */
	struct cidr *trusted_proxies;
	size_t n_trusted_proxies;
	bool close_deauthorized; /* on_deauthorize = close */
	bool access_log;
	bool log_probes;
	struct acceptor *acceptors; /* one for each of its sockets */
	size_t n_acceptors;
	bool accepting;
	/* Its server names: of the same type, without sockets. A connection
	 * moves to one of them when its handshake is done. */
	struct listener **overlays;
	size_t n_overlays;
	struct hash_index by_context;     /* the address of its TLS context */
	struct tls_sni *names;            /* theirs, until it is complete */
	struct background_task leftovers; /* of one that is gone */
};

/*
 * Builds the listener beside what runs, with contexts out of STOCK; accepts
 * nothing yet. NULL when REPORT got an error. Then each of its server names
 * is added by itself (0, or -1 and an error in REPORT), because there may be
 * many, and then it is complete: before it is started.
 */
struct listener *listener_new(struct proxy *proxy,
	const struct process_settings *process,
	const struct listener_settings *settings, struct tls_stock *stock,
	struct report *report);
int listener_add_name(struct listener *listener,
	const struct process_settings *process,
	const struct listener_settings *settings, struct tls_stock *stock,
	struct report *report);
void listener_complete(
	struct listener *listener, const struct listener_settings *settings);

struct listener *listener_ref(struct listener *listener);
void listener_unref(struct listener **listener);

/* News from the resolver, for this listener's backend or a server name's. */
void listener_resolved(struct listener *listener, const char *host,
	uint16_t port, const struct addr *addresses, size_t n);

/* Whom a handshake that came to CTX is for: LISTENER or one of its server
 * names; borrowed. */
struct listener *listener_serving(
	struct listener *listener, const struct tls_ctx *ctx);

/*
 * CONN was born in an older generation of this listener: would it still get
 * in? If not, and on_deauthorize says so, it is closed. False: it was.
 */
bool listener_readmit(struct listener *listener, struct conn *conn);

/* Takes FD, a listening socket that other workers share. */
void listener_add_socket(struct listener *listener, int fd);

/* Of its socket WHICH, of n_acceptors (net/listen_socket.h). */
uint64_t listener_cookie(const struct listener *listener, size_t which);

/*
 * Lets in all who wait at socket WHICH, as long as there is room: right before
 * nobody holds it any more, because then they are reset. While it accepts.
 */
void listener_accept_waiting(struct listener *listener, size_t which);

/* From the commit of its generation to the commit of the next. Stopping
 * closes the sockets; connections live on. Stopping twice is fine. */
void listener_start(struct listener *listener);
void listener_stop(struct listener *listener);

/* For the proxy, when descriptors or room run out. */
void listener_pause(struct listener *listener);
void listener_resume(struct listener *listener);
