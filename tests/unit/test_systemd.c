#include "config.h"

#include "base/systemd.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "service_manager.h"

/* The exit status of a child that runs BODY: the environment and the
 * descriptors that systemd hands over are those of a fresh process. */
static int
in_child(int (*body)(void))
{
	int status = -1;
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(body());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define NEED(condition)                                                        \
	do {                                                                   \
		if (!(condition)) {                                            \
			(void)dprintf(STDERR_FILENO, "%d: %s\n", __LINE__,     \
				#condition);                                   \
			return 1;                                              \
		}                                                              \
	} while (0)

/* As if systemd had started this process with three sockets. */
static int
inherit(const char *pid)
{
	char self[32];

	(void)snprintf(self, sizeof self, "%d", (int)getpid());
	for (int fd = 3; fd < 6; fd++) {
		if (dup2(STDIN_FILENO, fd) != fd)
			return -1;
	}
	return setenv("LISTEN_PID", pid == NULL ? self : pid, 1) |
	       setenv("LISTEN_FDS", "3", 1) |
	       setenv("LISTEN_FDNAMES", "web:db:web", 1);
}

static int
find_by_name(void)
{
	int fds[4] = {-1, -1, -1, -1};

	NEED(inherit(NULL) == 0);
	NEED(systemd_listen_fds("web", fds, 4) == 2);
	NEED(fds[0] == 3 && fds[1] == 5 && fds[2] == -1);
	NEED(systemd_listen_fds("db", fds, 4) == 1);
	NEED(fds[0] == 4);
	NEED(systemd_listen_fds("web", fds, 4) == 2); /* again */
	NEED(systemd_listen_fds("ftp", fds, 4) == 0);
	NEED(systemd_listen_fds("we", fds, 4) == 0);
	return 0;
}

static int
find_at_most_one(void)
{
	int fds[2] = {-1, -1};

	NEED(inherit(NULL) == 0);
	NEED(systemd_listen_fds("web", fds, 1) == 1);
	NEED(fds[0] == 3 && fds[1] == -1);
	NEED(systemd_listen_fds("web", fds, 0) == 0);
	return 0;
}

static int
find_and_inspect(void)
{
	int fd;

	NEED(inherit(NULL) == 0);
	NEED(systemd_listen_fds("db", &fd, 1) == 1);
	NEED(fcntl(3, F_GETFD) == FD_CLOEXEC);
	NEED(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	NEED(getenv("LISTEN_FDS") == NULL);
	return 0;
}

static int
find_what_is_another_process(void)
{
	int fd;

	NEED(inherit("1") == 0);
	NEED(systemd_listen_fds("web", &fd, 1) == 0);
	return 0;
}

static int
find_in_a_broken_environment(void)
{
	int fd;

	NEED(inherit(NULL) == 0);
	NEED(setenv("LISTEN_FDS", "many", 1) == 0);
	NEED(systemd_listen_fds("web", &fd, 1) == 0);
	return 0;
}

static int
find_without_systemd(void)
{
	int fd;

	NEED(unsetenv("LISTEN_PID") == 0);
	NEED(systemd_listen_fds("web", &fd, 1) == 0);
	return 0;
}

static void
inherited_sockets_are_found_by_name(void **state)
{
	(void)state;
	if (!systemd_available())
		skip();
	assert_int_equal(in_child(find_by_name), 0);
}

static void
no_more_than_wanted_are_returned(void **state)
{
	(void)state;
	if (!systemd_available())
		skip();
	assert_int_equal(in_child(find_at_most_one), 0);
}

static void
inherited_sockets_are_closed_on_exec_and_not_passed_on(void **state)
{
	(void)state;
	if (!systemd_available())
		skip();
	assert_int_equal(in_child(find_and_inspect), 0);
}

static void
sockets_of_another_process_are_not_ours(void **state)
{
	(void)state;
	assert_int_equal(in_child(find_what_is_another_process), 0);
}

static void
a_broken_environment_has_no_sockets(void **state)
{
	(void)state;
	assert_int_equal(in_child(find_in_a_broken_environment), 0);
}

static void
without_a_service_manager_there_are_no_sockets(void **state)
{
	(void)state;
	assert_int_equal(in_child(find_without_systemd), 0);
}

static void
a_state_reaches_the_service_manager(void **state)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	socklen_t len = sizeof sun;
	char path[sizeof sun.sun_path + 1] = "", got[64] = "";
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	if (!systemd_available()) {
		(void)close(fd);
		skip();
	}
	/* The kernel chooses an abstract name. */
	assert_int_equal(
		bind(fd, (const struct sockaddr *)&sun, sizeof sun.sun_family),
		0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sun, &len), 0);
	memcpy(path, sun.sun_path,
		len - offsetof(struct sockaddr_un, sun_path));
	path[0] = '@';
	assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
	systemd_notify("READY=1\nSTATUS=here");
	assert_int_equal(recv(fd, got, sizeof got - 1, MSG_DONTWAIT), 19);
	assert_string_equal(got, "READY=1\nSTATUS=here");
	(void)close(fd);
	systemd_notify("READY=1"); /* nobody there: no trouble */
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	systemd_notify("READY=1");
}

/* ---- the store ---- */

static int
take_by_prefix(void)
{
	char name[SYSTEMD_NAME_MAX + 1];
	int fds[4];

	NEED(inherit(NULL) == 0);
	NEED(systemd_take_stored("we", name) == 3);
	NEED(strcmp(name, "web") == 0);
	NEED(systemd_listen_fds("web", fds, 4) == 1 && fds[0] == 5);
	NEED(systemd_take_stored("x", name) == -1);
	NEED(systemd_take_stored("", name) == 4);
	NEED(strcmp(name, "db") == 0);
	NEED(systemd_take_stored("web", name) == 5);
	NEED(systemd_take_stored("", name) == -1);
	return 0;
}

static void
what_was_taken_is_not_found_again(void **state)
{
	(void)state;
	if (!systemd_available())
		skip();
	assert_int_equal(in_child(take_by_prefix), 0);
}

static int
inherit_again(void)
{
	int fds[4], fd = -1;

	NEED(inherit(NULL) == 0);
	systemd_inherit("late", 77);
	NEED(strcmp(systemd_inherited(0, &fd), "late") == 0 && fd == 77);
	NEED(strcmp(systemd_inherited(1, &fd), "web") == 0 && fd == 3);
	NEED(systemd_inherited(4, &fd) == NULL);
	NEED(systemd_listen_fds("late", fds, 4) == 1 && fds[0] == 77);
	return 0;
}

static void
another_image_of_the_process_is_told_of_all(void **state)
{
	(void)state;
	if (!systemd_available())
		skip();
	assert_int_equal(in_child(inherit_again), 0);
}

static void
what_is_stored_comes_with_its_name(void **state)
{
	struct manager *manager = *state;
	int fd;

	if (!systemd_available())
		skip();
	systemd_store("x", STDIN_FILENO);
	fd = manager_expect_fd(manager, "FDSTORE=1\nFDPOLL=0\nFDNAME=x");
	(void)close(fd);
	systemd_unstore("x");
	manager_expect(manager, "FDSTOREREMOVE=1\nFDNAME=x");
	systemd_wait_done(10000); /* the manager answers at once */
}

static void
a_manager_may_say_that_it_stores_nothing(void **state)
{
	(void)state;
	assert_int_equal(systemd_has_store(), systemd_available());
	assert_int_equal(setenv("FDSTORE", "7", 1), 0);
	assert_int_equal(systemd_has_store(), systemd_available());
	assert_int_equal(setenv("FDSTORE", "0", 1), 0);
	assert_false(systemd_has_store());
}

static void
without_a_manager_nothing_is_stored(void **state)
{
	char name[SYSTEMD_NAME_MAX + 1];

	(void)state;
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	assert_false(systemd_has_store());
	systemd_store("x", STDIN_FILENO);
	systemd_unstore("x");
	systemd_wait_done(10000);
	assert_int_equal(systemd_take_stored("", name), -1);
}

static void
the_watchdog_has_an_interval_if_there_is_one(void **state)
{
	char self[32];

	(void)state;
	if (!systemd_available())
		skip();
	(void)snprintf(self, sizeof self, "%d", (int)getpid());
	assert_int_equal(systemd_watchdog_us(), 0);
	assert_int_equal(setenv("WATCHDOG_USEC", "2000000", 1), 0);
	assert_int_equal(setenv("WATCHDOG_PID", self, 1), 0);
	assert_int_equal(systemd_watchdog_us(), 2000000);
	assert_int_equal(setenv("WATCHDOG_PID", "1", 1), 0);
	assert_int_equal(systemd_watchdog_us(), 0);
	assert_int_equal(unsetenv("WATCHDOG_PID"), 0);
	assert_int_equal(setenv("WATCHDOG_USEC", "soon", 1), 0);
	assert_int_equal(systemd_watchdog_us(), 0);
	assert_int_equal(unsetenv("WATCHDOG_USEC"), 0);
}

static void
stderr_is_the_journal_when_device_and_inode_say_so(void **state)
{
	char stream[64];
	struct stat st;

	(void)state;
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
	assert_false(systemd_stderr_is_journal());
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	(void)snprintf(stream, sizeof stream, "%" PRIuMAX ":%" PRIuMAX,
		(uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
	assert_int_equal(systemd_stderr_is_journal(), systemd_available());
	assert_int_equal(setenv("JOURNAL_STREAM", "1:2:3", 1), 0);
	assert_false(systemd_stderr_is_journal());
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
}

static void
without_the_library_the_journal_is_not_there(void **state)
{
	char message[] = "MESSAGE=x";
	const struct iovec field = {message, sizeof message - 1};

	(void)state;
	if (systemd_available())
		skip();
	assert_int_equal(systemd_journal_send(&field, 1), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inherited_sockets_are_found_by_name),
		cmocka_unit_test(no_more_than_wanted_are_returned),
		cmocka_unit_test(
			inherited_sockets_are_closed_on_exec_and_not_passed_on),
		cmocka_unit_test(sockets_of_another_process_are_not_ours),
		cmocka_unit_test(a_broken_environment_has_no_sockets),
		cmocka_unit_test(
			without_a_service_manager_there_are_no_sockets),
		cmocka_unit_test(a_state_reaches_the_service_manager),
		cmocka_unit_test(what_was_taken_is_not_found_again),
		cmocka_unit_test(another_image_of_the_process_is_told_of_all),
		cmocka_unit_test_setup_teardown(
			what_is_stored_comes_with_its_name, manager_start,
			manager_stop),
		cmocka_unit_test_setup_teardown(
			a_manager_may_say_that_it_stores_nothing, manager_start,
			manager_stop),
		cmocka_unit_test(without_a_manager_nothing_is_stored),
		cmocka_unit_test(the_watchdog_has_an_interval_if_there_is_one),
		cmocka_unit_test(
			stderr_is_the_journal_when_device_and_inode_say_so),
		cmocka_unit_test(without_the_library_the_journal_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
