#pragma once

#include <event2/event_struct.h>
#include <stdbool.h>

struct listener;

/* One socket that a listener accepts from. Its listener's, who closes it. */
struct acceptor {
	struct event readable;
	int fd; /* which other workers share */
	struct listener *listener;
};

/* Before the first acceptor_resume(); from then on it must not move. */
void acceptor_prepare(struct acceptor *acceptor);

void acceptor_pause(struct acceptor *acceptor);
void acceptor_resume(struct acceptor *acceptor);

/*
 * Starts the connection of one client who waits there. False: nobody does, or
 * can be let in just now; then, unless nobody waits, all listeners of the proxy
 * pause.
 */
bool acceptor_take_one(struct acceptor *acceptor);
