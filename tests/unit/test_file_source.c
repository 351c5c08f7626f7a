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
#include "conf/file_source.h"

static char dir[] = "/tmp/test_file_source.XXXXXX";

static void
write_file(const char *name, const char *text, mode_t mode)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, mode), 0);
	free(path);
}

static void
remove_named(const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);

	(void)unlink(path);
	free(path);
}

static int
make_files(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	write_file("cert.pem", "a certificate", 0644);
	write_file("open.key", "a key", 0644);
	write_file("good.key", "a good key", 0600);
	write_file("empty", "", 0600);
	return 0;
}

static int
remove_files(void **state)
{
	(void)state;
	remove_named("cert.pem");
	remove_named("open.key");
	remove_named("good.key");
	remove_named("empty");
	return rmdir(dir);
}

static void
assert_read(struct file_source *source, const char *path, enum file_kind kind,
	const char *wanted)
{
	const char *bytes = NULL;
	size_t len = 0;
	struct error err = {{0}};

	if (file_source_read(source, path, kind, &bytes, &len, &err) < 0)
		fail_msg("%s: %s", path, err.text);
	assert_int_equal(len, strlen(wanted));
	assert_string_equal(bytes, wanted);
}

static void
assert_refused(struct file_source *source, const char *path,
	enum file_kind kind, const char *why)
{
	const char *bytes = NULL;
	size_t len = 4711;
	struct error err = {{0}};

	assert_int_equal(
		file_source_read(source, path, kind, &bytes, &len, &err), -1);
	assert_string_equal(err.text, why);
	assert_null(bytes);
	assert_int_equal(len, 4711);
}

static void
relative_paths_are_relative_to_the_base(void **state)
{
	struct file_source *source = file_source_disk(dir);
	char *absolute = xasprintf("%s/cert.pem", dir);

	(void)state;
	assert_read(source, "cert.pem", FILE_PUBLIC, "a certificate");
	assert_read(source, absolute, FILE_PUBLIC, "a certificate");
	assert_read(source, "empty", FILE_PUBLIC, "");
	free(absolute);
	file_source_free(&source);
	assert_null(source);
}

static void
the_configuration_itself_is_relative_to_the_working_directory(void **state)
{
	char *name = strrchr(dir, '/') + 1;
	char *conf = xasprintf("%s/cert.pem", name);
	char *before = getcwd(NULL, 0);
	struct file_source *source = file_source_beside(conf);

	(void)state;
	assert_int_equal(chdir("/tmp"), 0);
	assert_read(source, conf, FILE_PUBLIC, "a certificate");
	assert_read(source, "good.key", FILE_SECRET, "a good key");
	file_source_free(&source);

	assert_int_equal(chdir(dir), 0);
	source = file_source_beside("cert.pem");
	assert_read(source, "cert.pem", FILE_PUBLIC, "a certificate");
	assert_read(source, "good.key", FILE_SECRET, "a good key");
	file_source_free(&source);
	assert_int_equal(chdir(before), 0);
	free(before);
	free(conf);
}

static void
secrets_that_others_can_read_are_refused(void **state)
{
	struct file_source *source = file_source_disk(dir);

	(void)state;
	assert_read(source, "good.key", FILE_SECRET, "a good key");
	assert_refused(source, "open.key", FILE_SECRET,
		"is accessible by others (mode 0644); chmod 0600");
	assert_read(source, "open.key", FILE_PUBLIC, "a key");
	file_source_free(&source);
}

static void
an_answer_is_remembered_even_a_refusal(void **state)
{
	struct file_source *source = file_source_disk(dir);

	(void)state;
	write_file("changing", "before", 0600);
	assert_read(source, "changing", FILE_PUBLIC, "before");
	assert_refused(
		source, "missing", FILE_PUBLIC, "No such file or directory");
	write_file("changing", "after", 0600);
	write_file("missing", "now there", 0600);
	assert_read(source, "changing", FILE_PUBLIC, "before");
	assert_refused(
		source, "missing", FILE_PUBLIC, "No such file or directory");
	remove_named("changing");
	remove_named("missing");
	file_source_free(&source);
}

