#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/addr.h"

struct handover;
struct report;
struct settings;
struct socket_store;

/*
 * The listening sockets of one generation. Zero-initialised is empty; in the
 * caller's storage. Names of listeners are borrowed from the settings.
 */
struct listen_entry {
	const char *listener;
	struct addr addr; /* as configured */
	int fd;           /* -1 once closed */
	dev_t dev;        /* of a unix one: its file; 0: it has none */
	ino_t ino;
};

struct listen_set {
	struct listen_entry *items;
	size_t n;
};

/* Closes them; the files of unix ones stay. */
void listen_set_done(struct listen_set *set);

/*
 * Opens what SETTINGS say: sockets that PREVIOUS (may be NULL) has too are
 * shared with it (unless they are unix ones whose file has gone), inherited
 * ones are taken by name, stored ones by address, the rest is opened anew.
 * Returns 0, or -1 with findings in REPORT.
 */
int listen_set_open(struct listen_set *set, const struct settings *settings,
	const struct listen_set *previous, struct socket_store *store,
	struct report *report);

/* Has STORE keep those that we opened and nothing else; not ON: nothing. */
void listen_set_store(
	const struct listen_set *set, struct socket_store *store, bool on);

/* Closes them. The files of the unix ones that we made are removed, unless
 * KEEP_FILES: somebody else holds what they lead to. */
void listen_set_close(struct listen_set *set, bool keep_files);

/* Removes the files of unix sockets that KEPT (may be NULL, its sockets may be
 * closed) has not. Never what somebody else has put there since. */
void listen_set_remove_files(
	const struct listen_set *set, const struct listen_set *kept);

/* All of them to another image of this process, but unix ones whose file has
 * gone; and from one: those of listeners that SETTINGS have, the rest is
 * closed. */
void listen_set_hand_over(
	const struct listen_set *set, struct handover *handover);
void listen_set_take_over(struct listen_set *set,
	const struct settings *settings, struct handover *handover);
