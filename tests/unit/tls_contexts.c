#include "tls_contexts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tls/tls_ctx.h"

/* What is left of one attempt. */
struct attempt {
	struct tls_ctx *ctx;
	size_t errors;
	size_t warnings;
	char *text;
};

static struct attempt
attempt(struct fixture *it, const char *name, const char *lines)
{
	struct file_source *files = file_source_disk(it->dir);
	struct report *report = report_new();
	struct attempt result = {NULL, 0, 0, NULL};
	struct settings *settings;
	char path[512];
	char text[4096];
	size_t size;
	FILE *out;

	(void)snprintf(text, sizeof text,
		"[listener %s]\nlisten = 127.0.0.1:0\n"
		"backend = 127.0.0.1:9\n%s",
		name, lines);
	fixture_write(it, "context.ini", text);
	(void)snprintf(path, sizeof path, "%s/context.ini", it->dir);
	settings = settings_load(path, files, report);
	assert_int_equal(settings->n_listeners, 1);
	result.ctx = tls_ctx_new(&settings->listeners[0], files, report);
	out = open_memstream(&result.text, &size);
	assert_non_null(out);
	report_print(report, out);
	assert_int_equal(fclose(out), 0);
	result.errors = report_errors(report);
	result.warnings = report_warnings(report);
	settings_free(&settings);
	report_free(&report);
	file_source_free(&files);
	return result;
}

static void
forget(struct attempt *it)
{
	tls_ctx_unref(&it->ctx);
	free(it->text);
}

struct tls_ctx *
context_make(struct fixture *it, const char *name, const char *lines)
{
	struct attempt result = attempt(it, name, lines);

	if (result.ctx == NULL || result.errors > 0)
		fail_msg("no context:\n%s", result.text);
	free(result.text);
	return result.ctx;
}

void
context_fails(struct fixture *it, const char *lines, const char *text)
{
	struct attempt result = attempt(it, "gw", lines);

	if (result.ctx != NULL || result.errors == 0 ||
		strstr(result.text, text) == NULL)
		fail_msg("not refused: %s\nbut:\n%s", text, result.text);
	forget(&result);
}

void
context_warns(struct fixture *it, const char *lines, const char *text)
{
	struct attempt result = attempt(it, "gw", lines);

	if (result.ctx == NULL || result.warnings == 0 ||
		strstr(result.text, text) == NULL)
		fail_msg("no warning: %s\nbut:\n%s", text, result.text);
	forget(&result);
}

void
context_is_fine(struct fixture *it, const char *lines)
{
	struct attempt result = attempt(it, "gw", lines);

	if (result.ctx == NULL || result.warnings > 0 || result.errors > 0)
		fail_msg("found:\n%s", result.text);
	forget(&result);
}

void
context_write_secret(struct fixture *it, const char *text)
{
	char secret[64] = {0};

	(void)snprintf(secret, sizeof secret, "%s", text);
	fixture_write_bytes(it, "secret.bin", secret, sizeof secret);
}
