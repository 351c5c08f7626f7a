#include "config.h"

#include "supervisor/child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include <cmocka.h>

#include "base/clock.h"
#include "ipc/message.h"
#include "sockets.h"

/* A child is this very program: what it does is the "user" of its arguments.
 */
#define ECHOES   "echoes"   /* sends back what it gets */
#define LOOKS    "looks"    /* ends with what it should not have */
#define HANGS    "hangs"    /* does nothing for ever */
#define HANGS_UP "hangs-up" /* closes its channel, and then nothing */

struct fixture {
	struct event_base *base;
	struct event *on_sigchld, *tick;
	int n_messages, n_exits;
	uint64_t number; /* of the last message */
	int status;
	pid_t pid;
};

/* ---- in the child ---- */

static int
echo(int fd)
{
	uint8_t bytes[MESSAGE_WIRE_MAX];
	ssize_t n = recv(fd, bytes, sizeof bytes, 0);

	if (n <= 0)
		return 1;
	return send(fd, bytes, (size_t)n, 0) == n ? 7 : 2;
}

/* What came along that should not have. */
static int
look_around(const struct child_args *args)
{
	const char *tuning = getenv("GLIBC_TUNABLES");
	sigset_t blocked;
	int fd;

	for (fd = args->channel_fd + 1; fd < 64; fd++)
		if (fd != args->stats_fd && fd != args->sessions_fd &&
			is_open(fd))
			return 10;
	if (getenv("SALLYPORT_TEST_SECRET") != NULL ||
		getenv("NOTIFY_SOCKET") != NULL)
		return 11;
	if (args->stats_fd >= 0 && !is_open(args->stats_fd))
		return 12;
	if (args->sessions_fd >= 0 && !is_open(args->sessions_fd))
		return 15;
	if (sigprocmask(SIG_SETMASK, NULL, &blocked) < 0 ||
		sigismember(&blocked, SIGTERM) != 0)
		return 13;
	if (tuning == NULL || strcmp(tuning, "glibc.malloc.tcache_max=256:"
					     "glibc.malloc.mxfast=0"))
		return 16;
	return getenv("PATH") == NULL ? 14 : 0;
}

static int
child_body(int argc, char **argv)
{
	struct child_args args;

	if (child_args_parse(argc, argv, &args, NULL) < 0 || args.user == NULL)
		return 20;
	(void)fcntl(args.channel_fd, F_SETFL, 0);
	if (strcmp(args.user, ECHOES) == 0)
		return echo(args.channel_fd);
	if (strcmp(args.user, LOOKS) == 0)
		return look_around(&args);
	if (strcmp(args.user, HANGS_UP) == 0)
		(void)close(args.channel_fd);
	for (;;)
		(void)pause();
}

/* ---- in the test ---- */

static void
on_message(struct message *m, void *arg)
{
	struct fixture *f = arg;

	f->n_messages++;
	f->number = message_get_u64(m);
}

static void
on_exit_of(struct child *child, int status, void *arg)
{
	struct fixture *f = arg;

	f->n_exits++;
	f->status = status;
	f->pid = child_pid(child);
}

