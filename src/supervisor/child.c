/* One child process of the supervisor. */
#define _GNU_SOURCE
#include "supervisor/child.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/sandbox.h"

/* Descriptors of a child, by number: 0-2, then these. */
enum {
	CHILD_CHANNEL_FD = 3,
	CHILD_STATS_FD = 4,
	CHILD_SESSIONS_FD = 5,
	CHILD_FIRST_FREE_FD = 6
};

/* Who goes where: HERE has been moved out of the way of these numbers. */
struct handed_down {
	int here; /* -1: nothing */
	int there;
};

/* From hanging up to the end of the process, in seconds. */
#define GRACE_S 1

struct child {
	LIST_ENTRY(child) entry;
	pid_t pid;
	struct channel *channel;
	struct event *grace; /* between the end of the channel and SIGKILL */
	uint64_t started_ms;
	struct child_callbacks callbacks;
	void *arg;
};

static LIST_HEAD(, child) children = LIST_HEAD_INITIALIZER(children);

/* What a child may know of our environment: nothing of the service manager's
 * sockets and credentials. */
static const char *const passed_on[] = {"PATH", "LANG", "LC_ALL",
	"JOURNAL_STREAM", "OPENSSL_CONF", "ASAN_OPTIONS", "UBSAN_OPTIONS",
	"LSAN_OPTIONS", NULL};

/*
 * glibc's malloc keeps freed blocks of up to 1 KiB for itself, seven of each
 * size, merged with nothing: a fifth of a worker's heap, which grows for
 * hundreds of reloads until all sizes have been seen, and pins pages of
 * generations that are gone. Small blocks alone bring the speed (callgrind:
 * 0.1 % more instructions for a handshake, none for relaying).
 *
 * Its fastbins are merged all at once, now and then, by some free(): 20 to 50
 * ms for which a worker stands still when ten thousand server names go. Without
 * them each free() does its own share (0.1 % more for a handshake, 0.3 % for a
 * round trip).
 */
#define MALLOC_TUNING                                                          \
	"GLIBC_TUNABLES=glibc.malloc.tcache_max=256:glibc.malloc.mxfast=0"

static char **
environment(void)
{
	/* One more, and the NULL at the end is counted already. */
	size_t max = sizeof passed_on / sizeof passed_on[0] + 1, n = 0, i;
	char **env = xcalloc(max, sizeof *env);
	const char *value;

	for (i = 0; passed_on[i] != NULL; i++) {
		value = getenv(passed_on[i]);
		if (value != NULL)
			env[n++] = xasprintf("%s=%s", passed_on[i], value);
	}
	env[n] = xstrdup(MALLOC_TUNING);
	return env;
}

/*
 * The image that this process was started from, even when the file has been
 * replaced since: a worker must speak the supervisor's messages.
 */
static int
own_image(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	return fd;
}

/* Between fork and exec. Puts the descriptors where the child looks for them
 * (dup2() leaves them open), and lets it have no others, nor a capability. */
static void
become(int image, char **argv, char **env, const struct handed_down *down,
	size_t n)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	sandbox_drop_ambient();
	fd_cloexec_from(CHILD_CHANNEL_FD);
	for (size_t i = 0; i < n; i++)
		if (down[i].here >= 0 && dup2(down[i].here, down[i].there) < 0)
			_exit(127);
	(void)fexecve(image, argv, env);
	_exit(127);
}

/* A duplicate above the numbers that children use; the caller closes it. */
static int
moved_up(int fd)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 16);
}

static pid_t
spawn(struct child_args *args, int channel_fd, struct error *err)
{
	char **argv, **env, **each;
	int image = own_image();
	struct handed_down down[] = {
		{moved_up(channel_fd), CHILD_CHANNEL_FD},
		{moved_up(args->stats_fd), CHILD_STATS_FD},
		{moved_up(args->sessions_fd), CHILD_SESSIONS_FD},
	};
	size_t n = sizeof down / sizeof down[0];
	pid_t pid = -1;

	args->channel_fd = CHILD_CHANNEL_FD;
	if (args->stats_fd >= 0)
		args->stats_fd = CHILD_STATS_FD;
	if (args->sessions_fd >= 0)
		args->sessions_fd = CHILD_SESSIONS_FD;
	argv = child_args_format(args);
	env = environment();
	if (image >= 0 && down[0].here >= 0)
		pid = fork();
	if (pid == 0)
		become(image, argv, env, down, n);
	if (pid < 0)
		(void)error_set_errno(err, errno, "cannot start a %s",
			child_role_name(args->role));
	for (each = env; *each != NULL; each++)
		free(*each);
	free(env);
	child_args_free(&argv);
	for (size_t i = 0; i < n; i++)
		fd_close(&down[i].here);
	return pid;
}

