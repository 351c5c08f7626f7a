#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/error.h"
#include "conf/file_place.h"

static void
assert_found(
	const struct file_place *place, const char *path, const char *wanted)
{
	char *full = file_place_find(place, path, NULL);

	assert_non_null(full);
	assert_string_equal(full, wanted);
	free(full);
}

static void
assert_nowhere(
	const struct file_place *place, const char *path, const char *why)
{
	struct error err = {{0}};

	assert_null(file_place_find(place, path, &err));
	assert_string_equal(err.text, why);
}

static void
relative_paths_are_beside_the_configuration(void **state)
{
	struct file_place place = {0};

	(void)state;
	file_place_beside(&place, "etc/here/s.ini");
	assert_found(&place, "a/b.pem", "etc/here//a/b.pem");
	assert_found(&place, "/a/b.pem", "/a/b.pem");
	assert_found(&place, "etc/here/s.ini", "etc/here/s.ini");
	file_place_done(&place);
	file_place_beside(&place, "s.ini");
	assert_found(&place, "b.pem", "./b.pem");
	assert_found(&place, "s.ini", "s.ini");
	file_place_done(&place);
}

static void
a_directory_can_be_said_as_well(void **state)
{
	struct file_place place = {0};

	(void)state;
	assert_found(&place, "b.pem", "b.pem");
	file_place_in(&place, "/base");
	assert_found(&place, "b.pem", "/base/b.pem");
	file_place_done(&place);
	assert_null(place.base_dir);
	assert_null(place.conf_path);
}

static void
credentials_are_in_their_own_directory(void **state)
{
	struct file_place place = {0};

	(void)state;
	file_place_in(&place, "/base");
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "/run/c", 1), 0);
	assert_found(&place, "credential:gw.key", "/run/c/gw.key");
	assert_nowhere(&place, "credential:../gw.key",
		"is not the name of a credential");
	assert_nowhere(
		&place, "credential:..", "is not the name of a credential");
	assert_nowhere(
		&place, "credential:", "is not the name of a credential");
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_nowhere(&place, "credential:gw.key",
		"CREDENTIALS_DIRECTORY is not set (the service manager sets "
		"it for LoadCredential=)");
	file_place_done(&place);
}

static void
names_of_our_own_are_no_files(void **state)
{
	struct file_place place = {0};

	(void)state;
	file_place_in(&place, "/base");
	assert_nowhere(&place, "@ticket_secret", "is not there");
	file_place_done(&place);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relative_paths_are_beside_the_configuration),
		cmocka_unit_test(a_directory_can_be_said_as_well),
		cmocka_unit_test(credentials_are_in_their_own_directory),
		cmocka_unit_test(names_of_our_own_are_no_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
