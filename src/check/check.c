/* `sallyport check`: everything that can be known without serving. */
#include "check/check.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/check_json.h"
#include "check/check_print.h"
#include "check/check_user.h"
#include "conf/file_source.h"
#include "conf/report.h"
#include "conf/settings.h"
#include "tls/tls_chain.h"
#include "tls/tls_cover.h"
#include "tls/tls_ctx.h"
#include "tls/tls_roots.h"

struct check {
	const char *listener; /* as in check_options */
	struct file_source *files;
	struct settings *settings;
	struct report *report;
};

struct file_source *
check_files(const char *path)
{
	/* The supervisor makes one per start; nothing is ever sealed here. */
	static const uint8_t secret[32];
	struct file_source *files = file_source_beside(path);

	/* Made now, a key log would belong to whoever checks. */
	file_source_leave_no_trace(files);
	file_source_add_secret(
		files, FILE_SOURCE_TICKET_SECRET, secret, sizeof secret);
	return files;
}

static void
check_open(struct check *check, const char *path)
{
	tls_init();
	check->files = check_files(path);
	check->settings = settings_load(path, check->files, check->report);
	check_user(check->settings, check->report);
}

static void
check_close(struct check *check)
{
	settings_free(&check->settings);
	file_source_free(&check->files);
}

typedef void (*section_fn)(struct check *check,
	const struct listener_settings *section, void *arg);

/* Each listener that is wanted, followed by its server names. */
static void
for_each_section(struct check *check, section_fn on_section, void *arg)
{
	const struct settings *settings = check->settings;

	for (size_t i = 0; i < settings->n_listeners; i++) {
		const struct listener_settings *listener =
			&settings->listeners[i];

		if (check->listener != NULL &&
			strcmp(check->listener, listener->name) != 0)
			continue;
		on_section(check, listener, arg);
		for (size_t k = 0; k < listener->n_overlays; k++)
			on_section(check, &listener->overlays[k], arg);
	}
}

static void
build(struct check *check, const struct listener_settings *section, void *arg)
{
	struct tls_ctx *ctx = tls_ctx_new(section, check->files, check->report);

	(void)arg;
	tls_ctx_unref(&ctx);
}

static void
prove(struct check *check, const struct listener_settings *section, void *arg)
{
	const struct tls_roots *roots = arg;

	tls_chain_check(roots, section, check->files, check->report);
	tls_cover_check(section, check->files, check->report);
}

/* Whoever runs one gateway for two worlds knows the CAs of both. */
static void
prove_all(struct check *check)
{
	const struct settings *settings = check->settings;
	struct tls_roots *roots = tls_roots_new();

	for (size_t i = 0; i < settings->n_listeners; i++) {
		const struct listener_settings *listener =
			&settings->listeners[i];

		tls_roots_add(roots, listener, check->files);
		for (size_t k = 0; k < listener->n_overlays; k++)
			tls_roots_add(
				roots, &listener->overlays[k], check->files);
	}
	for_each_section(check, prove, roots);
	tls_roots_free(&roots);
}

static void
count(struct check *check, const struct listener_settings *section, void *arg)
{
	size_t *n = arg;

	(void)check;
	(void)section;
	++*n;
}

/* A listener that was asked for and is not there must not pass as fine. */
static void
check_wanted(struct check *check)
{
	const struct conf_pos whole = {.file = check->settings->path};
	size_t n = 0;

	for_each_section(check, count, &n);
	if (n == 0 && check->listener != NULL)
		report_add(check->report, REPORT_ERROR, &whole, NULL,
			"there is no [listener %s] section", check->listener);
}

static void
print(struct check *check, const struct listener_settings *section, void *arg)
{
	check_print_section(section, check->files, arg);
}

static void
print_all(struct check *check, FILE *out)
{
	check_print_process(check->settings, out);
	for (size_t i = 0; i < check->settings->n_policies; i++)
		check_print_policy(&check->settings->policies[i], out);
	for_each_section(check, print, out);
}

void
check_all(const char *path, struct report *report)
{
	struct check check = {.report = report};

	check_open(&check, path);
	for_each_section(&check, build, NULL);
	check_close(&check);
}

/* Returns whether the configuration passes. */
static bool
conclude(const struct check_options *options, const struct report *report)
{
	bool fine = report_errors(report) == 0 &&
		    !(options->strict && report_warnings(report) > 0);

	if (options->json) {
		check_json_print(report, options->path, stdout);
		return fine;
	}
	report_print(report, stderr);
	report_print_count(report,
		fine ? "configuration is fine" : "configuration not loaded",
		stderr);
	return fine;
}

int
check_main(const struct check_options *options)
{
	struct check check = {
		.listener = options->listener, .report = report_new()};
	bool fine;

	check_open(&check, options->path);
	check_wanted(&check);
	for_each_section(&check, build, NULL);
	prove_all(&check);
	/* Of a file with errors nobody knows what was meant. */
	if (options->print && report_errors(check.report) == 0)
		print_all(&check, stdout);
	fine = conclude(options, check.report);
	report_free(&check.report);
	check_close(&check);
	/* What was printed may still wait for a disk that is full. */
	return fine && fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS
							      : EXIT_FAILURE;
}
