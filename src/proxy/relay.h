#pragma once

#include <stdbool.h>

#include "proxy/pump.h"

struct scratch;
struct stream;

/*
 * Both directions of one connection, and what the end of one means for the
 * other. Knows no descriptor events and no clock: its owner calls it when a
 * side is ready and asks afterwards what to wait for.
 *
 *   up    client -> backend
 *   down  backend -> client
 */
struct relay {
	struct stream *client;
	struct stream *backend;
	struct pump up;
	struct pump down;
};

/* How things stand; the owner acts on it after every call. */
enum relay_status {
	RELAY_OPEN,        /* both directions */
	RELAY_HALF_CLOSED, /* one ended in order, the other goes on */
	RELAY_CUT,         /* one was cut: delivering what came before */
	RELAY_OVER         /* nothing is left to be done */
};

void relay_init(
	struct relay *relay, struct stream *client, struct stream *backend);

/* A side is readable, or writable. */
void relay_read_client(struct relay *relay, struct scratch *scratch);
void relay_read_backend(struct relay *relay, struct scratch *scratch);
void relay_write_client(struct relay *relay, struct scratch *scratch);
void relay_write_backend(struct relay *relay, struct scratch *scratch);

enum relay_status relay_status(const struct relay *relay);

/* Did each side get a whole stream with its end? If not, the side is to be
 * closed so that it notices. */
bool relay_backend_got_end(const struct relay *relay);
bool relay_client_got_end(const struct relay *relay);
