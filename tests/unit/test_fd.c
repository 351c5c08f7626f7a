#include "config.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"

static void
closing_forgets_the_descriptor_and_keeps_errno(void **state)
{
	int fd = open("/dev/null", O_RDONLY);
	const int number = fd;

	(void)state;
	assert_true(fd >= 0);
	errno = E2BIG;
	fd_close(&fd);
	assert_int_equal(fd, -1);
	assert_int_equal(errno, E2BIG);
	assert_int_equal(fcntl(number, F_GETFD), -1);
	errno = E2BIG;
	fd_close(&fd);
	assert_int_equal(errno, E2BIG);
	fd = number; /* closed already */
	fd_close(&fd);
	assert_int_equal(errno, E2BIG);
}

static void
flags_go_on_and_off(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fd_set_nonblocking(fds[0], true), 0);
	assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	assert_int_equal(fd_set_nonblocking(fds[0], false), 0);
	assert_false(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	assert_int_equal(fd_set_cloexec(fds[0], true), 0);
	assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(fd_set_cloexec(fds[0], false), 0);
	assert_int_equal(fcntl(fds[0], F_GETFD), 0);
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	assert_int_equal(fd_set_nonblocking(-1, true), -1);
	assert_int_equal(fd_set_cloexec(-1, true), -1);
}

static void
a_sealed_memfd_can_be_read_and_nothing_else(void **state)
{
	int fd = fd_sealed_memfd("test", "abc", 3, NULL);
	char bytes[8] = "";

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(read(fd, bytes, sizeof bytes), 3);
	assert_string_equal(bytes, "abc");
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 1), -1);
	assert_int_equal(ftruncate(fd, 9), -1);
	assert_ptr_equal(
		mmap(NULL, 3, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	fd_close(&fd);
}

static void
an_empty_memfd_is_fine_and_a_name_without_end_is_not(void **state)
{
	int fd = fd_sealed_memfd("test", NULL, 0, NULL);
	char name[500];
	struct error err;

	(void)state;
	assert_true(fd >= 0);
	fd_close(&fd);
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	assert_int_equal(fd_sealed_memfd(name, "", 0, &err), -1);
	assert_non_null(strstr(err.text, "Invalid argument"));
}

static void
a_file_is_read_from_its_start_whatever_the_offset(void **state)
{
	int fd = fd_sealed_memfd("test", "a\0bc", 4, NULL);
	char *bytes = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(lseek(fd, 2, SEEK_SET), 2);
	assert_int_equal(fd_read_all(fd, 4, &bytes, &len, NULL), 0);
	assert_int_equal(len, 4);
	assert_memory_equal(bytes, "a\0bc", 5);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 2);
	free(bytes);
	fd_close(&fd);
}

static void
a_file_without_a_size_is_read_whole(void **state)
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	char *bytes = NULL;
	size_t len = 0;

	(void)state;
	if (fd < 0)
		skip();
	assert_int_equal(fd_read_all(fd, 1 << 24, &bytes, &len, NULL), 0);
	assert_true(len > 0);
	assert_int_equal(strlen(bytes), len);
	assert_int_equal(bytes[len - 1], '\n');
	free(bytes);
	fd_close(&fd);
}

static void
a_file_over_the_limit_is_refused(void **state)
{
	int fd = fd_sealed_memfd("test", "abcd", 4, NULL);
	char *bytes = NULL;
	size_t len = 42;
	struct error err;

	(void)state;
	assert_int_equal(fd_read_all(fd, 3, &bytes, &len, &err), -1);
	assert_string_equal(err.text, "is larger than 3 bytes");
	assert_null(bytes);
	assert_int_equal(len, 42);
	fd_close(&fd);
	fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fd_read_all(fd, 100000, &bytes, &len, &err), -1);
	assert_string_equal(err.text, "is larger than 100000 bytes");
	fd_close(&fd);
}

static void
an_empty_file_is_an_empty_text(void **state)
{
	int fd = fd_sealed_memfd("test", NULL, 0, NULL);
	char *bytes = NULL;
	size_t len = 42;

	(void)state;
	assert_int_equal(fd_read_all(fd, 0, &bytes, &len, NULL), 0);
	assert_int_equal(len, 0);
	assert_string_equal(bytes, "");
	free(bytes);
	fd_close(&fd);
}

