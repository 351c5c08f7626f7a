#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "proxy/backend.h"
#include "proxy/timeout.h"

struct file_source;
struct listener_settings;
struct process_settings;
struct proxy;
struct report;
struct tls_ctx;

/*
 * One [listener] of one generation in one worker: its TLS context, its
 * backend, its limits, and the sockets it accepts from.
 *
 * Counted: its generation holds one reference, each of its connections
 * another. It copies what it needs of the settings.
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
	bool access_log;
	bool log_probes;
	struct accept_socket *sockets;
	size_t n_sockets;
	bool accepting;
};

/* Builds the listener beside what runs; accepts nothing yet. NULL when REPORT
 * got an error. */
struct listener *listener_new(struct proxy *proxy,
	const struct process_settings *process,
	const struct listener_settings *settings, struct file_source *files,
	struct report *report);

struct listener *listener_ref(struct listener *listener);
void listener_unref(struct listener **listener);

/* Takes FD, a listening socket that other workers share. */
void listener_add_socket(struct listener *listener, int fd);

/* From the commit of its generation to the commit of the next. Stopping
 * closes the sockets; connections live on. Stopping twice is fine. */
void listener_start(struct listener *listener);
void listener_stop(struct listener *listener);

/* For the proxy, when descriptors or room run out. */
void listener_pause(struct listener *listener);
void listener_resume(struct listener *listener);
