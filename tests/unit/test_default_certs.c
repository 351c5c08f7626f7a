#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "conf/default_certs.h"

static char dir[] = "/tmp/test_default_certs.XXXXXX";
static const char *const names[] = {"one.pem", "two.pem", "0000000a.0",
	"0000000b.1", "0000000a.r0", "README", NULL};

static char *
path_of(const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

/* Each file holds its name. */
static int
make_files(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	for (size_t i = 0; names[i] != NULL; i++) {
		char *path = path_of(names[i]);
		FILE *out = fopen(path, "w");

		free(path);
		if (out == NULL || fputs(names[i], out) < 0 || fclose(out) != 0)
			return -1;
	}
	return 0;
}

static int
remove_files(void **state)
{
	(void)state;
	for (size_t i = 0; names[i] != NULL; i++) {
		char *path = path_of(names[i]);

		(void)unlink(path);
		free(path);
	}
	return rmdir(dir);
}

/* NULL: not set. */
static void
set_variables(const char *file, const char *dirs)
{
	(void)unsetenv("SSL_CERT_FILE");
	(void)unsetenv("SSL_CERT_DIR");
	if (file != NULL)
		assert_int_equal(setenv("SSL_CERT_FILE", file, 1), 0);
	if (dirs != NULL)
		assert_int_equal(setenv("SSL_CERT_DIR", dirs, 1), 0);
}

static void
assert_certs(size_t limit, const char *wanted)
{
	char *bytes = NULL;
	size_t len = 0;
	struct error err = {{0}};

	if (default_certs_read(limit, &bytes, &len, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(bytes, wanted);
	assert_int_equal(len, strlen(wanted));
	assert_true(len <= limit);
	free(bytes);
}

static void
assert_refused(size_t limit, const char *wanted)
{
	char *bytes = NULL;
	size_t len = 4711;
	struct error err = {{0}};

	assert_int_equal(default_certs_read(limit, &bytes, &len, &err), -1);
	assert_non_null(strstr(err.text, wanted));
	assert_null(bytes);
	assert_int_equal(len, 4711);
}

static void
the_file_of_the_environment_counts(void **state)
{
	char *one = path_of("one.pem");

	(void)state;
	set_variables(one, NULL);
	assert_certs(99, "one.pem\n");
	set_variables(one, "");
	assert_certs(99, "one.pem\n");
	free(one);
}

static void
of_a_directory_the_certificates_with_hash_links_count(void **state)
{
	char *two = path_of("two.pem");
	char *dirs = xasprintf(":%s:", dir);

	(void)state;
	set_variables(NULL, dirs);
	assert_certs(99, "0000000a.0\n0000000b.1\n");
	set_variables(two, dir);
	assert_certs(99, "two.pem\n0000000a.0\n0000000b.1\n");
	free(two);
	free(dirs);
}

static void
without_variables_it_is_a_file_of_the_system_or_none(void **state)
{
	char *bytes = NULL;
	size_t len = 0;
	struct error err;

	(void)state;
	set_variables(NULL, NULL);
	if (default_certs_read(16777216, &bytes, &len, &err) == 0)
		assert_non_null(strstr(bytes, "-----BEGIN CERTIFICATE-----"));
	else
		assert_string_equal(err.text,
			"this system has no file of CAs; SSL_CERT_FILE may "
			"name one");
	free(bytes);
}

static void
what_cannot_be_read_is_named(void **state)
{
	(void)state;
	set_variables("/nonexistent/ca.pem", NULL);
	assert_refused(99, "/nonexistent/ca.pem: No such file or directory");
	set_variables(NULL, "/nonexistent/cas");
	assert_refused(99, "/nonexistent/cas: No such file or directory");
	set_variables(NULL, "/proc/self/fd");
	assert_refused(99, "/proc/self/fd: holds no hash links");
	set_variables("/dev/zero", NULL);
	assert_refused(99, "/dev/zero: is not a regular file");
}

static void
too_much_is_refused(void **state)
{
	char *one = path_of("one.pem");

	(void)state;
	set_variables(one, NULL);
	assert_certs(8, "one.pem\n");
	assert_refused(7, "take more than 7 bytes");
	assert_refused(6, "is larger than 6 bytes");
	set_variables(one, dir);
	assert_refused(18, "take more than 18 bytes");
	set_variables(NULL, NULL);
	free(one);
}

/* WANTED ends with NULL. */
static void
assert_paths(const char *const *wanted)
{
	struct text_list paths = {0};
	size_t n = 0;

	default_certs_paths(&paths);
	for (; wanted[n] != NULL; n++) {
		assert_true(n < paths.n);
		assert_string_equal(paths.items[n], wanted[n]);
	}
	assert_int_equal(paths.n, n);
	text_list_done(&paths);
}

static void
its_paths_are_what_it_looks_at(void **state)
{
	char *one = path_of("one.pem");
	char *a = path_of("0000000a.0");
	char *b = path_of("0000000b.1");
	char *dirs = xasprintf("%s::/nonexistent/cas", dir);

	(void)state;
	set_variables(one, NULL);
	assert_paths((const char *const[]){one, NULL});
	set_variables(NULL, dirs);
	assert_paths(
		(const char *const[]){dir, a, b, "/nonexistent/cas", NULL});
	set_variables(NULL, NULL);
	assert_paths((const char *const[]){"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
		NULL});
	free(one);
	free(a);
	free(b);
	free(dirs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_file_of_the_environment_counts),
		cmocka_unit_test(
			of_a_directory_the_certificates_with_hash_links_count),
		cmocka_unit_test(
			without_variables_it_is_a_file_of_the_system_or_none),
		cmocka_unit_test(what_cannot_be_read_is_named),
		cmocka_unit_test(too_much_is_refused),
		cmocka_unit_test(its_paths_are_what_it_looks_at),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
