#include "config.h"

#include <event2/event.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "supervisor/file_watch.h"

#define DEADLINE_S 20

static const struct file_watch_times quick = {
	.quiet_ms = 20, .at_most_ms = 5000};
/* Tells after all the others have. */
static const struct file_watch_times slow = {
	.quiet_ms = 80, .at_most_ms = 5000};

struct observed {
	struct event_base *base;
	struct file_watch *watch;
	unsigned calls;
};

static struct event_base *base;

static void
remove_tree(const char *path)
{
	char *command = xasprintf("rm -rf -- '%s'", path);

	assert_int_equal(system(command), 0);
	free(command);
}

/* Each test has its own empty directory and works in it. */
static int
set_up(void **state)
{
	char template[] = "/tmp/test_file_watch.XXXXXX";
	char *dir = mkdtemp(template);

	base = event_base_new();
	*state = dir == NULL ? NULL : realpath(dir, NULL);
	return base == NULL || *state == NULL || chdir(*state) < 0 ? -1 : 0;
}

static int
tear_down(void **state)
{
	if (chdir("/") < 0)
		return -1;
	remove_tree(*state);
	free(*state);
	event_base_free(base);
	return 0;
}

static void
write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void
link_to(const char *target, const char *path)
{
	assert_int_equal(symlink(target, path), 0);
}

static void
make_dir(const char *path)
{
	assert_int_equal(mkdir(path, 0700), 0);
}

static void
move(const char *from, const char *to)
{
	assert_int_equal(rename(from, to), 0);
}

static void
on_quiet(void *arg)
{
	struct observed *it = arg;

	it->calls++;
	(void)event_base_loopbreak(it->base);
}

static void
on_deadline(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(bool *)arg = true;
}

/* False: none came. */
static bool
is_called(struct observed *it)
{
	const struct timeval tv = {.tv_sec = DEADLINE_S};
	unsigned before = it->calls;
	bool late = false;
	struct event *deadline = evtimer_new(base, on_deadline, &late);

	(void)evtimer_add(deadline, &tv);
	while (it->calls == before && !late)
		(void)event_base_loop(base, EVLOOP_ONCE);
	event_free(deadline);
	return it->calls > before;
}

static void
wait_call(struct observed *it)
{
	assert_true(is_called(it));
}

/* Past the call that comes without an event. */
static void
observe(struct observed *it, const struct file_watch_times *times,
	const char *path)
{
	char *items[] = {xstrdup(path)};
	const struct text_list paths = {.items = items, .n = 1};

	*it = (struct observed){.base = base};
	it->watch = file_watch_new(base, times, on_quiet, it);
	file_watch_set(it->watch, &paths);
	assert_int_equal(it->calls, 0);
	wait_call(it);
	assert_int_equal(it->calls, 1);
	it->calls = 0;
	free(items[0]);
}

static void
assert_seen(struct observed *it)
{
	wait_call(it);
	assert_int_equal(it->calls, 1);
	it->calls = 0;
}

/* What happened in the working directory was not for IT: one who watches all
 * of that, and is slower to say so, was told, and IT was not. */
static void
assert_ignored(struct observed *it, void (*happen)(void))
{
	struct observed witness;

	observe(&witness, &slow, ".");
	happen();
	assert_seen(&witness);
	file_watch_free(&witness.watch);
	assert_int_equal(it->calls, 0);
}

static void
the_first_call_needs_no_event(void **state)
{
	struct observed it;

	(void)state;
	write_file("cert.pem", "1");
	observe(&it, &quick, "cert.pem");
	file_watch_free(&it.watch);
	assert_null(it.watch);
	file_watch_free(&it.watch);
}

static void
a_rewrite_in_place_is_seen(void **state)
{
	struct observed it;

	(void)state;
	write_file("cert.pem", "1");
	observe(&it, &quick, "cert.pem");
	write_file("cert.pem", "2");
	assert_seen(&it);
	assert_int_equal(truncate("cert.pem", 0), 0);
	assert_seen(&it);
	file_watch_free(&it.watch);
}

static void
a_rename_over_is_seen_every_time(void **state)
{
	struct observed it;

	(void)state;
	write_file("cert.pem", "1");
	observe(&it, &quick, "cert.pem");
	for (int i = 0; i < 3; i++) {
		write_file("new", "2");
		move("new", "cert.pem");
		assert_seen(&it);
		/* The new one is watched itself as well. */
		write_file("cert.pem", "3");
		assert_seen(&it);
	}
	file_watch_free(&it.watch);
}

