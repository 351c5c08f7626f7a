#include "config.h"

#include "base/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/systemd.h"

/*
 * A wall never comes down again, so every test puts it up in a child. cmocka
 * cannot fail there: bodies return 0, or 1 after they said what was wrong, or
 * NOT_HERE when this kernel or build has no such wall.
 */
#define NOT_HERE 77

#define NEED(condition)                                                        \
	do {                                                                   \
		if (!(condition)) {                                            \
			(void)dprintf(STDERR_FILENO, "%d: %s (errno %d)\n",    \
				__LINE__, #condition, errno);                  \
			return 1;                                              \
		}                                                              \
	} while (0)

static int
status_of(int (*body)(void))
{
	int status = -1;
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)signal(SIGABRT, SIG_DFL); /* cmocka catches it */
		_exit(body());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
run(int (*body)(void))
{
	const int status = status_of(body);

	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NOT_HERE)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Confines; do the walls NAMED stand then? ("" is any of them.) */
static bool
confined_by(enum sandbox_role role, const char *named)
{
	const char *lacking = "";
	struct error err;

	if (sandbox_confine(role, &lacking, &err) < 0) {
		(void)dprintf(STDERR_FILENO, "%s\n", err.text);
		abort();
	}
	if (lacking == NULL)
		return true;
	return named[0] == '\0' ? strcmp(lacking, "landlock and seccomp") != 0
				: strstr(lacking, named) == NULL;
}

/* A listening socket on a loopback port of the kernel's choice. */
static int
listener(struct sockaddr_in *sin)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof *sin;

	*sin = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (bind(fd, (const struct sockaddr *)sin, len) < 0 ||
		listen(fd, 8) < 0 ||
		getsockname(fd, (struct sockaddr *)sin, &len) < 0)
		return -1;
	return fd;
}

static int
open_files_as_worker(void)
{
	char *const argv[] = {NULL};
	const int etc = open("/etc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	NEED(etc >= 0);
	if (!confined_by(SANDBOX_WORKER, ""))
		return NOT_HERE;
	NEED(open("/etc/passwd", O_RDONLY | O_CLOEXEC) == -1);
	NEED(errno == EPERM || errno == EACCES);
	NEED(openat(etc, "passwd", O_RDONLY | O_CLOEXEC) == -1);
	NEED(open("/proc/self/maps", O_RDONLY | O_CLOEXEC) == -1);
	NEED(opendir("/") == NULL);
	NEED(open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) == -1);
	NEED(execve("/bin/sh", argv, argv) == -1);
	NEED(errno == EPERM || errno == EACCES);
	return 0;
}

static int
reach_out_as_worker(void)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in sin = {.sin_family = AF_INET};
	struct rlimit limit;

	if (!confined_by(SANDBOX_WORKER, "seccomp"))
		return NOT_HERE;
	NEED(fork() == -1 && errno == EPERM);
	NEED(kill(getppid(), 0) == -1 && errno == EPERM);
	NEED(bind(fd, (const struct sockaddr *)&sin, sizeof sin) == -1);
	NEED(errno == EPERM);
	NEED(listen(fd, 1) == -1 && errno == EPERM);
	NEED(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	NEED(setrlimit(RLIMIT_NOFILE, &limit) == -1 && errno == EPERM);
	NEED(ioctl(STDIN_FILENO, TIOCSTI, "x") == -1 && errno == EPERM);
	NEED(mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	NEED(errno == EPERM);
	NEED(setuid(0) == -1 && errno == EPERM);
	return 0;
}

static int
relay_as_worker(void)
{
	struct sockaddr_in sin;
	const int listening = listener(&sin);
	int client, server, queued = 0;
	char byte = 0;

	NEED(listening >= 0);
	(void)confined_by(SANDBOX_WORKER, "");
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	NEED(client >= 0);
	NEED(connect(client, (const struct sockaddr *)&sin, sizeof sin) == 0);
	server = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	NEED(server >= 0);
	NEED(fd_set_nonblocking(server, true) == 0);
	NEED(send(client, "x", 1, MSG_NOSIGNAL) == 1);
	NEED(ioctl(client, FIONREAD, &queued) == 0);
	NEED(fd_set_nonblocking(server, false) == 0);
	NEED(recv(server, &byte, 1, 0) == 1 && byte == 'x');
	NEED(shutdown(server, SHUT_WR) == 0);
	NEED(recv(client, &byte, 1, 0) == 0);
	NEED(close(server) == 0);
	return 0;
}

static int
wait_as_worker(void)
{
	const struct itimerspec soon = {.it_value.tv_nsec = 1};
	struct epoll_event event = {.events = EPOLLIN};
	int epoll, timer;

	(void)confined_by(SANDBOX_WORKER, "");
	epoll = epoll_create1(EPOLL_CLOEXEC);
	NEED(epoll >= 0);
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	NEED(timer >= 0);
	NEED(epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event) == 0);
	NEED(timerfd_settime(timer, 0, &soon, NULL) == 0);
	NEED(epoll_wait(epoll, &event, 1, 10000) == 1);
	return 0;
}

