/* The example in etc/ against the tables of options. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/disk_file.h"
#include "conf/file_source.h"
#include "conf/options.h"
#include "conf/report.h"
#include "conf/settings.h"

static char *path;
static char *example; /* with a newline before it */

static int
read_example(void **state)
{
	const char *srcdir = getenv("srcdir");
	char *text = NULL;
	size_t len = 0;

	(void)state;
	path = xasprintf(
		"%s/etc/sallyport.ini.example", srcdir == NULL ? "." : srcdir);
	if (disk_file_read(path, false, 65536, &text, &len, NULL) < 0)
		return -1;
	example = xasprintf("\n%s", text);
	free(text);
	return 0;
}

static int
free_example(void **state)
{
	(void)state;
	free(example);
	free(path);
	return 0;
}

/* The options of the file are those of the table: "name =" or ";name =". */
static bool
has_line(const char *section, const char *mark, const char *name)
{
	char *line = xasprintf("\n%s%s =", mark, name);
	bool found = strstr(section, line) != NULL;

	free(line);
	return found;
}

static char *
section_of(const char *header)
{
	const char *start = strstr(example, header);
	const char *end;

	assert_non_null(start);
	end = strstr(start + strlen(header), "\n[");
	return end == NULL ? xstrdup(start)
			   : xstrndup(start, (size_t)(end - start) + 1);
}

static void
every_option_of_the_process_is_shown(void **state)
{
	char *section = section_of("\n[sallyport]\n");

	(void)state;
	for (const struct option *o = process_options; o->name != NULL; o++) {
		if (!has_line(section, "", o->name) &&
			!has_line(section, ";", o->name))
			fail_msg("%s is not in [sallyport]", o->name);
	}
	free(section);
}

static void
every_option_of_a_listener_is_shown_in_a_section_of_its_own(void **state)
{
	char *defaults = section_of("\n[defaults]\n");
	char *listener = section_of("\n[listener gw]\n");
	char *server_name = section_of("\n[server_name admin]\n");
	char *policy = section_of("\n[policy ops]\n");

	(void)state;
	for (const struct option *o = listener_options; o->name != NULL; o++) {
		bool in_defaults = has_line(defaults, "", o->name) ||
				   has_line(defaults, ";", o->name);
		bool in_listener = has_line(listener, "", o->name) ||
				   has_line(listener, ";", o->name);
		bool in_server_name = has_line(server_name, "", o->name);
		bool in_policy = has_line(policy, "", o->name) ||
				 has_line(policy, ";", o->name);

		if (in_defaults && (o->sections & IN_DEFAULTS) == 0)
			fail_msg("%s must not be in [defaults]", o->name);
		if (in_listener && (o->sections & IN_LISTENER) == 0)
			fail_msg("%s must not be in [listener]", o->name);
		if (in_policy && (o->sections & IN_POLICY) == 0)
			fail_msg("%s must not be in [policy]", o->name);
		if (!in_defaults && !in_listener && !in_server_name &&
			!in_policy)
			fail_msg("%s is not in the example", o->name);
	}
	free(policy);
	free(server_name);
	free(defaults);
	free(listener);
}

static void
check_default(const struct option *option)
{
	char *line = xasprintf("\n;%s =%s%s\n", option->name,
		option->def == NULL ? "" : " ",
		option->def == NULL ? "" : option->def);

	if (has_line(example, ";", option->name) &&
		strstr(example, line) == NULL)
		fail_msg("the default of %s is shown as another", option->name);
	free(line);
}

static void
what_is_commented_out_is_the_default(void **state)
{
	const struct option *verify_mode =
		option_find(listener_options, "verify_mode");

	(void)state;
	for (const struct option *o = process_options; o->name != NULL; o++)
		check_default(o);
	for (const struct option *o = listener_options; o->name != NULL; o++) {
		/* Its default depends on cafile, which the example has. */
		if (o != verify_mode)
			check_default(o);
	}
}

/* The example with or without what is commented out. */
static void
assert_loads(const char *text, size_t n_warnings)
{
	char name[] = "/tmp/test_example.XXXXXX";
	int fd = mkstemp(name);
	FILE *out = fdopen(fd, "w");
	struct file_source *source = file_source_beside(name);
	struct report *report = report_new();
	struct settings *settings;

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	settings = settings_load(name, source, report);
	(void)unlink(name);
	report_print(report, stderr);
	assert_int_equal(report_errors(report), 0);
	assert_int_equal(report_warnings(report), n_warnings);
	assert_int_equal(settings->n_listeners, 1);
	assert_int_equal(settings->listeners[0].n_overlays, 1);
	assert_int_equal(settings->n_policies, 1);
	assert_int_equal(
		settings->listeners[0].tls.verify_mode, VERIFY_REQUIRED);
	settings_free(&settings);
	report_free(&report);
	file_source_free(&source);
}

static void
the_example_is_a_good_configuration(void **state)
{
	(void)state;
	assert_loads(example, 0);
}

static void
so_it_is_with_every_default_written_out(void **state)
{
	char *text = xstrdup(example);

	(void)state;
	for (char *c = text; (c = strstr(c, "\n;")) != NULL; c++) {
		const char *end = strchr(c + 1, '\n');

		/* Options without a default stay comments. */
		if (end != NULL && end[-1] != '=')
			memcpy(c, "\n ", 2);
	}
	/* An indented line must not continue the one above. */
	for (char *c = text; (c = strstr(c, "\n ")) != NULL; c++)
		memmove(c + 1, c + 2, strlen(c + 2) + 1);
	assert_non_null(strstr(text, "\nworkers = auto\n"));
	assert_loads(text, 0);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_option_of_the_process_is_shown),
		cmocka_unit_test(
			every_option_of_a_listener_is_shown_in_a_section_of_its_own),
		cmocka_unit_test(what_is_commented_out_is_the_default),
		cmocka_unit_test(the_example_is_a_good_configuration),
		cmocka_unit_test(so_it_is_with_every_default_written_out),
	};

	return cmocka_run_group_tests(tests, read_example, free_example);
}
