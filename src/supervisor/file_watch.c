#include "config.h"

#include "supervisor/file_watch.h"

#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "supervisor/path_walk.h"

/* Entries that come, go, or get another mode or owner. What is written to
 * them is not asked for: a log beside a key must not wake us. */
#define DIR_EVENTS                                                             \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |     \
		IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW)

/* A file is watched itself, for what is written to it, and because it may
 * have been reached through a mount of its own, where its directory hears
 * nothing. IN_ATTRIB also says that it lost a name. */
#define FILE_EVENTS                                                            \
	(IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF |             \
		IN_MOVE_SELF | IN_DONT_FOLLOW)

/* Reads from the kernel in one turn of the loop. */
#define READS_MAX 16

/* One thing we want to hear of. */
struct interest {
	int wd;
	char *name; /* NULL: whatever happens there */
};

struct interests {
	struct interest *items;
	size_t n;
};

struct file_watch {
	int fd; /* -1: not started, or the kernel gave none */
	struct event *readable, *timer;
	struct file_watch_times times;
	file_watch_fn on_quiet;
	void *arg;
	struct text_list paths;
	struct interests now;  /* sorted */
	struct interests next; /* being collected */
	uint64_t first_ms;     /* of the events not yet told; 0: none */
	bool warned;
};

/* ---- what we want to hear of ---- */

static int
compare(const void *a, const void *b)
{
	const struct interest *left = a, *right = b;

	if (left->wd != right->wd)
		return left->wd < right->wd ? -1 : 1;
	return strcmp(left->name == NULL ? "" : left->name,
		right->name == NULL ? "" : right->name);
}

static void
interests_done(struct interests *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i].name);
	free(list->items);
	*list = (struct interests){0};
}

static bool
interests_have(const struct interests *list, int wd, char *name)
{
	const struct interest key = {.wd = wd, .name = name};

	return list->n > 0 &&
	       bsearch(&key, list->items, list->n, sizeof key, compare) != NULL;
}

static bool
interests_have_wd(const struct interests *list, int wd)
{
	size_t low = 0, high = list->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->items[middle].wd < wd)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list->n && list->items[low].wd == wd;
}

/* ---- watches ---- */

/* What is not there, or not ours to read, is nothing to complain about: the
 * directory above is watched, and the files are refused with a reason. */
static void
complain(struct file_watch *watch, int errnum)
{
	if (watch->warned || (errnum != ENOSPC && errnum != ENOMEM))
		return;
	watch->warned = true;
	log_msg(LOG_LEVEL_WARN,
		"not all files are watched for changes: %s "
		"(fs.inotify.max_user_watches)",
		strerror(errnum));
}

static void
on_step(enum path_step step, const char *dir, const char *name, void *arg)
{
	struct file_watch *watch = arg;
	struct interests *next = &watch->next;
	int wd = inotify_add_watch(
		watch->fd, dir, step == PATH_FILE ? FILE_EVENTS : DIR_EVENTS);

	if (wd < 0) {
		complain(watch, errno);
		return;
	}
	next->items =
		xreallocarray(next->items, next->n + 1, sizeof *next->items);
	next->items[next->n++] = (struct interest){
		.wd = wd, .name = name == NULL ? NULL : xstrdup(name)};
}

/* Directories that no path goes through any more. */
static void
drop_unused(struct file_watch *watch, const struct interests *before)
{
	for (size_t i = 0; i < before->n; i++) {
		int wd = before->items[i].wd;

		if ((i == 0 || before->items[i - 1].wd != wd) &&
			!interests_have_wd(&watch->now, wd))
			(void)inotify_rm_watch(watch->fd, wd);
	}
}

/* Walks all paths again. A watch that stands stays what it is. */
static void
arm(struct file_watch *watch)
{
	struct interests before = watch->now;

	for (size_t i = 0; i < watch->paths.n; i++)
		path_walk(watch->paths.items[i], on_step, watch);
	if (watch->next.n > 0)
		qsort(watch->next.items, watch->next.n,
			sizeof *watch->next.items, compare);
	watch->now = watch->next;
	watch->next = (struct interests){0};
	drop_unused(watch, &before);
	interests_done(&before);
}

