#pragma once

#include <stdint.h>

#include "supervisor/file_watch.h"

struct event_base;
struct file_record;
struct report;
struct rotation;

/*
 * Brings in certificates, keys, CRLs and settings that were changed on disk,
 * without a signal: watches what the last rollout read, and asks for the next
 * one when something reads differently now.
 *
 * Files that belong together do not change together. So what is refused is
 * waited for: tried again after a while, and at once when a file changes once
 * more. Only what is still refused after some time is an error in the log,
 * once until it is another one.
 */
struct rotation_times {
	struct file_watch_times watch;
	uint64_t retry_ms;     /* after the first refusal; doubles */
	uint64_t retry_max_ms; /* no longer than this between two */
	uint64_t patience_ms;  /* since the first refusal, until it is an
				  error */
};

extern const struct rotation_times rotation_usual_times;

/* Asks for a rollout. Its end is told by rotation_loaded() or
 * rotation_refused(), from the loop or right away. */
typedef void (*rotation_fn)(void *arg);

/* CONF_PATH and TIMES are borrowed. */
struct rotation *rotation_new(struct event_base *base, const char *conf_path,
	const struct rotation_times *times, rotation_fn on_change, void *arg);
void rotation_free(struct rotation **rotation);

/* Some rollout has begun: it reads the files, so nobody else needs to. */
void rotation_pause(struct rotation *rotation);

/*
 * It has ended, well or not, and read RECORD, which is taken. What has changed
 * since then counts as well. NULL: nothing is watched from now on.
 */
void rotation_follow(struct rotation *rotation, struct file_record *record);

/* Whoever had asked: what was on disk runs now. */
void rotation_loaded(struct rotation *rotation);

/* After rotation_follow(): what ON_CHANGE had asked for was refused. */
void rotation_refused(struct rotation *rotation, const struct report *report);