static int
use_memory_as_worker(void)
{
	const size_t large = 64 << 20;
	char *bytes;
	int fd;

	(void)confined_by(SANDBOX_WORKER, "");
	bytes = malloc(large);
	NEED(bytes != NULL);
	bytes[large - 1] = 1;
	bytes = realloc(bytes, 2 * large);
	NEED(bytes != NULL && bytes[large - 1] == 1);
	free(bytes);
	(void)malloc_trim(0);
	fd = fd_sealed_memfd("test", "x", 1, NULL);
	NEED(fd >= 0);
	return 0;
}

static int
log_as_worker(void)
{
	char message[] = "MESSAGE=sallyport unit test", got[200] = "";
	const struct iovec field = {message, sizeof message - 1};
	int fds[2];

	NEED(pipe(fds) == 0);
	(void)confined_by(SANDBOX_WORKER, "");
	NEED(dup2(fds[1], STDERR_FILENO) == STDERR_FILENO);
	log_open("worker", LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	log_msg(LOG_LEVEL_INFO, "confined");
	if (read(fds[0], got, sizeof got - 1) <= 0 ||
		strstr(got, "] confined\n") == NULL)
		return 2;
	/* A journal that is not there counts as sent. */
	if (systemd_available() && systemd_journal_send(&field, 1) < 0)
		return 3;
	return 0;
}

static int
abort_as_worker(void)
{
	sandbox_no_core();
	(void)confined_by(SANDBOX_WORKER, "");
	abort();
}

static int
read_files_as_resolver(void)
{
	char path[] = "/tmp/sallyport-test-XXXXXX";
	struct addrinfo *found = NULL;
	int fd, result, failed;
	char byte;

	if (!confined_by(SANDBOX_RESOLVER, ""))
		return NOT_HERE;
	fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	NEED(fd >= 0);
	NEED(read(fd, &byte, 1) == 1);
	failed = mkstemp(path);
	if (failed >= 0)
		(void)unlink(path);
	NEED(failed == -1);
	NEED(open("/dev/null", O_WRONLY | O_CLOEXEC) == -1);
	NEED(open("/dev/null", O_RDWR | O_CLOEXEC) == -1);
	/* Whatever it finds, nothing of ours stopped it. */
	result = getaddrinfo("localhost", "80", NULL, &found);
	NEED(result != EAI_SYSTEM && result != EAI_MEMORY);
	if (result == 0)
		freeaddrinfo(found);
	return 0;
}

static int
reach_out_as_resolver(void)
{
	char *const argv[] = {NULL};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!confined_by(SANDBOX_RESOLVER, "seccomp"))
		return NOT_HERE;
	NEED(fork() == -1 && errno == EPERM);
	NEED(execve("/bin/sh", argv, argv) == -1);
	NEED(listen(fd, 1) == -1 && errno == EPERM);
	return 0;
}

static int
look_at_privileges(void)
{
	char status[4096] = "";
	const int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

	(void)confined_by(SANDBOX_WORKER, "");
	NEED(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	NEED(read(fd, status, sizeof status - 1) > 0);
	NEED(strstr(status, "\nCapPrm:\t0000000000000000\n") != NULL);
	NEED(strstr(status, "\nCapEff:\t0000000000000000\n") != NULL);
	NEED(strstr(status, "\nCapAmb:\t0000000000000000\n") != NULL);
	return 0;
}

/* AddressSanitizer, which keeps us dumpable, lacks both walls, too. */
static bool
no_core_holds(void)
{
	struct rlimit limit = {1, 1};
	int signal_number = 0;

	return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 &&
	       limit.rlim_max == 0 &&
	       prctl(PR_GET_PDEATHSIG, &signal_number) == 0 &&
	       signal_number == SIGKILL &&
	       (prctl(PR_GET_DUMPABLE) == 0 ||
		       !confined_by(SANDBOX_WORKER, ""));
}

static int
give_up_cores(void)
{
	sandbox_no_core();
	sandbox_die_with_parent();
	NEED(no_core_holds());
	return 0;
}

static int
give_up_root(void)
{
	struct error err;

	if (geteuid() != 0)
		return NOT_HERE;
	sandbox_no_core();
	sandbox_die_with_parent();
	NEED(sandbox_drop_user(NULL, NULL, &err) == 0);
	NEED(getuid() != 0 && geteuid() != 0 && getgid() != 0);
	NEED(setuid(0) == -1);
	NEED(sandbox_drop_user("root", NULL, &err) == 0); /* does nothing */
	NEED(geteuid() != 0);
	NEED(no_core_holds());
	return 0;
}

static int
give_up_root_for_a_group(void)
{
	struct error err;

	if (geteuid() != 0)
		return NOT_HERE;
	NEED(sandbox_drop_user("nobody", "daemon", &err) == 0);
	NEED(getgid() == 1 && getegid() == 1);
	return 0;
}

static int
become_nobody_known(void)
{
	struct error err;

	if (geteuid() != 0)
		return NOT_HERE;
	NEED(sandbox_drop_user("no-such-user", NULL, &err) == -1);
	NEED(strcmp(err.text, "there is no user \"no-such-user\"") == 0);
	NEED(sandbox_drop_user("nobody", "no-such-group", &err) == -1);
	NEED(strcmp(err.text, "there is no group \"no-such-group\"") == 0);
	NEED(geteuid() == 0);
	return 0;
}

/* As a unit does that has capset(2) in no SystemCallFilter=. */
static int
refuse_capset(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_capset, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {
		.len = sizeof code / sizeof code[0], .filter = code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int
confine_without_capset_as_nobody(void)
{
	const char *lacking = NULL;
	struct error err;

	NEED(sandbox_drop_user(NULL, NULL, &err) == 0);
	NEED(refuse_capset() == 0);
	NEED(sandbox_confine(SANDBOX_WORKER, &lacking, &err) == 0);
	return 0;
}

static int
confine_without_capset_as_root(void)
{
	const char *lacking = NULL;
	struct error err;

	if (geteuid() != 0)
		return NOT_HERE;
	NEED(refuse_capset() == 0);
	NEED(sandbox_confine(SANDBOX_WORKER, &lacking, &err) == -1);
	NEED(strncmp(err.text, "capset: ", 8) == 0);
	return 0;
}

/* Inheritable first: capabilities(7) wants that of an ambient one. */
static int
gain_ambient(unsigned capability)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, sets) < 0)
		return -1;
	sets[0].inheritable |= 1U << capability;
	if (syscall(SYS_capset, &head, sets) < 0)
		return -1;
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
}

