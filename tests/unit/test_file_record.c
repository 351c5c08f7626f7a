#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "conf/file_record.h"
#include "conf/file_source.h"

static char dir[] = "/tmp/test_file_record.XXXXXX";
static const char *const names[] = {
	"cert.pem", "gw.key", "0000000a.0", "README", "keys.log", "new", NULL};

static char *
path_of(const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static void
write_file(const char *name, const char *text, mode_t mode)
{
	char *path = path_of(name);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, mode), 0);
	free(path);
}

static void
remove_file(const char *name)
{
	char *path = path_of(name);

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
	write_file("gw.key", "a key", 0600);
	write_file("0000000a.0", "a CA", 0644);
	write_file("README", "nobody reads me", 0644);
	return 0;
}

static int
remove_files(void **state)
{
	(void)state;
	for (size_t i = 0; names[i] != NULL; i++)
		remove_file(names[i]);
	return rmdir(dir);
}

/* Of something of each sort. */
static struct file_record *
record_now(void)
{
	struct file_source *source = file_source_disk(dir);
	const struct text_list *list;
	struct file_record *record;
	const char *bytes;
	size_t len;

	(void)file_source_read(
		source, "cert.pem", FILE_PUBLIC, &bytes, &len, NULL);
	(void)file_source_read(
		source, "cert.pem", FILE_SECRET, &bytes, &len, NULL);
	(void)file_source_read(
		source, "gw.key", FILE_SECRET, &bytes, &len, NULL);
	(void)file_source_read(source, "new", FILE_PUBLIC, &bytes, &len, NULL);
	(void)file_source_read(
		source, FILE_SOURCE_KEYLOG, FILE_PUBLIC, &bytes, &len, NULL);
	(void)file_source_read_dir(source, ".", &list, NULL);
	(void)file_source_read_dir(source, "none", &list, NULL);
	(void)file_source_output(source, "keys.log", NULL);
	(void)file_source_output(source, "/nonexistent/keys.log", NULL);
	file_source_add_secret(source, FILE_SOURCE_TICKET_SECRET, "x", 1);
	record = file_source_record(source);
	file_source_free(&source);
	return record;
}

/* WANTED: NULL is none; blanks between two. */
static void
assert_changed(const struct file_record *record, const char *wanted)
{
	struct file_source *source = file_source_disk(dir);
	struct text_list changed = {0};
	char text[256] = "";
	size_t at = 0;

	file_record_compare(record, source, &changed);
	for (size_t i = 0; i < changed.n; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "%s%s",
			i > 0 ? " " : "", changed.items[i]);
	assert_string_equal(text, wanted == NULL ? "" : wanted);
	text_list_done(&changed);
	file_source_free(&source);
}

static void
files_that_stay_have_not_changed(void **state)
{
	struct file_record *record = record_now();

	(void)state;
	assert_changed(record, NULL);
	file_record_free(&record);
	assert_null(record);
	file_record_free(&record);
}

static void
a_file_that_was_touched_has_not_changed(void **state)
{
	struct file_record *record = record_now();
	const struct timespec then[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	char *path = path_of("cert.pem");

	(void)state;
	assert_int_equal(utimensat(AT_FDCWD, path, then, 0), 0);
	assert_changed(record, NULL);
	file_record_free(&record);
	free(path);
}

static void
a_file_replaced_by_an_equal_one_has_not_changed(void **state)
{
	struct file_record *record = record_now();

	(void)state;
	remove_file("cert.pem");
	assert_changed(record, "cert.pem");
	write_file("cert.pem", "a certificate", 0644);
	assert_changed(record, NULL);
	file_record_free(&record);
}

static void
other_contents_of_the_same_size_are_a_change(void **state)
{
	struct file_record *record = record_now();

	(void)state;
	write_file("gw.key", "A key", 0600);
	assert_changed(record, "gw.key");
	write_file("cert.pem", "A certificate", 0600);
	assert_changed(record, "cert.pem gw.key");
	write_file("gw.key", "a key", 0600);
	write_file("cert.pem", "a certificate", 0644);
	assert_changed(record, NULL);
	file_record_free(&record);
}

static void
a_refusal_that_begins_or_ends_is_a_change(void **state)
{
	struct file_record *record = record_now();

	(void)state;
	write_file("gw.key", "a key", 0644);
	assert_changed(record, "gw.key");
	write_file("gw.key", "a key", 0600);
	write_file("new", "", 0600);
	assert_changed(record, "new");
	write_file("new", "No such file or directory", 0600);
	assert_changed(record, "new");
	remove_file("new");
	assert_changed(record, NULL);
	file_record_free(&record);
}

static void
of_a_directory_only_hash_links_count(void **state)
{
	struct file_record *record = record_now();

	(void)state;
	remove_file("README");
	assert_changed(record, NULL);
	remove_file("0000000a.0");
	assert_changed(record, ".");
	write_file("0000000a.0", "a CA", 0644);
	write_file("README", "nobody reads me", 0644);
	assert_changed(record, NULL);
	file_record_free(&record);
}

static void
paths_are_those_of_the_disk(void **state)
{
	struct file_record *record = record_now();
	static const char *const wanted[] = {
		"cert.pem", "cert.pem", "gw.key", "new", ".", "none"};
	struct text_list paths = {0};

	(void)state;
	file_record_paths(record, &paths);
	assert_int_equal(paths.n, sizeof wanted / sizeof wanted[0]);
	for (size_t i = 0; i < paths.n; i++) {
		char *path = path_of(wanted[i]);

		assert_string_equal(paths.items[i], path);
		free(path);
	}
	text_list_done(&paths);
	file_record_free(&record);
}

static void
the_cas_of_the_system_are_watched_where_they_are(void **state)
{
	struct file_source *source = file_source_disk("/nonexistent");
	char *cas = path_of("cert.pem");
	struct text_list paths = {0};
	struct file_record *record;
	const char *bytes;
	size_t len;

	(void)state;
	assert_int_equal(setenv("SSL_CERT_FILE", cas, 1), 0);
	assert_int_equal(unsetenv("SSL_CERT_DIR"), 0);
	(void)file_source_read(source, FILE_SOURCE_DEFAULT_CERTS, FILE_PUBLIC,
		&bytes, &len, NULL);
	record = file_source_record(source);
	file_source_free(&source);
	file_record_paths(record, &paths);
	assert_int_equal(paths.n, 1);
	assert_string_equal(paths.items[0], cas);
	write_file("cert.pem", "another", 0644);
	assert_changed(record, "load_default_certs");
	write_file("cert.pem", "a certificate", 0644);
	assert_changed(record, NULL);
	assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
	text_list_done(&paths);
	file_record_free(&record);
	free(cas);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_that_stay_have_not_changed),
		cmocka_unit_test(a_file_that_was_touched_has_not_changed),
		cmocka_unit_test(
			a_file_replaced_by_an_equal_one_has_not_changed),
		cmocka_unit_test(other_contents_of_the_same_size_are_a_change),
		cmocka_unit_test(a_refusal_that_begins_or_ends_is_a_change),
		cmocka_unit_test(of_a_directory_only_hash_links_count),
		cmocka_unit_test(paths_are_those_of_the_disk),
		cmocka_unit_test(
			the_cas_of_the_system_are_watched_where_they_are),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
