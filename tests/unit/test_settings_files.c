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
#include "conf_fixture.h"

static char dir[] = "/tmp/test_settings_files.XXXXXX";
static const char *const names[] = {"t.ini", "a.pem", "b.pem", "b.key",
	"ca.pem", "crl.pem", "ticket", "default.pem", "cas/0000000a.0",
	"cas/0000000b.r0", "cas/README", NULL};

static const char conf[] =
	"[listener a]\nlisten = 127.0.0.1:1\nbackend = 127.0.0.1:9\n"
	"certfile = a.pem\ncafile = ca.pem\ncapath = cas\n"
	"load_default_certs = yes\ncrlfile = crl.pem\n"
	"[server_name x]\nlistener = a\nserver_name = x.example\n"
	"certfile = b.pem\nkeyfile = b.key\nticket_secret_file = ticket\n"
	"keylog_filename = b.log\n";

static char *
path_of(const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

/* Each file but the first holds its name. */
static int
make_files(void **state)
{
	char *cas;

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	cas = path_of("cas");
	(void)mkdir(cas, 0700);
	free(cas);
	for (size_t i = 0; names[i] != NULL; i++) {
		char *path = path_of(names[i]);
		FILE *out = fopen(path, "w");

		if (out == NULL || fputs(i == 0 ? conf : names[i], out) < 0 ||
			fclose(out) != 0 || chmod(path, 0600) != 0)
			return -1;
		free(path);
	}
	return 0;
}

static int
remove_files(void **state)
{
	char *cas = path_of("cas");

	(void)state;
	for (size_t i = 0; names[i] != NULL; i++) {
		char *path = path_of(names[i]);

		(void)unlink(path);
		free(path);
	}
	(void)rmdir(cas);
	free(cas);
	return rmdir(dir);
}

static void
remove_named(const char *name)
{
	char *path = path_of(name);

	assert_int_equal(unlink(path), 0);
	free(path);
}

static struct loaded
load_disk(void)
{
	char *path = path_of("t.ini");
	struct loaded l = {
		.source = file_source_beside(path), .report = report_new()};

	l.settings = settings_load(path, l.source, l.report);
	settings_read_files(l.settings, l.source);
	free(path);
	return l;
}

/* Loads what DISK, which is unloaded, has read, as a worker does. */
static struct loaded
load_bundle(struct loaded *disk)
{
	int public_fd = file_source_to_bundle(disk->source, FILE_PUBLIC, NULL);
	int secret_fd = file_source_to_bundle(disk->source, FILE_SECRET, NULL);
	char *path = path_of("t.ini");
	struct loaded l = {.report = report_new()};

	l.source = file_source_bundle(public_fd, secret_fd, NULL);
	assert_non_null(l.source);
	unload(disk);
	l.settings = settings_load(path, l.source, l.report);
	fd_close(&public_fd);
	fd_close(&secret_fd);
	free(path);
	return l;
}

static void
assert_answer(struct file_source *source, const char *path, enum file_kind kind,
	const char *wanted)
{
	const char *bytes = NULL;
	size_t len = 0;
	struct error err = {{0}};

	if (file_source_read(source, path, kind, &bytes, &len, &err) < 0)
		assert_string_equal(err.text, wanted);
	else
		assert_string_equal(bytes, wanted);
}

static void
every_file_of_every_section_is_in_the_bundles(void **state)
{
	static const char *const missing = "is not in the bundle of files";
	const struct text_list *listed = NULL;
	struct loaded disk, bundle;
	char *certs = path_of("default.pem");

	(void)state;
	assert_int_equal(setenv("SSL_CERT_FILE", certs, 1), 0);
	assert_int_equal(unsetenv("SSL_CERT_DIR"), 0);
	disk = load_disk();
	assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
	bundle = load_bundle(&disk);
	assert_int_equal(report_errors(bundle.report), 0);
	assert_answer(bundle.source, "a.pem", FILE_SECRET, "a.pem");
	assert_answer(bundle.source, "b.pem", FILE_PUBLIC, "b.pem");
	assert_answer(bundle.source, "b.pem", FILE_SECRET, missing);
	assert_answer(bundle.source, "b.key", FILE_SECRET, "b.key");
	assert_answer(bundle.source, "crl.pem", FILE_PUBLIC, "crl.pem");
	assert_answer(bundle.source, "ticket", FILE_SECRET, "ticket");
	assert_answer(bundle.source, settings_default_cafile(), FILE_PUBLIC,
		"default.pem\n");
	assert_int_equal(
		file_source_read_dir(bundle.source, "cas", &listed, NULL), 0);
	assert_int_equal(listed->n, 3);
	assert_answer(
		bundle.source, "cas/0000000a.0", FILE_PUBLIC, "cas/0000000a.0");
	assert_answer(bundle.source, "cas/0000000b.r0", FILE_PUBLIC,
		"cas/0000000b.r0");
	assert_answer(bundle.source, "cas/README", FILE_PUBLIC, missing);
	unload(&bundle);
	remove_named("b.log");
	free(certs);
}

static void
key_logs_of_every_section_are_outputs(void **state)
{
	struct loaded disk;
	int fd = -1;

	(void)state;
	assert_int_equal(setenv("SSLKEYLOGFILE", "/nonexistent/keys", 1), 0);
	disk = load_disk();
	assert_int_equal(unsetenv("SSLKEYLOGFILE"), 0);
	assert_string_equal(
		file_source_output_at(disk.source, 0, &fd), "b.log");
	assert_true(fd >= 0);
	assert_null(file_source_output_at(disk.source, 1, &fd));
	unload(&disk);
	remove_named("b.log");
}

/* What the worker's environment says does not matter. */
static void
the_key_log_of_the_environment_goes_where_none_is_written(void **state)
{
	struct loaded disk, bundle;
	const struct listener_settings *a;

	(void)state;
	assert_int_equal(setenv("SSLKEYLOGFILE", "/nonexistent/keys", 1), 0);
	disk = load_disk();
	assert_int_equal(setenv("SSLKEYLOGFILE", "/nonexistent/other", 1), 0);
	bundle = load_bundle(&disk);
	assert_int_equal(unsetenv("SSLKEYLOGFILE"), 0);
	a = &bundle.settings->listeners[0];
	assert_string_equal(a->tls.keylog_filename, "/nonexistent/keys");
	assert_string_equal(a->overlays[0].tls.keylog_filename, "b.log");
	assert_int_equal(settings_origin(a, "keylog_filename"), ORIGIN_DEFAULT);
	assert_int_equal(settings_pos(a, "keylog_filename", 0).line, 1);
	/* load_default_certs, and two key logs */
	assert_int_equal(report_warnings(bundle.report), 3);
	unload(&bundle);
	remove_named("b.log");
}

static void
hash_links_are_read_under_one_path_by_everybody(void **state)
{
	char *path = settings_hash_link("/cas", "9d66eef0.0");

	(void)state;
	assert_string_equal(path, "/cas/9d66eef0.0");
	free(path);
	path = settings_hash_link("cas/", "9d66eef0.r1");
	assert_string_equal(path, "cas//9d66eef0.r1");
	free(path);
	assert_null(settings_hash_link("cas", "README"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file_of_every_section_is_in_the_bundles),
		cmocka_unit_test(key_logs_of_every_section_are_outputs),
		cmocka_unit_test(
			the_key_log_of_the_environment_goes_where_none_is_written),
		cmocka_unit_test(
			hash_links_are_read_under_one_path_by_everybody),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
