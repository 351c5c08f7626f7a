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
	const struct text_list *names;

	assert_read(source, "cert.pem", FILE_PUBLIC, "a certificate");
	assert_read(source, "empty", FILE_PUBLIC, "");
	assert_refused(
		source, "missing", FILE_PUBLIC, "No such file or directory");
	assert_read(source, "good.key", FILE_SECRET, "a good key");
	assert_refused(source, "open.key", FILE_SECRET,
		"is accessible by others (mode 0644); chmod 0600");
	(void)file_source_read_dir(source, ".", &names, NULL);
	(void)file_source_output(source, "/nonexistent/keys", NULL);
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

/* PUBLIC and SECRET answers of DISK, which is freed. */
static struct file_source *
bundle_from(struct file_source *disk)
{
	int public_fd = file_source_to_bundle(disk, FILE_PUBLIC, NULL);
	int secret_fd = file_source_to_bundle(disk, FILE_SECRET, NULL);
	struct file_source *bundle =
		file_source_bundle(public_fd, secret_fd, NULL);

	assert_non_null(bundle);
	file_source_free(&disk);
	fd_close(&public_fd);
	fd_close(&secret_fd);
	return bundle;
}

static void
assert_names(struct file_source *source, const char *path)
{
	const struct text_list *names = NULL;

	assert_int_equal(file_source_read_dir(source, path, &names, NULL), 0);
	assert_int_equal(names->n, 4);
	assert_string_equal(names->items[0], "cert.pem");
	assert_string_equal(names->items[3], "open.key");
}

static void
assert_no_names(struct file_source *source, const char *path, const char *why)
{
	const struct text_list *names = NULL;
	struct error err = {{0}};

	assert_int_equal(file_source_read_dir(source, path, &names, &err), -1);
	assert_string_equal(err.text, why);
	assert_null(names);
}

static void
a_directory_is_listed_and_bundled_like_a_file(void **state)
{
	struct file_source *source = file_source_disk(dir);

	(void)state;
	assert_names(source, ".");
	assert_names(source, dir);
	assert_no_names(source, "cert.pem", "Not a directory");
	assert_no_names(source, "missing", "No such file or directory");
	assert_refused(source, ".", FILE_PUBLIC, "Is a directory");
	source = bundle_from(source);
	assert_names(source, ".");
	assert_names(source, dir);
	assert_no_names(source, "cert.pem", "Not a directory");
	assert_no_names(source, "/tmp", "is not in the bundle of files");
	assert_refused(source, ".", FILE_PUBLIC, "Is a directory");
	file_source_free(&source);
}

static void
a_listing_is_remembered(void **state)
{
	struct file_source *source = file_source_disk(dir);
	const struct text_list *before = NULL, *after = NULL;

	(void)state;
	assert_int_equal(file_source_read_dir(source, ".", &before, NULL), 0);
	write_file("more", "", 0600);
	for (int i = 0; i < 100; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "none-%d", i);
		assert_refused(
			source, name, FILE_PUBLIC, "No such file or directory");
	}
	assert_int_equal(file_source_read_dir(source, ".", &after, NULL), 0);
	assert_ptr_equal(before, after);
	assert_int_equal(after->n, 4);
	remove_named("more");
	file_source_free(&source);
}

static void
a_secret_can_be_added_and_is_bundled_as_one(void **state)
{
	struct file_source *source = file_source_disk(dir);

	(void)state;
	file_source_add_secret(source, FILE_SOURCE_TICKET_SECRET, "old", 3);
	file_source_add_secret(source, FILE_SOURCE_TICKET_SECRET, "secret", 6);
	assert_read(source, FILE_SOURCE_TICKET_SECRET, FILE_SECRET, "secret");
	assert_refused(
		source, FILE_SOURCE_TICKET_SECRET, FILE_PUBLIC, "is not there");
	source = bundle_from(source);
	assert_read(source, FILE_SOURCE_TICKET_SECRET, FILE_SECRET, "secret");
	file_source_free(&source);
}

static void
a_secret_takes_the_place_of_a_refusal(void **state)
{
	struct file_source *source = file_source_disk(dir);

	(void)state;
	assert_refused(
		source, FILE_SOURCE_TICKET_SECRET, FILE_SECRET, "is not there");
	file_source_add_secret(source, FILE_SOURCE_TICKET_SECRET, "secret", 6);
	assert_read(source, FILE_SOURCE_TICKET_SECRET, FILE_SECRET, "secret");
	file_source_free(&source);
}

