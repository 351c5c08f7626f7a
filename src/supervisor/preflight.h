#pragma once

#include <stdbool.h>

struct error;
struct event_base;
struct handover;

/*
 * Before one binary gives way to the next it asks that one whether it can take
 * over: as a child, which reads the handover and loads the configuration, and
 * says so. Whatever goes wrong there costs the one that serves nothing.
 */
struct preflight;

/* OK: it can; TEXT is its version. Else why not. May free the preflight. */
typedef void (*preflight_end_fn)(bool ok, const char *text, void *arg);

/* All borrowed for the call. */
struct preflight_call {
	int image;        /* a descriptor of the binary */
	const char *name; /* its argv[0] */
	const char *path; /* of the configuration */
	int handover_fd;  /* what handover_write() made of ... */
	const struct handover *handover;
};

/* The answer comes from the loop. NULL with ERR. */
struct preflight *preflight_start(struct event_base *base,
	const struct preflight_call *call, preflight_end_fn on_end, void *arg,
	struct error *err);

/* Ends the child, if it still lives. Accepts NULL. */
void preflight_free(struct preflight **preflight);

/* The other side, argv[1] of the child: "--preflight FD PATH". The binary that
 * asks may be of any version: these words, and the answer, never change.
 * Returns the exit status. */
#define PREFLIGHT_MARK "--preflight"
int preflight_main(int argc, char **argv);
