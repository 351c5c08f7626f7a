/* The configuration: any bytes as its text, read as a worker reads it. */
#include "config.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "conf/blob.h"
#include "conf/file_answer.h"
#include "conf/file_source.h"
#include "conf/ini_source.h"
#include "conf/report.h"
#include "conf/settings.h"
#include "fuzz.h"

#define NAME "t.ini"

static void
check_entry(const struct ini_entry *entry, void *arg)
{
	unsigned *last_line = arg;

	assert(entry->type != NULL && entry->name != NULL);
	assert((entry->key == NULL) == (entry->value == NULL));
	assert(entry->line >= *last_line);
	*last_line = entry->line;
}

static void
walk(const uint8_t *data, size_t size)
{
	struct report *report = report_new();
	unsigned last_line = 1;
	struct ini_source *source = ini_source_new(NAME, (const char *)data,
		size, check_entry, &last_line, report);

	while (ini_source_step(source))
		continue;
	ini_source_free(&source);
	report_free(&report);
}

/* A source with that one file, as the supervisor hands it to a worker. */
static struct file_source *
source_of(const uint8_t *data, size_t size)
{
	struct file_answers answers = {0};
	struct file_source *source;
	struct blob blob = {0};
	int fd;

	file_answer_set(
		file_answers_add(&answers, ANSWER_FILE, FILE_PUBLIC, NAME),
		data, size);
	file_answers_put(&answers, FILE_PUBLIC, &blob);
	file_answers_done(&answers);
	fd = fd_sealed_memfd("fuzz", blob.bytes, blob.len, NULL);
	blob_done(&blob);
	assert(fd >= 0);
	source = file_source_bundle(fd, -1, NULL);
	assert(source != NULL);
	(void)close(fd);
	return source;
}

/* What was found survives the way to another process. */
static void
check_report(const struct report *report)
{
	struct report *copy = report_new();
	int fd = report_to_fd(report, NULL);

	assert(fd >= 0);
	assert(report_merge_fd(copy, fd, NULL) == 0);
	assert(report_errors(copy) == report_errors(report));
	assert(report_warnings(copy) == report_warnings(report));
	(void)close(fd);
	report_free(&copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct file_source *source;
	struct report *report = report_new();
	struct settings *settings;

	walk(data, size);
	source = source_of(data, size);
	settings = settings_load(NAME, source, report);
	assert(settings != NULL);
	assert(report_errors(report) > 0 || settings->n_listeners > 0);
	check_report(report);
	settings_read_files(settings, source);
	settings_free(&settings);
	report_free(&report);
	file_source_free(&source);
	return 0;
}
