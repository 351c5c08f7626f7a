#pragma once

#include <stdint.h>

struct event_base;
struct file_watch;
struct text_list;

/*
 * Hears from the kernel when something happened to one of a set of paths:
 * inotify(7) on every directory that they go through (path_walk.h), for those
 * names only, and on the files in which they end. So it sees a rewrite in
 * place, a rename over the file, every symbolic link on the way that is
 * swapped, and what is deleted, made anew, moved away or unmounted.
 *
 * It does not say what happened, and may be wrong about whether: look at the
 * files (file_record.h). Reading them is not an event. Nothing comes from what
 * another machine does to a network file system.
 */
struct file_watch_times {
	uint64_t quiet_ms;   /* since the last event, before it is told */
	uint64_t at_most_ms; /* since the first one, told anyway */
};

typedef void (*file_watch_fn)(void *arg);

/*
 * ON_QUIET is called from the loop. Where the kernel has no inotify for us
 * (a limit), nothing is ever told; where its limit of watches is reached, not
 * of all paths. Either is logged once.
 */
struct file_watch *file_watch_new(struct event_base *base,
	const struct file_watch_times *times, file_watch_fn on_quiet,
	void *arg);
void file_watch_free(struct file_watch **watch);

/*
 * From now on it is PATHS (copied), there or not; none: NULL. ON_QUIET is
 * then called once even without an event, because of what happened between
 * the moment when the caller read the files and this one. The watches stand
 * anew before each call of ON_QUIET, so what it sees is never older.
 */
void file_watch_set(struct file_watch *watch, const struct text_list *paths);
