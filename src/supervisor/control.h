#pragma once

#include <stdbool.h>
#include <stdio.h>

struct error;
struct event_base;
struct handover;
struct rollout;

/*
 * The admin socket: who may tell the daemon what to do, root and the daemon's
 * own user, asks here. One line in ("reload", "status", "status json"), text
 * out, whose last line is CONTROL_OK or CONTROL_FAILED, and that was it.
 *
 * Few at a time; a caller has CONTROL_WAIT_MS to ask and to take the answer.
 */
#define CONTROL_OK        "ok"
#define CONTROL_FAILED    "failed"
#define CONTROL_LINE_MAX  64
#define CONTROL_WAIT_MS   10000
#define CONTROL_CALLS_MAX 16
#define CONTROL_MODE      0600

struct control;

enum control_form { CONTROL_TEXT, CONTROL_JSON };

/* Writes what there is to know. */
typedef void (*control_status_fn)(enum control_form form, FILE *out, void *arg);

/* Listens at PATH (copied). What a daemon that died left there is replaced;
 * a socket that somebody answers on is not, and no other file either: NULL
 * with ERR. ROLLOUT is borrowed, and outlives it. */
struct control *control_new(struct event_base *base, const char *path,
	struct rollout *rollout, control_status_fn status, void *arg,
	struct error *err);

/* ON: nobody is let in, until it is off again; who comes waits, if need be for
 * the next image of this process. Returns whether nobody is in. Accepts NULL.
 */
bool control_hold(struct control *control, bool on);

/* The one that HANDOVER brings, if any; else NULL. Who is in just then is hung
 * up on. */
struct control *control_take_over(struct event_base *base,
	struct handover *handover, struct rollout *rollout,
	control_status_fn status, void *arg);

/* The other way. Accepts NULL. */
void control_hand_over(
	const struct control *control, struct handover *handover);

/* Hangs up on everybody, and removes the file. Accepts NULL. */
void control_free(struct control **control);
