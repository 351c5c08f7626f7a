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

#include "base/mem.h"
#include "supervisor/path_walk.h"

static char *dir;    /* real, absolute */
static char *before; /* what every walk to DIR says first */

/* What was said, one step a line: "DIR NAME", "DIR/" or "FILE". */
struct said {
	char *text;
};

static void
add(enum path_step step, const char *at, const char *name, void *arg)
{
	struct said *said = arg;
	char *longer = NULL;

	switch (step) {
	case PATH_ENTRY:
		assert_non_null(name);
		longer = xasprintf("%s%s %s\n", said->text, at, name);
		break;
	case PATH_DIR:
		assert_null(name);
		longer = xasprintf("%s%s/\n", said->text, at);
		break;
	case PATH_FILE:
		assert_null(name);
		longer = xasprintf("%s%s\n", said->text, at);
		break;
	}
	free(said->text);
	said->text = longer;
}

static char *
walk(const char *path)
{
	struct said said = {.text = xstrdup("")};

	path_walk(path, add, &said);
	return said.text;
}

/* In WANTED, '$' is the directory of this test. */
static void
assert_walk(const char *path, const char *wanted)
{
	char *said = walk(path);
	char *text = xstrdup(before);

	for (const char *at = wanted; *at != '\0'; at++) {
		char *longer = *at == '$' ? xasprintf("%s%s", text, dir)
					  : xasprintf("%s%c", text, *at);

		free(text);
		text = longer;
	}
	assert_string_equal(said, text);
	free(said);
	free(text);
}

static void
assert_walk_in_dir(const char *name, const char *wanted)
{
	char *path = xasprintf("%s/%s", dir, name);

	assert_walk(path, wanted);
	free(path);
}

static int
make_tree(void **state)
{
	char template[] = "/tmp/test_path_walk.XXXXXX";
	FILE *out;

	(void)state;
	if (mkdtemp(template) == NULL)
		return -1;
	dir = realpath(template, NULL);
	if (dir == NULL || chdir(dir) < 0)
		return -1;
	before = walk(dir);
	/* Without the last line: that it ends there. */
	before[strlen(before) - strlen(dir) - strlen("/\n")] = '\0';
	out = fopen("file", "w");
	return out == NULL || fclose(out) != 0 || mkdir("d", 0700) < 0 ||
			       mkdir("d/..2026", 0700) < 0 ||
			       symlink("..2026", "d/..data") < 0 ||
			       symlink("..data/tls.crt", "d/tls.crt") < 0 ||
			       symlink("../../file", "d/..2026/tls.crt") < 0 ||
			       symlink(dir, "self") < 0 ||
			       symlink("loop", "loop") < 0
		       ? -1
		       : 0;
}

static int
remove_tree(void **state)
{
	(void)state;
	(void)unlink("loop");
	(void)unlink("self");
	(void)unlink("d/..2026/tls.crt");
	(void)unlink("d/tls.crt");
	(void)unlink("d/..data");
	(void)rmdir("d/..2026");
	(void)rmdir("d");
	(void)unlink("file");
	if (chdir("/") < 0 || rmdir(dir) < 0)
		return -1;
	free(dir);
	free(before);
	return 0;
}

static void
a_file_is_reached_through_its_directories(void **state)
{
	char *said = walk("/");

	(void)state;
	assert_string_equal(said, "//\n");
	free(said);
	assert_non_null(strstr(before, "/ "));
	assert_walk_in_dir("file", "$ file\n$/file\n");
	assert_walk_in_dir(".//./file", "$ file\n$/file\n");
}

static void
every_link_on_the_way_is_an_entry(void **state)
{
	(void)state;
	assert_walk_in_dir("d/tls.crt",
		"$ d\n$/d tls.crt\n$/d ..data\n$/d ..2026\n"
		"$/d/..2026 tls.crt\n$/d/..2026/../.. file\n"
		"$/d/..2026/../../file\n");
}

static void
an_absolute_link_starts_at_the_root_again(void **state)
{
	char *path = xasprintf("%s/self/file", dir);
	char *said = walk(path);
	char *wanted = xasprintf("%s%s self\n%s%s file\n%s/file\n", before, dir,
		before, dir, dir);

	(void)state;
	assert_string_equal(said, wanted);
	free(wanted);
	free(said);
	free(path);
}

static void
a_directory_is_an_end_as_well(void **state)
{
	(void)state;
	assert_walk_in_dir("d/..data", "$ d\n$/d ..data\n$/d ..2026\n"
				       "$/d/..2026/\n");
	assert_walk_in_dir("d/", "$ d\n$/d/\n");
}

static void
what_is_missing_ends_the_walk_where_it_would_appear(void **state)
{
	(void)state;
	assert_walk_in_dir("none/deeper/file", "$ none\n");
	assert_walk_in_dir("d/none", "$ d\n$/d none\n");
}

static void
a_file_in_the_middle_ends_the_walk(void **state)
{
	(void)state;
	assert_walk_in_dir("file/none", "$ file\n$/file\n");
}

static void
a_relative_path_starts_where_we_are(void **state)
{
	char *said = walk("d/none");

	(void)state;
	assert_string_equal(said, ". d\n./d none\n");
	free(said);
}

static void
links_in_a_circle_end(void **state)
{
	char *said = walk("loop");
	size_t n = 0;

	(void)state;
	for (const char *at = said; (at = strstr(at, ". loop\n")) != NULL; at++)
		n++;
	assert_int_equal(n, 41);
	free(said);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_reached_through_its_directories),
		cmocka_unit_test(every_link_on_the_way_is_an_entry),
		cmocka_unit_test(an_absolute_link_starts_at_the_root_again),
		cmocka_unit_test(a_directory_is_an_end_as_well),
		cmocka_unit_test(
			what_is_missing_ends_the_walk_where_it_would_appear),
		cmocka_unit_test(a_file_in_the_middle_ends_the_walk),
		cmocka_unit_test(a_relative_path_starts_where_we_are),
		cmocka_unit_test(links_in_a_circle_end),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