static void
what_is_no_file_cannot_be_read(void **state)
{
	int dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *bytes = NULL;
	size_t len;
	struct error err;
	int fds[2];

	(void)state;
	assert_int_equal(fd_read_all(dir, 100, &bytes, &len, &err), -1);
	assert_string_equal(err.text, "cannot read: Is a directory");
	fd_close(&dir);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fd_read_all(fds[0], 100, &bytes, &len, &err), -1);
	assert_string_equal(err.text, "cannot read: Illegal seek");
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	assert_int_equal(fd_read_all(-1, 100, &bytes, &len, &err), -1);
	assert_null(bytes);
}

static void
writing_goes_on_through_short_writes(void **state)
{
	static char sent[1 << 20], got[sizeof sent];
	int fds[2], status = -1;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	(void)state;
	memset(sent, 's', sizeof sent);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fd_write_all(fds[1], sent, sizeof sent) == 0 ? 0 : 1);
	fd_close(&fds[1]);
	while ((n = read(fds[0], got + len, sizeof got - len)) > 0)
		len += (size_t)n;
	assert_int_equal(len, sizeof sent);
	assert_memory_equal(got, sent, sizeof sent);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	fd_close(&fds[0]);
}

static void
writing_to_nowhere_fails_with_errno(void **state)
{
	(void)state;
	errno = 0;
	assert_int_equal(fd_write_all(-1, "x", 1), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(fd_write_all(-1, NULL, 0), 0);
}

static void
the_soft_limit_is_raised_to_the_hard_one(void **state)
{
	struct rlimit before, limit;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	limit.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(fd_raise_limit(), before.rlim_max);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(limit.rlim_cur, before.rlim_max);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* In a child, for it closes the door on everything cmocka has open, too. */
static void
descriptors_from_a_number_on_are_marked(void **state)
{
	int status = -1;
	const pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		const int low = fcntl(0, F_DUPFD, 50);
		const int high = fcntl(0, F_DUPFD, 60);

		fd_cloexec_from(high);
		_exit(fcntl(low, F_GETFD) == 0 &&
					fcntl(high, F_GETFD) == FD_CLOEXEC
				? 0
				: 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
closed_standard_descriptors_are_filled_and_open_ones_stay(void **state)
{
	const pid_t pid = fork();
	struct stat before, after;
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		bool filled, kept;

		(void)close(STDIN_FILENO);
		(void)close(STDERR_FILENO);
		kept = fstat(STDOUT_FILENO, &before) == 0;
		filled = fd_fill_standard() == 0 &&
			 fcntl(STDIN_FILENO, F_GETFD) == 0 &&
			 write(STDERR_FILENO, "x", 1) == 1;
		kept = kept && fstat(STDOUT_FILENO, &after) == 0 &&
		       before.st_ino == after.st_ino;
		_exit(filled && kept ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			closing_forgets_the_descriptor_and_keeps_errno),
		cmocka_unit_test(flags_go_on_and_off),
		cmocka_unit_test(a_sealed_memfd_can_be_read_and_nothing_else),
		cmocka_unit_test(
			an_empty_memfd_is_fine_and_a_name_without_end_is_not),
		cmocka_unit_test(
			a_file_is_read_from_its_start_whatever_the_offset),
		cmocka_unit_test(a_file_without_a_size_is_read_whole),
		cmocka_unit_test(a_file_over_the_limit_is_refused),
		cmocka_unit_test(an_empty_file_is_an_empty_text),
		cmocka_unit_test(what_is_no_file_cannot_be_read),
		cmocka_unit_test(writing_goes_on_through_short_writes),
		cmocka_unit_test(writing_to_nowhere_fails_with_errno),
		cmocka_unit_test(the_soft_limit_is_raised_to_the_hard_one),
		cmocka_unit_test(descriptors_from_a_number_on_are_marked),
		cmocka_unit_test(
			closed_standard_descriptors_are_filled_and_open_ones_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
