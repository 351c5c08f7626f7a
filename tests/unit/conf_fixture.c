#include "config.h"

#include "conf_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* TEXT as the bundle of a file source: the supervisor's way, but for the name
 * of the file. */
static struct file_source *
source_of(const char *text)
{
	char dir[] = "/tmp/conf_fixture.XXXXXX";
	struct file_source *disk, *bundle;
	const char *bytes = NULL;
	size_t len = 0;
	char path[64];
	FILE *out;
	int fd;

	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof path, "%s/t.ini", dir);
	out = fopen(path, "w");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	disk = file_source_disk(dir);
	assert_int_equal(file_source_read(disk, "t.ini", FILE_PUBLIC, &bytes,
				 &len, NULL),
		0);
	fd = file_source_to_bundle(disk, FILE_PUBLIC, NULL);
	bundle = file_source_bundle(fd, -1, NULL);
	assert_non_null(bundle);
	(void)close(fd);
	(void)unlink(path);
	(void)rmdir(dir);
	file_source_free(&disk);
	return bundle;
}

struct loaded
load(const char *text)
{
	struct loaded l;

	l.source = source_of(text);
	l.report = report_new();
	l.settings = settings_load("t.ini", l.source, l.report);
	return l;
}

void
unload(struct loaded *l)
{
	settings_free(&l->settings);
	report_free(&l->report);
	file_source_free(&l->source);
}

void
assert_findings(const struct loaded *l, const char *wanted)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	report_print(l->report, out);
	(void)fclose(out);
	assert_string_equal(text, wanted);
	free(text);
}

void
assert_load(const char *text, const char *wanted)
{
	struct loaded l = load(text);

	assert_findings(&l, wanted);
	unload(&l);
}
