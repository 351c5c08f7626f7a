#include "conf/admin_socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "conf/settings.h"

static void
assert_path(char *setting, const char *expected)
{
	const struct process_settings process = {.admin_socket = setting};
	char *path = admin_socket_path(&process);

	if (expected == NULL)
		assert_null(path);
	else
		assert_string_equal(path, expected);
	free(path);
}

static void
what_is_set_counts(void **state)
{
	char setting[] = "/tmp/a.sock";

	(void)state;
	assert_int_equal(setenv("RUNTIME_DIRECTORY", "/run/x", 1), 0);
	assert_path(setting, "/tmp/a.sock");
}

static void
none_is_no_socket(void **state)
{
	char setting[] = "none";

	(void)state;
	assert_path(setting, NULL);
}

static void
the_unit_says_where_it_is_otherwise(void **state)
{
	(void)state;
	assert_int_equal(setenv("RUNTIME_DIRECTORY", "/run/x", 1), 0);
	assert_path(NULL, "/run/x/admin.sock");
	assert_int_equal(setenv("RUNTIME_DIRECTORY", "/run/a:/run/b", 1), 0);
	assert_path(NULL, "/run/a/admin.sock");
}

static void
without_a_unit_it_is_where_a_unit_would_have_it(void **state)
{
	(void)state;
	assert_int_equal(setenv("RUNTIME_DIRECTORY", "", 1), 0);
	assert_path(NULL, "/run/sallyport/admin.sock");
	assert_int_equal(unsetenv("RUNTIME_DIRECTORY"), 0);
	assert_path(NULL, "/run/sallyport/admin.sock");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_set_counts),
		cmocka_unit_test(none_is_no_socket),
		cmocka_unit_test(the_unit_says_where_it_is_otherwise),
		cmocka_unit_test(
			without_a_unit_it_is_where_a_unit_would_have_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
