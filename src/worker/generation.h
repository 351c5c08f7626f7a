#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct addr;
struct conn;
struct error;
struct generation;
struct listener;
struct proxy;
struct report;

/*
 * One generation as a worker sees it: everything built from one bundle,
 * beside what runs, and started only when every worker has it.
 *
 * Owned by the worker from stage to retirement; connections keep alive what
 * they need (their listener) beyond that.
 */

/* From the first message on: sockets are collected before the build. */
struct generation *generation_new(uint64_t number);

/* Drops sockets that were not used, and its hold on the listeners: those
 * without connections are gone with it. Accepts NULL. */
void generation_free(struct generation **generation);

uint64_t generation_number(const struct generation *generation);

/* How many listening sockets it was given. */
size_t generation_sockets(const struct generation *generation);

/* Takes FD, a listening socket of the listener of that NAME. */
void generation_add_socket(
	struct generation *generation, const char *name, int fd);

/* Takes FD, the file at PATH opened for appending. */
void generation_add_output(
	struct generation *generation, const char *path, int fd);

/* What a generation is built from; borrowed. */
struct generation_parts {
	const char *path;                /* of the settings, in the bundle */
	int public_fd, secret_fd;        /* the bundle; read and left open */
	const struct generation *before; /* whose TLS contexts are good for
					    what did not change; or NULL */
};

/*
 * Loads the settings out of the bundle and builds every listener. All findings
 * go to REPORT; returns 0 when there was no error, and then the generation can
 * be started.
 */
int generation_build(struct generation *generation, struct proxy *proxy,
	const struct generation_parts *parts, struct report *report);

/* New connections are of this generation from now on, or no longer. */
void generation_start(struct generation *generation);
void generation_stop(struct generation *generation);

/*
 * Stops it in favour of NEXT, which has been started. Who waits at a socket
 * that NEXT does not have would be reset with its last descriptor, and is let
 * in first. But where NEXT has none at all (this worker is about to leave)
 * others go on to accept.
 */
void generation_replace(
	struct generation *generation, const struct generation *next);

/* Would CONN, of an older generation, still get in? False: it was closed. */
bool generation_readmit(struct generation *generation, struct conn *conn);

/* News from the resolver for those whom it concerns. */
void generation_resolved(struct generation *generation, const char *host,
	uint16_t port, const struct addr *addresses, size_t n);