static void
deleting_and_making_anew_are_seen(void **state)
{
	struct observed it;

	(void)state;
	write_file("cert.pem", "1");
	observe(&it, &quick, "cert.pem");
	assert_int_equal(unlink("cert.pem"), 0);
	assert_seen(&it);
	write_file("cert.pem", "1");
	assert_seen(&it);
	assert_int_equal(chmod("cert.pem", 0600), 0);
	assert_seen(&it);
	file_watch_free(&it.watch);
}

static void
a_swapped_data_link_is_seen(void **state)
{
	struct observed it;

	(void)state;
	make_dir("..1");
	write_file("..1/tls.crt", "1");
	link_to("..1", "..data");
	link_to("..data/tls.crt", "tls.crt");
	observe(&it, &quick, "tls.crt");
	for (int i = 2; i < 5; i++) {
		char *dir = xasprintf("..%d", i);
		char *file = xasprintf("..%d/tls.crt", i);

		make_dir(dir);
		write_file(file, "2");
		link_to(dir, "..data_tmp");
		move("..data_tmp", "..data");
		assert_seen(&it);
		/* In the directory that it leads to now. */
		write_file(file, "3");
		assert_seen(&it);
		free(dir);
		free(file);
	}
	file_watch_free(&it.watch);
}

static void
a_link_that_leads_to_another_file_is_seen(void **state)
{
	struct observed it;

	(void)state;
	make_dir("live");
	make_dir("archive");
	write_file("archive/cert1.pem", "1");
	write_file("archive/cert2.pem", "2");
	link_to("../archive/cert1.pem", "live/cert.pem");
	observe(&it, &quick, "live/cert.pem");
	assert_int_equal(unlink("live/cert.pem"), 0);
	link_to("../archive/cert2.pem", "live/cert.pem");
	assert_seen(&it);
	assert_int_equal(unlink("archive/cert2.pem"), 0);
	assert_seen(&it);
	file_watch_free(&it.watch);
}

static void
a_directory_made_anew_is_seen(void **state)
{
	struct observed it;

	(void)state;
	make_dir("a");
	make_dir("a/b");
	write_file("a/b/cert.pem", "1");
	observe(&it, &quick, "a/b/cert.pem");
	move("a", "gone");
	assert_seen(&it);
	make_dir("a");
	assert_seen(&it);
	make_dir("a/b");
	assert_seen(&it);
	write_file("a/b/cert.pem", "1");
	assert_seen(&it);
	remove_tree("a");
	assert_seen(&it);
	move("gone", "a");
	assert_seen(&it);
	file_watch_free(&it.watch);
}

static void
all_of_a_directory_counts_if_it_is_the_path(void **state)
{
	struct observed it;

	(void)state;
	make_dir("cas");
	observe(&it, &quick, "cas");
	write_file("cas/0000000a.0", "1");
	assert_seen(&it);
	assert_int_equal(unlink("cas/0000000a.0"), 0);
	assert_seen(&it);
	file_watch_free(&it.watch);
}

/* What a directory tells of: an entry came and went. */
static void
tell_witness(void)
{
	write_file("fresh", "1");
	assert_int_equal(unlink("fresh"), 0);
}

static void
write_others(void)
{
	write_file("cert.pem.tmp", "2");
	write_file("cert.pe", "2");
	assert_int_equal(unlink("cert.pe"), 0);
	move("cert.pem.tmp", "elsewhere");
}

static void
read_it(void)
{
	char byte;
	int fd = open("cert.pem", O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, &byte, 1), 1);
	fd_close(&fd);
	tell_witness();
}

static void
other_files_and_readers_are_ignored(void **state)
{
	struct observed it;

	(void)state;
	write_file("cert.pem", "1");
	observe(&it, &quick, "cert.pem");
	assert_ignored(&it, write_others);
	assert_ignored(&it, read_it);
	write_file("cert.pem", "3");
	assert_seen(&it);
	file_watch_free(&it.watch);
}

static void
change_both(void)
{
	write_file("cert.pem", "2");
	write_file("other.pem", "2");
}

static void
change_both_and_tell(void)
{
	change_both();
	tell_witness();
}

