#pragma once

#include <stdbool.h>
#include <stdint.h>

struct build;
struct generation;
struct message;
struct proxy;

/*
 * A generation on its way into a worker, message by message, up to its build.
 * Messages of another generation than the one begun last are ignored.
 */
struct staging {
	struct generation *generation; /* NULL: nothing on its way */
	char *path;                    /* of the settings, in the bundle */
	int public_fd, secret_fd;
};

void staging_init(struct staging *staging);

/* Drops what there is; can be begun again. */
void staging_done(struct staging *staging);

/* MESSAGE_STAGE, in place of what was begun before. */
void staging_begin(struct staging *staging, struct message *m);

/* MESSAGE_SOCKET, MESSAGE_OUTPUT. */
void staging_add_socket(struct staging *staging, struct message *m);
void staging_add_output(struct staging *staging, struct message *m);

bool staging_is_of(const struct staging *staging, uint64_t number);

/* Ends it: what is to be built from it, the caller's. BEFORE (may be NULL) is
 * what runs (build.h). */
struct build *staging_end(struct staging *staging, struct proxy *proxy,
	const struct generation *before);
