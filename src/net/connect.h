#pragma once

#include <stdbool.h>
#include <stdint.h>

struct addr;

/*
 * A non-blocking connect to ADDR (inet, inet6 or unix): close-on-exec,
 * TCP_NODELAY, and a close() that is a reset (SO_LINGER 0) until
 * connect_end_on_close(): the peer must not take what it got for the whole,
 * and the kernel closes what a killed process had open. Returns the descriptor,
 * in progress or already connected (the caller waits for writability and asks
 * connect_result()), or -1 with errno: then nothing is left open. EAGAIN from a
 * unix socket means that its backlog is full.
 */
int connect_start(const struct addr *addr);

/* 0 when FD is connected, else the errno of the attempt. A TCP socket that was
 * connected to itself (nobody listens at a local port) is ECONNREFUSED. */
int connect_result(int fd);

/* Is FD connected already, to somebody else? On one machine it is as soon as
 * connect_start() returns, and asking is cheaper than waiting for an event.
 * False: unknown, wait and ask connect_result(). */
bool connect_is_done(int fd);

/* SO_KEEPALIVE: first probe after IDLE_MS without traffic, then three more
 * within the same time again. 0 switches it off. Not for unix sockets: no-op.
 * Sockets that accept() gives inherit it, and TCP_NODELAY, from theirs. */
void connect_keepalive(int fd, uint64_t idle_ms);

/* TCP_NODELAY on what accept() gave; no-op on unix sockets. */
void connect_nodelay(int fd);

/* Makes the close() that follows a plain one again: the end was in order, and
 * what is under way goes on without us. On unix sockets every close is. */
void connect_end_on_close(int fd);

/* Bytes that the peer's kernel has not acknowledged yet (SIOCOUTQ); 0 when
 * unknown. */
int connect_unacked(int fd);

/* How long ago TCP last sent bytes that it had been given and need not send
 * again so far; UINT64_MAX when unknown, as on unix sockets. A full buffer is
 * told to be writable only when a third of it is free: a slow reader takes
 * megabytes from the kernel before its writer hears of it. */
uint64_t connect_sent_ago_ms(int fd);
