/* `sallyport check`: everything that a start would find, and no service. */
#include "check/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "conf/file_source.h"
#include "conf/report.h"
#include "conf/settings.h"
#include "tls/tls_ctx.h"

void
check_all(const char *path, struct report *report)
{
	struct file_source *files = file_source_beside(path);
	struct settings *settings = settings_load(path, files, report);
	struct tls_ctx *ctx;
	size_t i;

	tls_init();
	for (i = 0; i < settings->n_listeners; i++) {
		ctx = tls_ctx_new(&settings->listeners[i], files, report);
		tls_ctx_unref(&ctx);
	}
	settings_free(&settings);
	file_source_free(&files);
}

int
check_main(const char *path, bool strict)
{
	struct report *report = report_new();
	bool fine;

	check_all(path, report);
	fine = report_errors(report) == 0 &&
	       !(strict && report_warnings(report) > 0);
	report_print(report, stderr);
	report_print_count(report,
		fine ? "configuration is fine" : "configuration not loaded",
		stderr);
	report_free(&report);
	return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
