/* Lines go to stderr, and never wait for whoever reads it. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log_output.h"

/* Makes the write end of a new pipe stderr, in a child: log_output is of the
 * process. Returns the exit status of RUN. */
static int
with_pipe(int (*run)(int read_fd))
{
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(fds[1], STDERR_FILENO);
		log_output_open();
		_exit(run(fds[0]));
	}
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
write_one(int read_fd)
{
	char line[8];

	if (!log_output_write("hello\n", 6))
		return 1;
	if (read(read_fd, line, sizeof line) != 6)
		return 2;
	return memcmp(line, "hello\n", 6) == 0 ? 0 : 3;
}

static void
a_line_arrives_whole(void **state)
{
	(void)state;
	assert_int_equal(with_pipe(write_one), 0);
}

static int
fill(int read_fd)
{
	static char line[1000];
	unsigned long n = 0;

	(void)read_fd;
	memset(line, 'x', sizeof line);
	while (n < 10000 && log_output_write(line, sizeof line))
		n++;
	if (n == 10000)
		return 1;
	(void)log_output_write(line, sizeof line);
	if (log_output_lost() != 2)
		return 2;
	return log_output_lost() == 0 ? 0 : 3;
}

static void
a_full_pipe_loses_lines_and_counts_them(void **state)
{
	(void)state;
	assert_int_equal(with_pipe(fill), 0);
}

/* The reader comes only when the writer waits. */
static int
read_when_full(int read_fd)
{
	static char bytes[1000];
	size_t left = 200 * sizeof bytes;
	ssize_t n;

	while (left > 0) {
		n = read(read_fd, bytes, sizeof bytes);
		if (n <= 0)
			return 1;
		left -= (size_t)n;
	}
	return 0;
}

static int
be_patient(int read_fd)
{
	static char line[1000];
	int status;
	pid_t reader;

	memset(line, 'x', sizeof line);
	log_output_set_patience(10000);
	reader = fork();
	if (reader == 0)
		_exit(read_when_full(read_fd));
	for (int i = 0; i < 200; i++)
		if (!log_output_write(line, sizeof line))
			return 1;
	if (waitpid(reader, &status, 0) != reader || status != 0)
		return 2;
	return log_output_lost() == 0 ? 0 : 3;
}

static void
a_patient_process_loses_no_line_to_a_slow_reader(void **state)
{
	(void)state;
	assert_int_equal(with_pipe(be_patient), 0);
}

static int
be_patient_in_vain(int read_fd)
{
	static char line[1000];
	time_t began = time(NULL);

	(void)read_fd;
	memset(line, 'x', sizeof line);
	log_output_set_patience(50);
	while (log_output_write(line, sizeof line)) {
	}
	/* One wait of 50 ms, not a hundred. */
	for (int i = 0; i < 400; i++)
		if (log_output_write(line, sizeof line))
			return 1;
	if (log_output_lost() != 401)
		return 2;
	return time(NULL) - began < 10 ? 0 : 3;
}

static void
who_does_not_read_at_all_is_waited_for_once(void **state)
{
	(void)state;
	assert_int_equal(with_pipe(be_patient_in_vain), 0);
}

static int
leave_flags_alone(int read_fd)
{
	(void)read_fd;
	return (fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK) == 0 ? 0 : 1;
}

static void
the_shared_description_stays_blocking(void **state)
{
	(void)state;
	assert_int_equal(with_pipe(leave_flags_alone), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_arrives_whole),
		cmocka_unit_test(a_full_pipe_loses_lines_and_counts_them),
		cmocka_unit_test(
			a_patient_process_loses_no_line_to_a_slow_reader),
		cmocka_unit_test(who_does_not_read_at_all_is_waited_for_once),
		cmocka_unit_test(the_shared_description_stays_blocking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
