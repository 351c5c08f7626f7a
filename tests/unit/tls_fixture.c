#include "tls_fixture.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tls/tls_ctx.h"

int
fixture_setup(void **state)
{
	struct fixture *it = calloc(1, sizeof *it);

	assert_non_null(it);
	(void)snprintf(it->dir, sizeof it->dir, "/tmp/sallyport-test-XXXXXX");
	assert_non_null(mkdtemp(it->dir));
	it->files = file_source_disk(it->dir);
	it->report = report_new();
	tls_init();
	*state = it;
	return 0;
}

static void
path_of(const struct fixture *it, const char *name, char out[512])
{
	(void)snprintf(out, 512, "%s/%s", it->dir, name);
}

static void
remove_dir(struct fixture *it)
{
	DIR *dir = opendir(it->dir);
	struct dirent *entry;
	char path[512];

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		path_of(it, entry->d_name, path);
		if (entry->d_name[0] != '.')
			assert_int_equal(unlink(path), 0);
	}
	(void)closedir(dir);
	assert_int_equal(rmdir(it->dir), 0);
}

int
fixture_teardown(void **state)
{
	struct fixture *it = *state;

	remove_dir(it);
	settings_free(&it->settings);
	report_free(&it->report);
	file_source_free(&it->files);
	free(it->text);
	free(it);
	return 0;
}

void
fixture_write_bytes(
	struct fixture *it, const char *name, const void *bytes, size_t len)
{
	char path[512];
	FILE *file;

	path_of(it, name, path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fchmod(fileno(file), 0600), 0);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

void
fixture_write(struct fixture *it, const char *name, const char *text)
{
	fixture_write_bytes(it, name, text, strlen(text));
}

void
fixture_write_cert(
	struct fixture *it, const char *name, const struct cert *cert)
{
	char file[64];
	char *pem = cert_pem(cert);
	char *key = cert_key_pem(cert, NULL);

	(void)snprintf(file, sizeof file, "%s.pem", name);
	fixture_write(it, file, pem);
	(void)snprintf(file, sizeof file, "%s.key", name);
	fixture_write(it, file, key);
	free(pem);
	free(key);
}

void
fixture_configure(struct fixture *it, const char *lines)
{
	char text[8192];
	char path[512];
	int len = snprintf(text, sizeof text,
		"[listener gw]\nlisten = 127.0.0.1:0\n"
		"backend = 127.0.0.1:9\n%s",
		lines);

	assert_true(len >= 0 && (size_t)len < sizeof text);
	fixture_write(it, "sallyport.ini", text);
	path_of(it, "sallyport.ini", path);
	it->settings = settings_load(path, it->files, it->report);
	assert_int_equal(it->settings->n_listeners, 1);
	it->listener = &it->settings->listeners[0];
	it->load = (struct tls_load){it->listener, it->files, it->report};
}

const char *
fixture_report(struct fixture *it)
{
	size_t size;
	FILE *out;

	free(it->text);
	it->text = NULL;
	out = open_memstream(&it->text, &size);
	assert_non_null(out);
	report_print(it->report, out);
	assert_int_equal(fclose(out), 0);
	return it->text;
}

void
fixture_assert_reported(struct fixture *it, const char *text)
{
	if (strstr(fixture_report(it), text) == NULL)
		fail_msg("not reported: %s\nbut:\n%s", text, it->text);
}

void
fixture_assert_no_secret(struct fixture *it, const struct cert *cert)
{
	const char *report = fixture_report(it);
	char *pem = cert_key_pem(cert, NULL);
	char *rest = NULL;

	/* Any run of eight characters of the base64 text. */
	for (char *line = strtok_r(pem, "\n", &rest); line != NULL;
		line = strtok_r(NULL, "\n", &rest)) {
		for (size_t i = 0; line[0] != '-' && i + 8 <= strlen(line);
			i++) {
			char bit[9];

			(void)snprintf(bit, sizeof bit, "%.8s", line + i);
			assert_null(strstr(report, bit));
		}
	}
	free(pem);
}

struct tls_ctx *
fixture_ctx(struct fixture *it)
{
	struct tls_ctx *ctx = tls_ctx_new(it->listener, it->files, it->report);

	if (ctx == NULL)
		fail_msg("no context:\n%s", fixture_report(it));
	return ctx;
}