static void
only_the_paths_of_the_last_set_count(void **state)
{
	char other[] = "other.pem";
	char *items[] = {other};
	const struct text_list paths = {.items = items, .n = 1};
	struct observed it;

	(void)state;
	write_file("cert.pem", "1");
	write_file("other.pem", "1");
	observe(&it, &quick, "cert.pem");
	file_watch_set(it.watch, &paths);
	assert_seen(&it);
	write_file("other.pem", "2");
	assert_seen(&it);
	file_watch_set(it.watch, NULL);
	assert_ignored(&it, change_both_and_tell);
	file_watch_free(&it.watch);
}

static void
many_events_at_once_are_told_once(void **state)
{
	struct observed it;

	(void)state;
	write_file("cert.pem", "1");
	observe(&it, &quick, "cert.pem");
	for (int i = 0; i < 50; i++)
		change_both();
	assert_seen(&it);
	file_watch_free(&it.watch);
}

static void
on_write_again(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	write_file("cert.pem", "2");
}

static void
who_never_stops_writing_is_told_of_all_the_same(void **state)
{
	static const struct file_watch_times times = {
		.quiet_ms = 3600 * 1000, .at_most_ms = 100};
	const struct timeval often = {.tv_usec = 5000};
	struct event *writer =
		event_new(base, -1, EV_PERSIST, on_write_again, NULL);
	struct observed it;

	(void)state;
	write_file("cert.pem", "1");
	observe(&it, &times, "cert.pem");
	assert_int_equal(event_add(writer, &often), 0);
	assert_seen(&it);
	assert_seen(&it);
	event_free(writer);
	file_watch_free(&it.watch);
}

static long
queue_limit(void)
{
	FILE *in = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
	long limit = 0;

	if (in == NULL)
		return 0;
	if (fscanf(in, "%ld", &limit) != 1)
		limit = 0;
	(void)fclose(in);
	return limit;
}

static void
more_events_than_the_kernel_keeps_are_told(void **state)
{
	long limit = queue_limit();
	struct observed it;

	(void)state;
	if (limit <= 0 || limit > 200000) {
		print_message("the kernel keeps %ld events\n", limit);
		skip();
	}
	write_file("cert.pem", "1");
	observe(&it, &quick, "cert.pem");
	/* Of a file that is none of its business. */
	for (long i = 0; i < limit / 2 + 10; i++) {
		int fd = open("other", O_WRONLY | O_CREAT, 0600);

		assert_true(fd >= 0);
		fd_close(&fd);
		assert_int_equal(unlink("other"), 0);
	}
	assert_seen(&it);
	write_file("cert.pem", "2");
	assert_seen(&it);
	file_watch_free(&it.watch);
}

static void
without_inotify_nothing_is_told_and_nothing_breaks(void **state)
{
	char name[] = "cert.pem";
	char *items[] = {name};
	const struct text_list paths = {.items = items, .n = 1};
	struct observed it = {.base = base};
	struct rlimit before, none;
	int next = dup(0);

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)next;
	fd_close(&next);
	it.watch = file_watch_new(base, &quick, on_quiet, &it);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	file_watch_set(it.watch, &paths);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	file_watch_set(it.watch, NULL);
	file_watch_set(it.watch, &paths);
	assert_int_equal(event_base_loop(base, EVLOOP_NONBLOCK), 1);
	assert_int_equal(it.calls, 0);
	file_watch_free(&it.watch);
}

/* ---- with rights of our own ---- */

#define EXIT_NO_WAY_IN 77
#define NOBODY         65534

static bool
put(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	return out != NULL && fputs(text, out) >= 0 && fclose(out) == 0;
}

/* Root there is who we are here: without that nobody may make a file. */
static bool
enter_namespace(void)
{
	char *users = xasprintf("0 %u 1", (unsigned)geteuid());
	char *groups = xasprintf("0 %u 1", (unsigned)getegid());
	bool result = unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
		      put("/proc/self/setgroups", "deny") &&
		      put("/proc/self/uid_map", users) &&
		      put("/proc/self/gid_map", groups);

	free(users);
	free(groups);
	return result;
}

/* Root may list every directory. */
static bool
become_nobody(void)
{
	return geteuid() != 0 ||
	       (chown(".", NOBODY, NOBODY) == 0 &&
		       setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
		       setresuid(NOBODY, NOBODY, NOBODY) == 0);
}

/*
 * Runs BODY in a child after ENTER. No assertion there: a child of this
 * program must not go on with its tests.
 */
