#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/disk_file.h"
#include "conf/options.h"

/*
 * sallyport.ini.5 against the tables of options. An option stands there as
 *	.It Ic NAME No = Ar TYPE Pq DEFAULT
 * in the section of its table, and its entry names every choice it has.
 */
struct part {
	const char *title;
	const struct option *table;
};

static const struct part parts[] = {
	{"PROCESS OPTIONS", process_options},
	{"LISTENER OPTIONS", listener_options},
};

#define N_PARTS (sizeof parts / sizeof parts[0])

static char *manual;

static int
read_manual(void **state)
{
	const char *srcdir = getenv("srcdir"); /* make check sets it */
	char *path = xasprintf(
		"%s/man/sallyport.ini.5", srcdir == NULL ? "." : srcdir);
	size_t len;
	int result = disk_file_read(path, false, 65536, &manual, &len, NULL);

	(void)state;
	free(path);
	return result;
}

static int
forget_manual(void **state)
{
	(void)state;
	free(manual);
	manual = NULL;
	return 0;
}

/* From the newline before START to the one before END; the caller frees. */
static char *
cut_out(const char *text, const char *start, const char *end)
{
	const char *from = strstr(text, start);
	const char *to;

	if (from == NULL)
		return NULL;
	to = strstr(from + 1, end);
	return to == NULL ? xstrdup(from)
			  : xstrndup(from, (size_t)(to - from) + 1);
}

static char *
section_of(const struct part *part)
{
	char *start = xasprintf("\n.Sh %s\n", part->title);
	char *section = cut_out(manual, start, "\n.Sh ");

	if (section == NULL)
		fail_msg("the manual has no section %s", part->title);
	free(start);
	return section;
}

static const char *
type_word(enum option_type type)
{
	switch (type) {
	case OPT_BOOL:
		return "bool";
	case OPT_INT:
		return "int";
	case OPT_DURATION_MS:
		return "duration";
	case OPT_TEXT:
	case OPT_RULE_TEXT:
		return "text";
	case OPT_CIDR_LIST:
		return "ranges";
	case OPT_PATH:
	case OPT_PATH_LIST:
		return "path";
	case OPT_SECRET:
	case OPT_SECRET_LIST:
		return "secret";
	case OPT_COLON_LIST:
	case OPT_WORD_LIST:
	case OPT_RULE_LIST:
	case OPT_SERIAL_LIST:
	case OPT_SET:
		return "words";
	case OPT_NAME_LIST:
		return "names";
	case OPT_PEM:
		return "pem";
	case OPT_FLAGS:
		return "flags";
	case OPT_CHOICE:
		return "choice";
	case OPT_LISTEN_LIST:
	case OPT_BACKEND:
		return "addr";
	}
	fail_msg("type %d has no word", (int)type);
	return "";
}

/* The line that an option's entry must begin with, newlines around it. */
static char *
wanted_head(const struct option *option)
{
	const char *type = type_word(option->type);

	if (option->required != 0)
		return xasprintf("\n.It Ic %s No = Ar %s Pq required\n",
			option->name, type);
	if (option->def == NULL)
		return xasprintf("\n.It Ic %s No = Ar %s Pq no default\n",
			option->name, type);
	return xasprintf("\n.It Ic %s No = Ar %s Pq default Cm %s\n",
		option->name, type, option->def);
}

static void
check_choices(const struct option *option, const char *entry)
{
	for (const char *const *choice = option->choices; *choice != NULL;
		choice++) {
		char *alone = xasprintf("\n.Cm %s\n", *choice);
		char *more = xasprintf("\n.Cm %s ", *choice);

		if (strstr(entry, alone) == NULL && strstr(entry, more) == NULL)
			fail_msg("the entry of %s does not name %s",
				option->name, *choice);
		free(alone);
		free(more);
	}
}

static void
check_entry(const struct option *option, const char *section)
{
	char *head = wanted_head(option);
	char *entry = cut_out(section, head, "\n.It ");

	if (entry == NULL)
		fail_msg("the manual lacks the line%s", head);
	else if (strlen(entry) == strlen(head))
		fail_msg("the entry of %s is empty", option->name);
	else if (option->choices != NULL)
		check_choices(option, entry);
	free(entry);
	free(head);
}

static void
every_option_is_in_the_manual_with_type_and_default(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_PARTS; i++) {
		char *section = section_of(&parts[i]);

		for (const struct option *option = parts[i].table;
			option->name != NULL; option++)
			check_entry(option, section);
		free(section);
	}
}

static void
the_manual_has_no_option_that_the_program_lacks(void **state)
{
	static const char item[] = "\n.It Ic ";

	(void)state;
	for (size_t i = 0; i < N_PARTS; i++) {
		char *section = section_of(&parts[i]);
		const char *at = section;

		while ((at = strstr(at, item)) != NULL) {
			const size_t len = strcspn(at += strlen(item), " \n");
			char *name = xstrndup(at, len);

			if (option_find(parts[i].table, name) == NULL)
				fail_msg("%s: there is no %s", parts[i].title,
					name);
			free(name);
		}
		free(section);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_option_is_in_the_manual_with_type_and_default),
		cmocka_unit_test(
			the_manual_has_no_option_that_the_program_lacks),
	};

	return cmocka_run_group_tests(tests, read_manual, forget_manual);
}
