#pragma once

#include <stdbool.h>

struct bundle;
struct bundle_source;
struct file_record;
struct handover;
struct report;
struct settings;

/*
 * Where generations come from: the files on the disk, or the binary before
 * ours, and what all generations of this process share: their numbers, the
 * secret of tickets, the sockets that the service manager keeps. Bundles are
 * the caller's; RUNNING is always the one that is served, NULL before the
 * first.
 */
struct bundle_source_callbacks {
	/* What was read, or looked for, good or not. Takes RECORD. */
	void (*on_read)(struct file_record *record, void *arg);
	/* NEXT could be loaded; an error in REPORT refuses it all the same. */
	void (*on_loaded)(
		const struct settings *next, struct report *report, void *arg);
};

/* PATH, of the configuration, is borrowed. Takes what the service manager has
 * kept. */
struct bundle_source *bundle_source_new(const char *path,
	const struct bundle_source_callbacks *callbacks, void *arg);

/* The manager keeps what it has. Accepts NULL. */
void bundle_source_free(struct bundle_source **source);

/*
 * The next generation from the disk, sockets included. After a take-over the
 * first one is RUNNING once more if the disk has nothing that can be loaded,
 * for workers of our own must come. NULL: REPORT says why.
 */
struct bundle *bundle_source_next(struct bundle_source *source,
	const struct bundle *running, struct report *report);

/* Frees BUNDLE, which is not going to be served, and removes the files of
 * sockets that RUNNING has not. A start that failed leaves those that were
 * stored as they are, for the next one. */
void bundle_source_drop(const struct bundle_source *source,
	const struct bundle *running, struct bundle **bundle);

/* Has the service manager keep what is to outlive this process, now that
 * RUNNING is served. */
void bundle_source_store(
	struct bundle_source *source, const struct bundle *running);

/* No connection is to come to this process any more. Files of sockets that the
 * service manager keeps stay. */
void bundle_source_close_sockets(
	const struct bundle_source *source, struct bundle *running);

/* What HANDOVER brings, instead of a start. NULL, after lines on standard
 * error: this binary does not understand it. */
struct bundle *bundle_source_take_over(
	struct bundle_source *source, struct handover *handover);

/* The other way. */
void bundle_source_hand_over(const struct bundle_source *source,
	const struct bundle *running, struct handover *handover);