static void
assert_in_child(bool (*enter)(void), bool (*body)(void))
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		if (!enter())
			_exit(EXIT_NO_WAY_IN);
		base = event_base_new();
		_exit(base != NULL && body() ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == EXIT_NO_WAY_IN) {
		print_message("no user namespaces here, or no nobody\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), EXIT_SUCCESS);
}

/* Past the first call. */
static bool
begin(struct observed *it, char **items, size_t n)
{
	const struct text_list paths = {.items = items, .n = n};

	*it = (struct observed){.base = base};
	it->watch = file_watch_new(base, &quick, on_quiet, it);
	file_watch_set(it->watch, &paths);
	return is_called(it);
}

static bool
unmount(void)
{
	char path[] = "mnt/cert.pem";
	char *items[] = {path};
	struct observed it;

	if (mkdir("mnt", 0700) < 0 ||
		mount("none", "mnt", "tmpfs", 0, NULL) < 0 || !put(path, "1"))
		return false;
	return begin(&it, items, 1) && put(path, "2") && is_called(&it) &&
	       umount("mnt") == 0 && is_called(&it) && put(path, "3") &&
	       is_called(&it);
}

static void
what_is_unmounted_is_seen(void **state)
{
	(void)state;
	assert_in_child(enter_namespace, unmount);
}

static unsigned
count_lines(FILE *in, const char *wanted)
{
	char line[1024];
	unsigned n = 0;

	rewind(in);
	while (fgets(line, sizeof line, in) != NULL)
		n += strstr(line, wanted) != NULL;
	return n;
}

/* The directories above are shared, so that two files of ten get a watch. */
static bool
reach_the_limit(void)
{
	FILE *limit = fopen("/proc/sys/user/max_inotify_watches", "w");
	FILE *log = tmpfile();
	char *items[10];
	struct observed it;
	bool result;

	if (limit == NULL || fputs("5", limit) < 0 || fclose(limit) != 0 ||
		log == NULL || dup2(fileno(log), STDERR_FILENO) < 0)
		return false;
	for (size_t i = 0; i < 10; i++) {
		items[i] = xasprintf("%s/%zu.pem", ".", i);
		if (!put(items[i], "1"))
			return false;
	}
	result = begin(&it, items, 10) && put(items[0], "2") &&
		 is_called(&it) && rename(items[1], items[9]) == 0 &&
		 is_called(&it);
	for (size_t i = 0; i < 10; i++)
		free(items[i]);
	return result && count_lines(log, "warn") == 1 &&
	       count_lines(log, "not all files are watched for changes") == 1;
}

static void
at_the_limit_of_watches_the_rest_goes_on(void **state)
{
	(void)state;
	assert_in_child(enter_namespace, reach_the_limit);
}

/* The kernel gives no watch on such a directory, but on a file in it. */
static bool
use_closed_directory(void)
{
	char path[] = "closed/cert.pem";
	char *items[] = {path};
	struct observed it;
	bool result;

	if (mkdir("closed", 0700) < 0 || !put(path, "1") ||
		chmod("closed", 0300) < 0)
		return false;
	result = begin(&it, items, 1) && put("closed/new", "2") &&
		 rename("closed/new", path) == 0 && is_called(&it) &&
		 put(path, "3") && is_called(&it) && unlink(path) == 0 &&
		 is_called(&it);
	return chmod("closed", 0700) == 0 && result;
}

static void
a_directory_that_we_may_not_list_is_no_obstacle(void **state)
{
	(void)state;
	assert_in_child(become_nobody, use_closed_directory);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_call_needs_no_event),
		TEST(a_rewrite_in_place_is_seen),
		TEST(a_rename_over_is_seen_every_time),
		TEST(deleting_and_making_anew_are_seen),
		TEST(a_swapped_data_link_is_seen),
		TEST(a_link_that_leads_to_another_file_is_seen),
		TEST(a_directory_made_anew_is_seen),
		TEST(all_of_a_directory_counts_if_it_is_the_path),
		TEST(other_files_and_readers_are_ignored),
		TEST(only_the_paths_of_the_last_set_count),
		TEST(many_events_at_once_are_told_once),
		TEST(who_never_stops_writing_is_told_of_all_the_same),
		TEST(more_events_than_the_kernel_keeps_are_told),
		TEST(what_is_unmounted_is_seen),
		TEST(at_the_limit_of_watches_the_rest_goes_on),
		TEST(a_directory_that_we_may_not_list_is_no_obstacle),
		TEST(without_inotify_nothing_is_told_and_nothing_breaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
