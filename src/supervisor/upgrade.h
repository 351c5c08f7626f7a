#pragma once

#include <stdbool.h>

struct event_base;
struct handover;
struct error;
struct upgrade;

/*
 * From this binary to the one that is at the same path now, in the same
 * process: first that one is asked whether it can take over (preflight.h), then
 * it is executed with all that has to live on (handover.h). Until then, and if
 * anything is wrong, nothing has happened but a line in the log.
 */
struct upgrade_owner {
	/* May it be now? Not while a rollout is on its way, or a stop. */
	bool (*is_free)(void *arg);
	/* ON: nothing is begun any more that the next one could not go on with,
	 * until it is off again. Returns whether nothing like that is left; it
	 * is asked again, for a second, and then cut off. */
	bool (*hold)(bool on, void *arg);
	/* Everything that the next one needs. -1 with ERR: not just now; it is
	 * asked for again, for ten seconds. */
	int (*hand_over)(
		struct handover *handover, struct error *err, void *arg);
	void *arg;
};

/* PROGRAM: what the binary before ours was started by; NULL: there was none,
 * so it is what this process was. ARGV is main()'s, PATH the configuration's;
 * both are borrowed. */
struct upgrade *upgrade_new(struct event_base *base, const char *program,
	char **argv, const char *path, const struct upgrade_owner *owner);
void upgrade_free(struct upgrade **upgrade);

/* Asks for one, which begins as soon as it may, and again for a while if not
 * all can be handed over just then. */
void upgrade_ask(struct upgrade *upgrade);

/* Things have changed: it may be free now, and what was asked before has to be
 * asked again. */
void upgrade_look_again(struct upgrade *upgrade);