static int
give_up_ambient(void)
{
	const unsigned kill_any = 5; /* CAP_KILL, which any root has */

	if (geteuid() != 0)
		return NOT_HERE;
	NEED(gain_ambient(kill_any) == 0);
	NEED(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, kill_any, 0, 0) == 1);
	sandbox_drop_ambient();
	NEED(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, kill_any, 0, 0) == 0);
	return 0;
}

static void
capset_is_not_needed_by_who_has_nothing(void **state)
{
	(void)state;
	run(confine_without_capset_as_nobody);
}

static void
capabilities_that_cannot_be_dropped_are_an_error(void **state)
{
	(void)state;
	run(confine_without_capset_as_root);
}

static void
ambient_capabilities_are_dropped(void **state)
{
	(void)state;
	run(give_up_ambient);
}

static void
a_worker_has_no_files_and_executes_nothing(void **state)
{
	(void)state;
	run(open_files_as_worker);
}

static void
a_worker_cannot_fork_listen_signal_or_load_code(void **state)
{
	(void)state;
	run(reach_out_as_worker);
}

static void
a_worker_can_relay(void **state)
{
	(void)state;
	run(relay_as_worker);
}

static void
a_worker_can_wait_for_events(void **state)
{
	(void)state;
	run(wait_as_worker);
}

static void
a_worker_can_use_memory(void **state)
{
	(void)state;
	run(use_memory_as_worker);
}

static void
a_worker_can_log(void **state)
{
	(void)state;
	run(log_as_worker);
}

static void
abort_still_kills_a_worker(void **state)
{
	const int status = status_of(abort_as_worker);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_false(WCOREDUMP(status));
}

static void
a_resolver_reads_and_writes_nothing(void **state)
{
	(void)state;
	run(read_files_as_resolver);
}

static void
a_resolver_cannot_fork_execute_or_listen(void **state)
{
	(void)state;
	run(reach_out_as_resolver);
}

static void
no_privilege_is_left_or_can_be_gained(void **state)
{
	(void)state;
	run(look_at_privileges);
}

static void
there_is_no_core_and_no_life_after_the_parent(void **state)
{
	(void)state;
	run(give_up_cores);
}

static void
root_becomes_nobody_for_good(void **state)
{
	(void)state;
	run(give_up_root);
}

static void
a_group_may_be_chosen(void **state)
{
	(void)state;
	run(give_up_root_for_a_group);
}

static void
unknown_users_and_groups_are_named(void **state)
{
	(void)state;
	run(become_nobody_known);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_has_no_files_and_executes_nothing),
		cmocka_unit_test(
			a_worker_cannot_fork_listen_signal_or_load_code),
		cmocka_unit_test(a_worker_can_relay),
		cmocka_unit_test(a_worker_can_wait_for_events),
		cmocka_unit_test(a_worker_can_use_memory),
		cmocka_unit_test(a_worker_can_log),
		cmocka_unit_test(abort_still_kills_a_worker),
		cmocka_unit_test(a_resolver_reads_and_writes_nothing),
		cmocka_unit_test(a_resolver_cannot_fork_execute_or_listen),
		cmocka_unit_test(no_privilege_is_left_or_can_be_gained),
		cmocka_unit_test(there_is_no_core_and_no_life_after_the_parent),
		cmocka_unit_test(root_becomes_nobody_for_good),
		cmocka_unit_test(a_group_may_be_chosen),
		cmocka_unit_test(unknown_users_and_groups_are_named),
		cmocka_unit_test(capset_is_not_needed_by_who_has_nothing),
		cmocka_unit_test(
			capabilities_that_cannot_be_dropped_are_an_error),
		cmocka_unit_test(ambient_capabilities_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
