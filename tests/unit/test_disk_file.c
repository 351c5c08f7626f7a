#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "conf/disk_file.h"

static char dir[] = "/tmp/test_disk_file.XXXXXX";
static char *file;

static int
make_file(void **state)
{
	FILE *out;

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	file = xasprintf("%s/file", dir);
	out = fopen(file, "w");
	if (out == NULL || fputs("12345678", out) < 0 || fclose(out) != 0)
		return -1;
	return 0;
}

static int
remove_file(void **state)
{
	(void)state;
	(void)unlink(file);
	free(file);
	return rmdir(dir);
}

static void
assert_refused(const char *path, bool private, size_t limit, const char *why)
{
	char *bytes = NULL;
	size_t len = 4711;
	struct error err = {{0}};

	assert_int_equal(
		disk_file_read(path, private, limit, &bytes, &len, &err), -1);
	assert_string_equal(err.text, why);
	assert_null(bytes);
	assert_int_equal(len, 4711);
}

static void
a_file_is_read_whole_and_terminated(void **state)
{
	char *bytes = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(disk_file_read(file, false, 8, &bytes, &len, NULL), 0);
	assert_int_equal(len, 8);
	assert_string_equal(bytes, "12345678");
	free(bytes);
}

static void
a_file_over_the_limit_is_refused(void **state)
{
	(void)state;
	assert_refused(file, false, 7, "is larger than 7 bytes");
}

static void
missing_files_and_directories_are_named_as_the_system_does(void **state)
{
	(void)state;
	assert_refused("/nonexistent/x", false, 9, "No such file or directory");
	assert_refused(dir, false, 9, "Is a directory");
}

static void
what_is_not_a_regular_file_is_refused_without_waiting(void **state)
{
	char *fifo = xasprintf("%s/fifo", dir);

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_refused(fifo, false, 9, "is not a regular file");
	assert_int_equal(unlink(fifo), 0);
	free(fifo);
	assert_refused("/dev/null", false, 9, "is not a regular file");
}

static void
a_private_file_must_not_be_open_to_others(void **state)
{
	static const mode_t open_modes[] = {0644, 0602, 0601};
	char *bytes = NULL;
	size_t len = 0;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char why[80];

		(void)snprintf(why, sizeof why,
			"is accessible by others (mode %04o); chmod 0600",
			(unsigned)open_modes[i]);
		assert_int_equal(chmod(file, open_modes[i]), 0);
		assert_refused(file, true, 9, why);
	}
	assert_int_equal(chmod(file, 0640), 0);
	assert_int_equal(disk_file_read(file, true, 8, &bytes, &len, NULL), 0);
	free(bytes);
}

static void
touch(const char *name, mode_t mode)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, mode), 0);
	free(path);
}

static void
remove_named(const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);

	assert_int_equal(unlink(path), 0);
	free(path);
}

static void
the_names_in_a_directory_come_sorted(void **state)
{
	struct text_list names = {0};

	(void)state;
	touch("b", 0600);
	touch("a", 0600);
	touch("B", 0600);
	assert_int_equal(disk_file_list(dir, &names, NULL), 0);
	assert_int_equal(names.n, 4);
	assert_string_equal(names.items[0], "B");
	assert_string_equal(names.items[1], "a");
	assert_string_equal(names.items[2], "b");
	assert_string_equal(names.items[3], "file");
	text_list_done(&names);
	remove_named("b");
	remove_named("a");
	remove_named("B");
}

static void
what_is_no_directory_is_refused(void **state)
{
	struct text_list names = {0};
	struct error err;

	(void)state;
	assert_int_equal(disk_file_list(file, &names, &err), -1);
	assert_string_equal(err.text, "Not a directory");
	assert_int_equal(disk_file_list("/nonexistent", &names, &err), -1);
	assert_string_equal(err.text, "No such file or directory");
	assert_int_equal(names.n, 0);
}

static void
an_output_is_made_for_us_alone_and_grows(void **state)
{
	char *path = xasprintf("%s/log", dir);
	struct stat st;
	char *bytes = NULL;
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 2; i++) {
		int fd = disk_file_append(path, NULL);

		assert_true(fd >= 0);
		assert_int_equal(write(fd, "line\n", 5), 5);
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		assert_int_equal(close(fd), 0);
	}
	assert_int_equal(disk_file_read(path, true, 99, &bytes, &len, NULL), 0);
	assert_string_equal(bytes, "line\nline\n");
	free(bytes);
	remove_named("log");
	free(path);
}

static void
assert_no_output(const char *path, const char *why)
{
	struct error err = {{0}};

	assert_int_equal(disk_file_append(path, &err), -1);
	assert_string_equal(err.text, why);
}

static void
outputs_that_others_may_see_are_refused(void **state)
{
	char *path = xasprintf("%s/log", dir);

	(void)state;
	touch("log", 0644);
	assert_no_output(
		path, "is accessible by others (mode 0644); chmod 0600");
	touch("log", 0602);
	assert_no_output(
		path, "is accessible by others (mode 0602); chmod 0600");
	remove_named("log");
	/* Root alone can give files away. */
	if (geteuid() == 0) {
		touch("log", 0600);
		assert_int_equal(chown(path, 65534, 65534), 0);
		assert_no_output(path, "belongs to another user");
		remove_named("log");
	}
	free(path);
}

static void
outputs_that_are_no_plain_files_are_refused(void **state)
{
	char *path = xasprintf("%s/log", dir);

	(void)state;
	assert_int_equal(symlink(file, path), 0);
	assert_no_output(path, "is a symbolic link");
	remove_named("log");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_no_output(path, "No such device or address");
	remove_named("log");
	assert_no_output(dir, "Is a directory");
	assert_no_output("/dev/null", "is not a regular file");
	assert_no_output("/nonexistent/log", "No such file or directory");
	free(path);
}

static void
an_output_can_be_tried_without_a_trace(void **state)
{
	char *path = xasprintf("%s/tried", dir);
	struct error err;
	int fd;

	(void)state;
	assert_true(disk_file_is_missing(path));
	fd = disk_file_try_append(path, NULL);
	assert_int_equal(write(fd, "x", 1), 1);
	fd_close(&fd);
	assert_true(disk_file_is_missing(path));
	assert_false(disk_file_is_missing(dir));
	assert_int_equal(disk_file_try_append("/nonexistent/log", &err), -1);
	assert_string_equal(err.text, "No such file or directory");
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_whole_and_terminated),
		cmocka_unit_test(a_file_over_the_limit_is_refused),
		cmocka_unit_test(
			missing_files_and_directories_are_named_as_the_system_does),
		cmocka_unit_test(
			what_is_not_a_regular_file_is_refused_without_waiting),
		cmocka_unit_test(a_private_file_must_not_be_open_to_others),
		cmocka_unit_test(the_names_in_a_directory_come_sorted),
		cmocka_unit_test(what_is_no_directory_is_refused),
		cmocka_unit_test(an_output_is_made_for_us_alone_and_grows),
		cmocka_unit_test(outputs_that_others_may_see_are_refused),
		cmocka_unit_test(outputs_that_are_no_plain_files_are_refused),
		cmocka_unit_test(an_output_can_be_tried_without_a_trace),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
