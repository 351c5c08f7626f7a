#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stats/stats.h"
#include "tls_client.h"
#include "tls_fixture.h"

struct conn;
struct event;
struct event_base;
struct generation;
struct listener;
struct proxy;

/*
 * A proxy with one listener, with the test as its client and as its backend,
 * all in one process. What it logs is captured.
 */
struct gateway {
	struct fixture *it; /* its listener_settings may be changed before
			       gateway_open() */
	struct cert ca, server, cert;
	struct event_base *base;
	struct event *tick; /* no turn of the loop blocks for long */
	struct stats *stats;
	struct proxy *proxy;
	struct listener *listener;
	unsigned short port;
	int backend_listener; /* -1: nobody is there */
	int backend;          /* the last connection; -1: none */
	int log_fd, stderr_fd;
	char log[16384];
};

/* Setup and teardown of cmocka: *STATE is the gateway, not yet open. */
int gateway_setup(void **state);
int gateway_teardown(void **state);

/* Before that: other settings, fixture_configure() with LINES. */
void gateway_configure(struct gateway *g, const char *lines);

/* Builds the proxy with MAX_CONNS and starts the listener. */
void gateway_open(struct gateway *g, size_t max_conns);

/* One turn of the worker's loop. */
void gateway_turn(struct gateway *g);

/* A few of them, in which nothing is to happen. */
void gateway_turn_idly(struct gateway *g);

/* Turns until CONDITION holds; the deadline ends the test. */
#define GATEWAY_WAIT(g, condition)                                             \
	do {                                                                   \
		for (uint64_t end_ = gateway_deadline(); !(condition);         \
			gateway_turn_before((g), end_)) {                      \
		}                                                              \
	} while (0)

/* The same by hand, where something is to be done in between. */
uint64_t gateway_deadline(void);
void gateway_turn_before(struct gateway *g, uint64_t deadline_ms);

/* A client that has connected; CERT may be NULL. */
void gateway_dial(
	struct gateway *g, struct tls_client *client, const struct cert *cert);

/* The same, with the handshake done, the backend's end in g->backend. */
void gateway_connect(struct gateway *g, struct tls_client *client);

/* Turns until the backend has got a connection. */
void gateway_accept(struct gateway *g);

/* The only connection; NULL when there is none. */
struct conn *gateway_conn(struct gateway *g);

/* Turns until none is left. */
void gateway_wait_closed(struct gateway *g);

/* Turns until exactly TEXT has come; nothing else may come. */
void gateway_client_expect(
	struct gateway *g, struct tls_client *client, const char *text);
void gateway_backend_expect(struct gateway *g, const char *text);

/* What has been logged so far, and how many lines. */
const char *gateway_log(struct gateway *g);
size_t gateway_log_lines(struct gateway *g);
void gateway_assert_logged(struct gateway *g, const char *text);

/* Nothing may have been logged but one line that says TEXT. */
void gateway_assert_one_line(struct gateway *g, const char *text);

uint64_t gateway_count(struct gateway *g, enum stats_counter which);

/* Turns until the backend's end says how it ended: 0 or an errno. */
int gateway_backend_ending(struct gateway *g);

/* Turns until the client's TCP is at its end. Returns true for an orderly one:
 * close_notify and no reset. */
bool gateway_client_ended_well(struct gateway *g, struct tls_client *client);

void gateway_client_say(struct tls_client *client, const char *text);
void gateway_backend_say(struct gateway *g, const char *text);
