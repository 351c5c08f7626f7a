/* The signals that the supervisor listens to. */
#include "supervisor/signals.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>

#include "base/mem.h"

struct signals {
	struct signals_callbacks callbacks;
	void *arg;
	struct event *on_term, *on_int, *on_hup, *on_usr2, *on_chld;
};

static void
on_signal(int number, short what, void *arg)
{
	const struct signals *signals = arg;

	(void)what;
	switch (number) {
	case SIGHUP:
		signals->callbacks.on_hup(signals->arg);
		return;
	case SIGUSR2:
		signals->callbacks.on_usr2(signals->arg);
		return;
	case SIGCHLD:
		signals->callbacks.on_chld(signals->arg);
		return;
	default:
		signals->callbacks.on_stop(number, signals->arg);
		return;
	}
}

static struct event *
listen_to(struct event_base *base, int number, struct signals *signals)
{
	struct event *event = evsignal_new(base, number, on_signal, signals);

	(void)event_add(event, NULL);
	return event;
}

struct signals *
signals_new(struct event_base *base, const struct signals_callbacks *callbacks,
	void *arg)
{
	struct signals *signals = xcalloc(1, sizeof *signals);
	sigset_t none;

	signals->callbacks = *callbacks;
	signals->arg = arg;
	signals->on_term = listen_to(base, SIGTERM, signals);
	signals->on_int = listen_to(base, SIGINT, signals);
	signals->on_hup = listen_to(base, SIGHUP, signals);
	signals->on_usr2 = listen_to(base, SIGUSR2, signals);
	signals->on_chld = listen_to(base, SIGCHLD, signals);
	(void)signal(SIGPIPE, SIG_IGN);
	/* The binary before ours has blocked them all. */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	return signals;
}

void
signals_free(struct signals **signals)
{
	struct signals *gone = *signals;

	*signals = NULL;
	if (gone == NULL)
		return;
	event_free(gone->on_term);
	event_free(gone->on_int);
	event_free(gone->on_hup);
	event_free(gone->on_usr2);
	event_free(gone->on_chld);
	free(gone);
}
