#pragma once

struct event_base;
struct signals;

/*
 * The signals that the supervisor listens to, in its loop. SIGPIPE is ignored,
 * and stays so.
 */
struct signals_callbacks {
	/* NUMBER: SIGTERM or SIGINT. */
	void (*on_stop)(int number, void *arg);
	void (*on_hup)(void *arg);
	void (*on_usr2)(void *arg);
	void (*on_chld)(void *arg);
};

/* Unblocks all signals: the binary before ours has blocked them. BASE is
 * borrowed, and outlives it. */
struct signals *signals_new(struct event_base *base,
	const struct signals_callbacks *callbacks, void *arg);

/* Accepts NULL. */
void signals_free(struct signals **signals);
