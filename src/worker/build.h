#pragma once

#include <stdbool.h>
#include <stdint.h>

struct generation;
struct proxy;
struct report;

/*
 * A generation in the making: what a bundle says becomes listeners that can be
 * started, piece by piece, beside the generation that runs.
 */
struct build;

/* What a generation is built from. */
struct build_parts {
	const char *path;                /* of the settings, in the bundle */
	int public_fd, secret_fd;        /* the bundle */
	const struct generation *before; /* whose TLS contexts are good for
					    what did not change; or NULL */
};

/* Takes GENERATION, which has its sockets and outputs, and the descriptors.
 * BEFORE is needed until the build is complete. */
struct build *build_new(struct generation *generation, struct proxy *proxy,
	const struct build_parts *parts);

/* One more piece: a file, a section, a server name. False: it is complete, for
 * good or bad. */
bool build_step(struct build *build);

/* Of the generation in the making. */
uint64_t build_number(const struct build *build);

/* All findings so far; borrowed. */
const struct report *build_report(const struct build *build);

/* What a complete build has made, once: the caller's. NULL when its report has
 * an error. */
struct generation *build_take(struct build *build);

/* Drops what was not taken: its sockets are closed, the rest is freed in the
 * background of its proxy. Accepts NULL. */
void build_free(struct build **build);