static void
a_credential_is_a_file_in_its_directory(void **state)
{
	struct file_source *source = file_source_disk("/nonexistent");

	(void)state;
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	assert_read(source, "credential:good.key", FILE_SECRET, "a good key");
	assert_read(
		source, "credential:cert.pem", FILE_PUBLIC, "a certificate");
	assert_refused(source, "credential:none", FILE_SECRET,
		"No such file or directory");
	assert_refused(source, "credential:open.key", FILE_SECRET,
		"is accessible by others (mode 0644); chmod 0600");
	file_source_free(&source);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

static void
bad_credentials_are_refused_with_a_reason(void **state)
{
	static const char *const names[] = {"credential:", "credential:a/b",
		"credential:../a", "credential:..", "credential:."};
	struct file_source *source = file_source_disk(dir);

	(void)state;
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_refused(source, names[i], FILE_SECRET,
			"is not the name of a credential");
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_refused(source, "credential:key", FILE_SECRET,
		"CREDENTIALS_DIRECTORY is not set (the service manager sets "
		"it for LoadCredential=)");
	file_source_free(&source);
}

/* A source that was asked for something of each sort. */
static struct file_source *
asked_source(void)
{
	struct file_source *source = file_source_disk(dir);

	assert_read(source, "cert.pem", FILE_PUBLIC, "a certificate");
	assert_read(source, "empty", FILE_PUBLIC, "");
	assert_refused(
		source, "missing", FILE_PUBLIC, "No such file or directory");
	assert_read(source, "good.key", FILE_SECRET, "a good key");
	assert_refused(source, "open.key", FILE_SECRET,
		"is accessible by others (mode 0644); chmod 0600");
	return source;
}

static void
a_bundle_answers_as_the_disk_did(void **state)
{
	struct file_source *disk = asked_source();
	int public_fd = file_source_to_bundle(disk, FILE_PUBLIC, NULL);
	int secret_fd = file_source_to_bundle(disk, FILE_SECRET, NULL);
	struct file_source *bundle;

	(void)state;
	file_source_free(&disk);
	bundle = file_source_bundle(public_fd, secret_fd, NULL);
	assert_non_null(bundle);
	assert_read(bundle, "cert.pem", FILE_PUBLIC, "a certificate");
	assert_read(bundle, "empty", FILE_PUBLIC, "");
	assert_refused(
		bundle, "missing", FILE_PUBLIC, "No such file or directory");
	assert_read(bundle, "good.key", FILE_SECRET, "a good key");
	assert_refused(bundle, "open.key", FILE_SECRET,
		"is accessible by others (mode 0644); chmod 0600");
	file_source_free(&bundle);
	/* The descriptors are still the caller's. */
	assert_true(lseek(public_fd, 0, SEEK_SET) == 0);
	fd_close(&public_fd);
	fd_close(&secret_fd);
}

static void
a_bundle_never_turns_to_the_disk(void **state)
{
	struct file_source *disk = asked_source();
	int public_fd = file_source_to_bundle(disk, FILE_PUBLIC, NULL);
	int secret_fd = file_source_to_bundle(disk, FILE_SECRET, NULL);
	struct file_source *bundle =
		file_source_bundle(public_fd, secret_fd, NULL);

	(void)state;
	assert_refused(bundle, "/etc/passwd", FILE_PUBLIC,
		"is not in the bundle of files");
	assert_refused(bundle, "cert.pem", FILE_SECRET,
		"is not in the bundle of files");
	assert_refused(bundle, "good.key", FILE_PUBLIC,
		"is not in the bundle of files");
	file_source_free(&bundle);
	file_source_free(&disk);
	fd_close(&public_fd);
	fd_close(&secret_fd);
}

static void
without_the_second_bundle_there_are_no_secrets(void **state)
{
	struct file_source *disk = asked_source();
	int public_fd = file_source_to_bundle(disk, FILE_PUBLIC, NULL);
	struct file_source *bundle = file_source_bundle(public_fd, -1, NULL);

	(void)state;
	assert_read(bundle, "cert.pem", FILE_PUBLIC, "a certificate");
	assert_refused(bundle, "good.key", FILE_SECRET,
		"secrets are kept from this process");
	file_source_free(&bundle);
	file_source_free(&disk);
	fd_close(&public_fd);
}

static void
the_two_bundles_cannot_be_swapped(void **state)
{
	struct file_source *disk = asked_source();
	int public_fd = file_source_to_bundle(disk, FILE_PUBLIC, NULL);
	int secret_fd = file_source_to_bundle(disk, FILE_SECRET, NULL);
	struct error err = {{0}};

	(void)state;
	assert_null(file_source_bundle(secret_fd, public_fd, &err));
	assert_string_equal(err.text, "the bundle of files is damaged");
	file_source_free(&disk);
	fd_close(&public_fd);
	fd_close(&secret_fd);
}

static struct file_source *
bundle_of(const char *bytes, size_t len)
{
	struct error err = {{0}};
	int fd = fd_sealed_memfd("t", bytes, len, NULL);
	struct file_source *bundle = file_source_bundle(fd, -1, &err);

	if (bundle == NULL)
		assert_string_not_equal(err.text, "");
	fd_close(&fd);
	return bundle;
}

static void
a_bundle_cut_or_bent_anywhere_is_refused_or_harmless(void **state)
{
	struct file_source *disk = asked_source();
	int fd = file_source_to_bundle(disk, FILE_PUBLIC, NULL);
	struct file_source *bundle;
	char *bytes = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(fd_read_all(fd, 4096, &bytes, &len, NULL), 0);
	for (size_t cut = 0; cut < len; cut++)
		assert_null(bundle_of(bytes, cut));
	for (size_t i = 0; i < len; i++) {
		char good = bytes[i];

		for (unsigned bit = 0; bit < 8; bit++) {
			bytes[i] = (char)(good ^ (1 << bit));
			bundle = bundle_of(bytes, len);
			file_source_free(&bundle);
		}
		bytes[i] = good;
	}
	bundle = bundle_of(bytes, len);
	assert_non_null(bundle);
	file_source_free(&bundle);
	free(bytes);
	fd_close(&fd);
	file_source_free(&disk);
}

static void
bytes_after_the_last_answer_are_refused(void **state)
{
	struct file_source *disk = file_source_disk(dir);
	int fd = file_source_to_bundle(disk, FILE_PUBLIC, NULL);
	char *bytes = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(fd_read_all(fd, 4096, &bytes, &len, NULL), 0);
	/* The NUL behind the bytes is one byte more. */
	assert_null(bundle_of(bytes, len + 1));
	free(bytes);
	fd_close(&fd);
	file_source_free(&disk);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relative_paths_are_relative_to_the_base),
		cmocka_unit_test(
			the_configuration_itself_is_relative_to_the_working_directory),
		cmocka_unit_test(secrets_that_others_can_read_are_refused),
		cmocka_unit_test(an_answer_is_remembered_even_a_refusal),
		cmocka_unit_test(a_credential_is_a_file_in_its_directory),
		cmocka_unit_test(bad_credentials_are_refused_with_a_reason),
		cmocka_unit_test(a_bundle_answers_as_the_disk_did),
		cmocka_unit_test(a_bundle_never_turns_to_the_disk),
		cmocka_unit_test(
			without_the_second_bundle_there_are_no_secrets),
		cmocka_unit_test(the_two_bundles_cannot_be_swapped),
		cmocka_unit_test(
			a_bundle_cut_or_bent_anywhere_is_refused_or_harmless),
		cmocka_unit_test(bytes_after_the_last_answer_are_refused),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
