#pragma once

#include <sys/queue.h>

#include "supervisor/control.h"

/* One caller on the admin socket, from accept() to the end of the answer. */
struct control_call;

LIST_HEAD(control_call_list, control_call);

/* What a call is answered with. */
struct control_handler {
	struct rollout *rollout;
	control_status_fn status;
	void *arg;
	void (*on_over)(void *arg); /* a call has ended */
	void *over_arg;
};

/* Takes FD; HANDLER is borrowed. The call is in CALLS until it has ended. */
void control_call_start(struct control_call_list *calls,
	struct event_base *base, int fd, const struct control_handler *handler);

/* Hangs up. */
void control_call_end(struct control_call *call);