static void
on_grace_over(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	child_kill(arg, SIGKILL);
}

/* The channel ended: the process is about to, SIGCHLD tells. One that merely
 * hung up, or spoke gibberish, is of no use. */
static void
on_channel_closed(void *arg)
{
	struct child *child = arg;
	struct timeval tv = {.tv_sec = GRACE_S};

	channel_free(&child->channel);
	(void)evtimer_add(child->grace, &tv);
}

static void
on_message(struct message *m, void *arg)
{
	struct child *child = arg;

	child->callbacks.on_message(m, child->arg);
}

static void
add(struct child *child, struct event_base *base,
	const struct child_callbacks *callbacks, void *arg)
{
	child->callbacks = *callbacks;
	child->arg = arg;
	child->started_ms = clock_monotonic_ms();
	child->grace = evtimer_new(base, on_grace_over, child);
	LIST_INSERT_HEAD(&children, child, entry);
}

struct child *
child_start(struct event_base *base, struct child_args *args,
	const struct child_callbacks *callbacks, void *arg, struct error *err)
{
	struct child *child = xcalloc(1, sizeof *child);
	int fds[2] = {-1, -1};

	if (channel_pair(fds, err) < 0)
		goto fail;
	child->pid = spawn(args, fds[1], err);
	fd_close(&fds[1]);
	if (child->pid < 0)
		goto fail;
	add(child, base, callbacks, arg);
	child->channel = channel_new(
		base, fds[0], on_message, on_channel_closed, child, err);
	if (child->channel == NULL)
		child_kill(child, SIGKILL);
	return child;

fail:
	fd_close(&fds[0]);
	free(child);
	return NULL;
}

struct child *
child_adopt(struct event_base *base, pid_t pid, int channel_fd,
	const struct child_callbacks *callbacks, void *arg, struct error *err)
{
	struct child *child = xcalloc(1, sizeof *child);

	child->pid = pid;
	add(child, base, callbacks, arg);
	child->channel = channel_new(
		base, channel_fd, on_message, on_channel_closed, child, err);
	if (child->channel == NULL)
		child_kill(child, SIGKILL);
	return child;
}

int
child_channel_fd(const struct child *child)
{
	return child->channel == NULL || !channel_is_flushed(child->channel)
		       ? -1
		       : channel_fd(child->channel);
}

pid_t
child_pid(const struct child *child)
{
	return child->pid;
}

uint64_t
child_started_ms(const struct child *child)
{
	return child->started_ms;
}

void
child_send(struct child *child, const struct message *m)
{
	if (child->channel != NULL)
		(void)channel_send(child->channel, m);
}

void
child_kill(struct child *child, int signal)
{
	(void)kill(child->pid, signal);
}

static void
bury(pid_t pid, int status)
{
	struct child *child;

	LIST_FOREACH (child, &children, entry)
		if (child->pid == pid)
			break;
	if (child == NULL)
		return; /* not one of ours: handed down by a service manager */
	LIST_REMOVE(child, entry);
	channel_free(&child->channel);
	event_free(child->grace);
	child->callbacks.on_exit(child, status, child->arg);
	free(child);
}

void
child_reap_all(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		bury(pid, status);
}

unsigned
child_count(void)
{
	const struct child *child;
	unsigned n = 0;

	LIST_FOREACH (child, &children, entry)
		n++;
	return n;
}

void
child_kill_all(void)
{
	struct child *child;

	LIST_FOREACH (child, &children, entry)
		child_kill(child, SIGKILL);
}
