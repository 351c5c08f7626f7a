#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct addr;
struct conn;
struct generation;
struct listener;

/*
 * One generation as a worker sees it: everything built from one bundle
 * (build.h), beside what runs, and started only when every worker has it.
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