static void
on_sigchld(evutil_socket_t signal, short what, void *arg)
{
	(void)signal;
	(void)what;
	(void)arg;
	child_reap_all();
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static int
set_up(void **state)
{
	static struct fixture f;
	const struct timeval often = {.tv_usec = 10000};

	f = (struct fixture){.base = event_base_new()};
	assert_non_null(f.base);
	f.on_sigchld = evsignal_new(f.base, SIGCHLD, on_sigchld, NULL);
	f.tick = event_new(f.base, -1, EV_PERSIST, on_tick, NULL);
	assert_int_equal(event_add(f.on_sigchld, NULL), 0);
	assert_int_equal(event_add(f.tick, &often), 0);
	*state = &f;
	return 0;
}

static void
wait_until_none_is_left(struct fixture *f)
{
	uint64_t end = clock_monotonic_ms() + SOCKETS_DEADLINE_MS;

	while (child_count() > 0 && clock_monotonic_ms() < end)
		(void)event_base_loop(f->base, EVLOOP_ONCE);
	assert_int_equal(child_count(), 0);
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	child_kill_all();
	wait_until_none_is_left(f);
	event_free(f->on_sigchld);
	event_free(f->tick);
	event_base_free(f->base);
	return 0;
}

static struct child *
start_with(struct fixture *f, const char *what, int stats_fd, int sessions_fd)
{
	static const struct child_callbacks callbacks = {
		.on_message = on_message, .on_exit = on_exit_of};
	char user[16];
	struct child_args args = {.role = CHILD_WORKER,
		.stats_fd = stats_fd,
		.sessions_fd = sessions_fd,
		.user = user};
	struct child *child;

	assert_true(strlen(what) < sizeof user);
	memcpy(user, what, strlen(what) + 1);
	child = child_start(f->base, &args, &callbacks, f, NULL);
	assert_non_null(child);
	return child;
}

static struct child *
start(struct fixture *f, const char *what, int stats_fd)
{
	return start_with(f, what, stats_fd, -1);
}

static void
assert_exited(const struct fixture *f, int status)
{
	assert_int_equal(f->n_exits, 1);
	assert_true(WIFEXITED(f->status));
	assert_int_equal(WEXITSTATUS(f->status), status);
}

static void
assert_killed(const struct fixture *f, int signal)
{
	assert_int_equal(f->n_exits, 1);
	assert_true(WIFSIGNALED(f->status));
	assert_int_equal(WTERMSIG(f->status), signal);
}

static void
messages_go_there_and_back(void **state)
{
	struct fixture *f = *state;
	struct child *child = start(f, ECHOES, -1);
	pid_t pid = child_pid(child);
	struct message m;

	assert_true(pid > 0);
	assert_int_equal(child_count(), 1);
	assert_true(child_started_ms(child) <= clock_monotonic_ms());
	message_init(&m, MESSAGE_PING);
	message_put_u64(&m, 4711);
	child_send(child, &m);
	wait_until_none_is_left(f);
	assert_int_equal(f->n_messages, 1);
	assert_int_equal(f->number, 4711);
	assert_int_equal(f->pid, pid);
	assert_exited(f, 7);
}

static void
a_child_gets_nothing_that_it_must_not_have(void **state)
{
	struct fixture *f = *state;
	int secret = open("/dev/null", O_RDONLY); /* not close-on-exec */
	sigset_t blocked, old;

	assert_true(secret >= 0);
	assert_int_equal(setenv("SALLYPORT_TEST_SECRET", "x", 1), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", "/nonexistent", 1), 0);
	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGTERM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &blocked, &old), 0);
	(void)start(f, LOOKS, -1);
	wait_until_none_is_left(f);
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	(void)unsetenv("SALLYPORT_TEST_SECRET");
	(void)unsetenv("NOTIFY_SOCKET");
	assert_int_equal(close(secret), 0);
	assert_exited(f, 0);
}

static void
a_worker_gets_its_numbers(void **state)
{
	struct fixture *f = *state;
	int stats = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(stats >= 0);
	(void)start(f, LOOKS, stats);
	wait_until_none_is_left(f);
	assert_exited(f, 0);
	assert_true(is_open(stats));
	assert_int_equal(close(stats), 0);
}

static void
a_worker_gets_the_sessions_with_and_without_numbers(void **state)
{
	struct fixture *f = *state;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	(void)start_with(f, LOOKS, fd, fd);
	wait_until_none_is_left(f);
	assert_exited(f, 0);
	f->n_exits = 0;
	(void)start_with(f, LOOKS, -1, fd);
	wait_until_none_is_left(f);
	assert_exited(f, 0);
	assert_int_equal(close(fd), 0);
}

static void
a_child_can_be_killed(void **state)
{
	struct fixture *f = *state;

	child_kill(start(f, HANGS, -1), SIGTERM);
	wait_until_none_is_left(f);
	assert_killed(f, SIGTERM);
}