static void
the_key_log_of_the_environment_is_bundled(void **state)
{
	struct file_source *source = file_source_disk(dir);
	char *before = getcwd(NULL, 0);
	char *relative = xasprintf("%s/keys", before);

	(void)state;
	assert_int_equal(setenv("SSLKEYLOGFILE", "/x/keys", 1), 0);
	assert_read(source, FILE_SOURCE_KEYLOG, FILE_PUBLIC, "/x/keys");
	assert_int_equal(unsetenv("SSLKEYLOGFILE"), 0);
	source = bundle_from(source);
	assert_read(source, FILE_SOURCE_KEYLOG, FILE_PUBLIC, "/x/keys");
	file_source_free(&source);

	source = file_source_disk(dir);
	assert_refused(source, FILE_SOURCE_KEYLOG, FILE_PUBLIC,
		"SSLKEYLOGFILE is not set");
	file_source_free(&source);

	assert_int_equal(setenv("SSLKEYLOGFILE", "keys", 1), 0);
	source = file_source_disk(dir);
	assert_read(source, FILE_SOURCE_KEYLOG, FILE_PUBLIC, relative);
	assert_int_equal(unsetenv("SSLKEYLOGFILE"), 0);
	file_source_free(&source);
	free(relative);
	free(before);
}

static void
the_cas_of_the_system_are_bundled(void **state)
{
	struct file_source *source = file_source_disk("/nonexistent");
	char *path = xasprintf("%s/cert.pem", dir);

	(void)state;
	assert_int_equal(unsetenv("SSL_CERT_DIR"), 0);
	assert_int_equal(setenv("SSL_CERT_FILE", path, 1), 0);
	assert_read(source, FILE_SOURCE_DEFAULT_CERTS, FILE_PUBLIC,
		"a certificate\n");
	assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
	source = bundle_from(source);
	assert_read(source, FILE_SOURCE_DEFAULT_CERTS, FILE_PUBLIC,
		"a certificate\n");
	file_source_free(&source);
	free(path);
}

static void
an_output_is_opened_once_and_listed(void **state)
{
	struct file_source *source = file_source_disk(dir);
	int fd = file_source_output(source, "keys", NULL);
	int same = -1;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(file_source_output(source, "keys", NULL), fd);
	assert_string_equal(file_source_output_at(source, 0, &same), "keys");
	assert_int_equal(same, fd);
	assert_null(file_source_output_at(source, 1, &same));
	assert_int_equal(write(fd, "x", 1), 1);
	file_source_free(&source);
	assert_int_equal(write(fd, "x", 1), -1); /* closed with its source */
	remove_named("keys");
}

static void
a_source_that_leaves_no_trace_makes_no_output(void **state)
{
	struct file_source *source = file_source_disk(dir);
	char *path = xasprintf("%s/keys", dir);

	(void)state;
	file_source_leave_no_trace(source);
	assert_true(file_source_output(source, "keys", NULL) >= 0);
	assert_int_equal(access(path, F_OK), -1);
	file_source_free(&source);
	free(path);
}

static void
a_bundle_has_the_outputs_it_is_given(void **state)
{
	struct file_source *source = file_source_disk(dir);
	struct error err = {{0}};
	int pipe_fds[2], other_fds[2];

	(void)state;
	assert_int_equal(
		file_source_output(source, "/nonexistent/keys", &err), -1);
	assert_string_equal(err.text, "No such file or directory");
	source = bundle_from(source);
	/* Why there is none is known there, too. */
	assert_int_equal(
		file_source_output(source, "/nonexistent/keys", &err), -1);
	assert_string_equal(err.text, "No such file or directory");
	assert_int_equal(file_source_output(source, "keys", &err), -1);
	assert_string_equal(err.text, "is not in the bundle of files");

	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(pipe(other_fds), 0);
	file_source_add_output(source, "new", pipe_fds[1]);
	assert_int_equal(file_source_output(source, "new", NULL), pipe_fds[1]);
	file_source_add_output(source, "new", other_fds[1]);
	assert_int_equal(file_source_output(source, "new", NULL), other_fds[1]);
	assert_int_equal(write(pipe_fds[1], "x", 1), -1);
	file_source_free(&source);
	fd_close(&pipe_fds[0]);
	fd_close(&other_fds[0]);
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
		cmocka_unit_test(a_directory_is_listed_and_bundled_like_a_file),
		cmocka_unit_test(a_listing_is_remembered),
		cmocka_unit_test(a_secret_can_be_added_and_is_bundled_as_one),
		cmocka_unit_test(a_secret_takes_the_place_of_a_refusal),
		cmocka_unit_test(the_key_log_of_the_environment_is_bundled),
		cmocka_unit_test(the_cas_of_the_system_are_bundled),
		cmocka_unit_test(an_output_is_opened_once_and_listed),
		cmocka_unit_test(a_source_that_leaves_no_trace_makes_no_output),
		cmocka_unit_test(a_bundle_has_the_outputs_it_is_given),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
