#pragma once

struct gateway;
struct generation;

/* What a supervisor would have sent: the bundle of a gateway's settings. */
struct packed {
	int public_fd, secret_fd;
	char *path;
};

struct packed packed_new(struct gateway *g);
void packed_done(struct packed *packed);

/* Takes GENERATION. What becomes of it; NULL, and findings in the fixture, if
 * there is an error. */
struct generation *packed_build(const struct packed *packed,
	struct generation *generation, struct gateway *g);