static void
all_can_be_killed_at_once(void **state)
{
	struct fixture *f = *state;

	(void)start(f, HANGS, -1);
	(void)start(f, HANGS, -1);
	assert_int_equal(child_count(), 2);
	child_kill_all();
	wait_until_none_is_left(f);
	assert_int_equal(f->n_exits, 2);
	assert_int_equal(WTERMSIG(f->status), SIGKILL);
}

static void
one_that_hangs_up_and_stays_is_killed(void **state)
{
	struct fixture *f = *state;

	(void)start(f, HANGS_UP, -1);
	wait_until_none_is_left(f);
	assert_killed(f, SIGKILL);
}

static void
messages_to_one_that_has_gone_are_ignored(void **state)
{
	struct fixture *f = *state;
	struct child *child = start(f, HANGS, -1);
	siginfo_t info;
	struct message m;

	child_kill(child, SIGKILL);
	/* Dead, and not reaped. */
	assert_int_equal(
		waitid(P_PID, (id_t)child_pid(child), &info, WEXITED | WNOWAIT),
		0);
	message_init(&m, MESSAGE_PING);
	message_put_u64(&m, 1);
	for (int i = 0; i < 3; i++)
		child_send(child, &m);
	wait_until_none_is_left(f);
	assert_killed(f, SIGKILL);
}

static void
processes_of_others_are_reaped_in_passing(void **state)
{
	struct fixture *f = *state;
	siginfo_t info;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	child_reap_all();
	assert_int_equal(f->n_exits, 0);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* A process that this one has started, but not through child_start(). */
static pid_t
fork_echo(int fds[2])
{
	pid_t pid;

	assert_int_equal(channel_pair(fds, NULL), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(fds[0]);
		(void)fcntl(fds[1], F_SETFL, 0);
		_exit(echo(fds[1]));
	}
	assert_int_equal(close(fds[1]), 0);
	return pid;
}

static void
one_that_another_image_has_started_is_like_our_own(void **state)
{
	static const struct child_callbacks callbacks = {
		.on_message = on_message, .on_exit = on_exit_of};
	struct fixture *f = *state;
	int fds[2];
	pid_t pid = fork_echo(fds);
	struct child *child =
		child_adopt(f->base, pid, fds[0], &callbacks, f, NULL);
	struct message m;

	assert_non_null(child);
	assert_int_equal(child_pid(child), pid);
	assert_int_equal(child_channel_fd(child), fds[0]);
	message_init(&m, MESSAGE_PING);
	message_put_u64(&m, 12);
	child_send(child, &m);
	wait_until_none_is_left(f);
	assert_int_equal(f->n_messages, 1);
	assert_int_equal(f->number, 12);
	assert_exited(f, 7);
}

static void
one_that_does_not_read_cannot_be_handed_over(void **state)
{
	struct fixture *f = *state;
	struct child *child = start(f, HANGS, -1);
	struct message m;
	unsigned i;

	message_init(&m, MESSAGE_PING);
	message_put_u64(&m, 1);
	assert_true(child_channel_fd(child) >= 0);
	for (i = 0; i < 100000 && child_channel_fd(child) >= 0; i++)
		child_send(child, &m);
	assert_int_equal(child_channel_fd(child), -1);
	child_kill(child, SIGKILL);
	wait_until_none_is_left(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_go_there_and_back),
		TEST(a_child_gets_nothing_that_it_must_not_have),
		TEST(a_worker_gets_its_numbers),
		TEST(a_worker_gets_the_sessions_with_and_without_numbers),
		TEST(a_child_can_be_killed),
		TEST(all_can_be_killed_at_once),
		TEST(one_that_hangs_up_and_stays_is_killed),
		TEST(messages_to_one_that_has_gone_are_ignored),
		TEST(one_that_another_image_has_started_is_like_our_own),
		TEST(one_that_does_not_read_cannot_be_handed_over),
		TEST(processes_of_others_are_reaped_in_passing),
	};

	if (argc > 1 && strcmp(argv[1], CHILD_ARGS_MARK) == 0)
		return child_body(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
