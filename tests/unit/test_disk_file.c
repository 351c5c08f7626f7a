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
#include "base/mem.h"
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
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