/* ---- events ---- */

/* Something happened, or may have: tells it when it is over. */
static void
note(struct file_watch *watch)
{
	uint64_t now = clock_monotonic_ms(), ms = watch->times.quiet_ms;
	struct timeval tv;

	if (watch->first_ms == 0)
		watch->first_ms = now;
	if (now + ms > watch->first_ms + watch->times.at_most_ms)
		ms = now >= watch->first_ms + watch->times.at_most_ms
			     ? 0
			     : watch->first_ms + watch->times.at_most_ms - now;
	tv = clock_tv_of_ms(ms);
	(void)evtimer_add(watch->timer, &tv);
}

static void
on_timer(int fd, short what, void *arg)
{
	struct file_watch *watch = arg;

	(void)fd;
	(void)what;
	watch->first_ms = 0;
	arm(watch);
	watch->on_quiet(watch->arg);
}

/* Of a directory itself (its name is empty) everything counts, and so does
 * what the kernel had no room to tell. */
static bool
matters(const struct file_watch *watch, const struct inotify_event *event,
	char *name)
{
	if ((event->mask & IN_Q_OVERFLOW) != 0)
		return true;
	if (event->len == 0 || name[0] == '\0')
		return interests_have_wd(&watch->now, event->wd);
	return interests_have(&watch->now, event->wd, name) ||
	       interests_have(&watch->now, event->wd, NULL);
}

/* True: one of them matters. */
static bool
look_at(const struct file_watch *watch, char *bytes, size_t len)
{
	struct inotify_event event;
	bool found = false;

	for (size_t at = 0; !found && at + sizeof event <= len;
		at += sizeof event + event.len) {
		memcpy(&event, bytes + at, sizeof event);
		found = matters(watch, &event, bytes + at + sizeof event);
	}
	return found;
}

static void
on_readable(int fd, short what, void *arg)
{
	struct file_watch *watch = arg;
	char bytes[4096];
	bool found = false;
	ssize_t len = 1;

	(void)what;
	for (int i = 0; i < READS_MAX && len > 0; i++) {
		len = read(fd, bytes, sizeof bytes);
		if (len > 0 && look_at(watch, bytes, (size_t)len))
			found = true;
	}
	if (found)
		note(watch);
}

/* ---- life ---- */

struct file_watch *
file_watch_new(struct event_base *base, const struct file_watch_times *times,
	file_watch_fn on_quiet, void *arg)
{
	struct file_watch *watch = xcalloc(1, sizeof *watch);

	watch->times = *times;
	watch->on_quiet = on_quiet;
	watch->arg = arg;
	watch->timer = evtimer_new(base, on_timer, watch);
	watch->fd = -1;
	return watch;
}

/* Not before there is something to watch. */
static bool
start(struct file_watch *watch)
{
	if (watch->fd >= 0 || watch->warned)
		return watch->fd >= 0;
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd < 0) {
		watch->warned = true;
		log_msg(LOG_LEVEL_WARN,
			"files are not watched for changes: inotify: %s",
			strerror(errno));
		return false;
	}
	watch->readable = event_new(event_get_base(watch->timer), watch->fd,
		EV_READ | EV_PERSIST, on_readable, watch);
	(void)event_add(watch->readable, NULL);
	return true;
}

void
file_watch_free(struct file_watch **watch)
{
	struct file_watch *gone = *watch;

	*watch = NULL;
	if (gone == NULL)
		return;
	if (gone->readable != NULL)
		event_free(gone->readable);
	event_free(gone->timer);
	fd_close(&gone->fd);
	interests_done(&gone->now);
	text_list_done(&gone->paths);
	free(gone);
}

void
file_watch_set(struct file_watch *watch, const struct text_list *paths)
{
	watch->first_ms = 0;
	(void)evtimer_del(watch->timer);
	text_list_done(&watch->paths);
	for (size_t i = 0; paths != NULL && i < paths->n; i++)
		text_list_add(&watch->paths, paths->items[i]);
	if (paths == NULL && watch->fd < 0)
		return;
	if (!start(watch))
		return;
	arm(watch);
	if (paths != NULL)
		note(watch);
}
