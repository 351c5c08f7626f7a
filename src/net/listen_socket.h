#pragma once

#include <stdint.h>

struct addr;
struct error;

/*
 * Opens, binds and listens: non-blocking, close-on-exec, SO_REUSEADDR,
 * TCP_DEFER_ACCEPT (a TLS client speaks first), IPV6_V6ONLY unless the
 * address is dual stack. A unix socket's stale file (nobody answers behind
 * it) is removed first and a live one is an error; MODE applies to the new
 * one. ADDR_SYSTEMD is not for here. Returns the descriptor, or -1 with ERR
 * which names the address.
 */
int listen_socket_open(
	const struct addr *addr, unsigned mode, struct error *err);

/*
 * Vets an inherited descriptor (systemd): a listening stream socket; makes it
 * non-blocking and close-on-exec. 0, or -1 with ERR.
 */
int listen_socket_adopt(int fd, struct error *err);

/*
 * The address that FD is bound to, as the configuration would write it: a
 * socket on [::] that takes IPv4 as well is dual stack. 0, or -1 with errno.
 */
int listen_socket_bound(int fd, struct addr *addr_out);

/* What the kernel calls the socket FD; never the same for two. 0: it does not
 * say. */
uint64_t listen_socket_cookie(int fd);

/* Backlog asked for; the kernel cuts at net.core.somaxconn. */
#define LISTEN_SOCKET_BACKLOG 4096
