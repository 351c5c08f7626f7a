#pragma once

#include <stdint.h>

#include "proxy/conn_state.h"

struct conn;

struct proxy;
struct stream;
struct timeout;

/*
 * Between the files that make up a connection's life, in its order:
 *   conn            birth, dispatch, time, end
 *   conn_handshake  the client proves itself
 *   conn_dial       to the backend
 *   conn_relay      bytes both ways, and how they end
 * Each calls the next, never back.
 */

/* conn */
void conn_set_state(struct conn *conn, enum conn_state next);
void conn_set_timer(struct conn *conn, const struct timeout *timeout);
void conn_set_timer_ms(struct conn *conn, uint64_t ms);
struct proxy *conn_proxy(const struct conn *conn);
struct stream *conn_client(const struct conn *conn);
/* What the watch of the backend's descriptor calls (watch_fn). */
void conn_on_backend(int fd, short what, void *arg);

/* conn_handshake: queued once here, the rest comes from the queue. */
void conn_handshake_begin(struct conn *conn);
void conn_handshake_on_client(struct conn *conn, short what);
void conn_handshake_on_timer(struct conn *conn);
/* Before there is a relay: sends what a slow client did not take yet. Returns
 * -1 when that ended the connection. */
int conn_handshake_flush(struct conn *conn);

/* conn_dial: ends in conn_relay_begin() or in conn_close(). */
void conn_dial_begin(struct conn *conn);
void conn_dial_on_backend(struct conn *conn);
void conn_dial_on_timer(struct conn *conn);

/* conn_relay */
void conn_relay_begin(struct conn *conn);
void conn_relay_on_client(struct conn *conn, short what);
void conn_relay_on_backend(struct conn *conn, short what);
/* A cut connection's timer fired: is everything delivered by now? */
void conn_relay_check_cut(struct conn *conn);
