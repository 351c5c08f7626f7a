/* From the text of a configuration to its sections. */
#include "config.h"

#include "conf/section_reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "conf/ini_source.h"
#include "conf/options.h"
#include "conf/section.h"
#include "conf/section_kind.h"

#define OPTIONS_MAX 64

struct section_reader {
	struct section_list *list;
	const char *file;
	struct ini_source *source;
	struct section *section; /* NULL: keys are skipped */
	struct report *report;
};

static struct section *
section_new(const struct section_kind *kind, const struct ini_entry *entry,
	const char *file)
{
	struct section *section = xcalloc(1, sizeof *section);

	section->kind = kind;
	section->table = kind->table;
	section->in = kind->in;
	section->name = xstrdup(entry->name);
	section->title = xasprintf("%s%s%s", entry->type,
		entry->name[0] == '\0' ? "" : " ", entry->name);
	section->pos = (struct conf_pos){.file = file, .line = entry->line};
	return section;
}

static void
report_unknown_type(
	const struct section_reader *reader, const struct ini_entry *entry)
{
	const struct conf_pos pos = {.file = reader->file, .line = entry->line};
	const struct section_kind *near = section_kind_nearest(entry->type);

	report_add(reader->report, REPORT_ERROR, &pos, NULL,
		"unknown section [%s%s%s]%s%s%s", entry->type,
		entry->name[0] == '\0' ? "" : " ", entry->name,
		near == NULL ? "" : "; did you mean ",
		near == NULL ? "" : near->form, near == NULL ? "" : "?");
}

/* What is looked for. */
struct wanted {
	const struct section_list *list;
	const char *title;
};

static bool
is_wanted(size_t place, const void *arg)
{
	const struct wanted *wanted = arg;

	return strcmp(wanted->list->items[place]->title, wanted->title) == 0;
}

static const struct section *
find_same(const struct section_list *list, const struct section *section)
{
	const struct wanted wanted = {list, section->title};
	size_t place = hash_index_find(&list->by_title, section->title,
		strlen(section->title), is_wanted, &wanted);

	return place == HASH_INDEX_NONE ? NULL : list->items[place];
}

/* Reports what is wrong with the header itself. */
static bool
is_usable(const struct section_reader *reader, const struct section *section)
{
	const struct section *first = find_same(reader->list, section);
	bool has_name = section->name[0] != '\0';

	if (has_name != section->kind->is_named) {
		report_add(reader->report, REPORT_ERROR, &section->pos,
			section->title,
			has_name ? "section takes no name: %s"
				 : "section has no name: %s",
			section->kind->form);
		return false;
	}
	if (first != NULL) {
		report_add(reader->report, REPORT_ERROR, &section->pos,
			section->title, "section given twice; first in line %u",
			first->pos.line);
		return false;
	}
	return true;
}

static void
on_header(struct section_reader *reader, const struct ini_entry *entry)
{
	const struct section_kind *kind = section_kind_find(entry->type);
	struct section_list *list = reader->list;
	struct section *section;

	reader->section = NULL;
	if (kind == NULL) {
		report_unknown_type(reader, entry);
		return;
	}
	section = section_new(kind, entry, reader->file);
	section->usable = is_usable(reader, section);
	if (section->usable)
		hash_index_add(&list->by_title, section->title,
			strlen(section->title), list->n);
	list->items = xreallocarray(
		list->items, list->n + 1, sizeof(struct section *));
	list->items[list->n++] = section;
	reader->section = section;
}

static const char *
nearest_key(const struct section *section, const char *key)
{
	const char *names[OPTIONS_MAX + 1] = {NULL};
	size_t n = 0;

	for (const struct option *o = section->table; o->name != NULL; o++) {
		if ((o->sections & section->in) != 0 && n < OPTIONS_MAX)
			names[n++] = o->name;
	}
	return text_nearest(key, names);
}

static void
report_unknown_key(
	const struct section_reader *reader, const struct ini_entry *entry)
{
	const struct section *section = reader->section;
	const struct conf_pos pos = {.file = reader->file, .line = entry->line};
	const struct section_kind *home = section_kind_of_key(entry->key);
	const char *nearest = nearest_key(section, entry->key);

	if (home != NULL)
		report_add(reader->report, REPORT_ERROR, &pos, section->title,
			"key \"%s\" belongs in %s", entry->key, home->form);
	else if (nearest != NULL)
		report_add(reader->report, REPORT_ERROR, &pos, section->title,
			"unknown key \"%s\"; did you mean \"%s\"?", entry->key,
			nearest);
	else
		report_add(reader->report, REPORT_ERROR, &pos, section->title,
			"unknown key \"%s\"", entry->key);
}

/*
 * Is the continuation "name = ..." with a name that this section knows? Then
 * the blanks before it were an accident, and taking it for a value would drop
 * an option: silently so in a cipher list.
 */
static bool
is_indented_key(const struct section *section, const char *text)
{
	size_t len = strcspn(text, "=");
	char *name;
	bool is_key;

	if (text[len] == '\0')
		return false;
	name = xstrndup(text, len);
	is_key = option_find(section->table, text_trim(name)) != NULL;
	free(name);
	return is_key;
}

/* Where OPTION was given first; 0: not yet. */
static unsigned
first_line(const struct section *section, const struct option *option)
{
	for (size_t i = 0; i < section->n_values; i++) {
		if (section->values[i].option == option)
			return section->values[i].line;
	}
	return 0;
}

/* What is wrong with one more value of OPTION? False if nothing is. */
static bool
report_misplaced(const struct section_reader *reader,
	const struct option *option, const struct ini_entry *entry)
{
	const struct section *section = reader->section;
	const struct conf_pos pos = {.file = reader->file, .line = entry->line};
	/* Lists may be long: nobody searches them for each of their lines. */
	bool is_list = option_is_list(option);
	unsigned first = is_list ? 0 : first_line(section, option);

	if (entry->continues && is_indented_key(section, entry->value))
		report_add(reader->report, REPORT_ERROR, &pos, section->title,
			"indented, this line continues \"%s\"; remove the "
			"blanks before \"%s\"",
			entry->key, entry->value);
	else if (entry->continues && !is_list)
		report_add(reader->report, REPORT_ERROR, &pos, section->title,
			"%s takes one value; this indented line continues it",
			option->name);
	else if (first > 0)
		report_add(reader->report, REPORT_ERROR, &pos, section->title,
			"%s given twice; first in line %u", option->name,
			first);
	else
		return false;
	return true;
}

static void
add_value(struct section *section, const struct option *option,
	const char *text, unsigned line)
{
	section->values = xreallocarray(section->values, section->n_values + 1,
		sizeof *section->values);
	section->values[section->n_values++] = (struct section_value){
		.option = option, .text = xstrdup(text), .line = line};
}

/* One value per word, so that the place of each is known. */
static void
add_words(struct section *section, const struct option *option,
	const char *text, unsigned line)
{
	char *copy = xstrdup(text);
	char *rest = copy;

	for (char *word; (word = strsep(&rest, " \t")) != NULL;) {
		if (*word != '\0')
			add_value(section, option, word, line);
	}
	free(copy);
}

static void
on_key(struct section_reader *reader, const struct ini_entry *entry)
{
	struct section *section = reader->section;
	const struct option *option;

	if (section == NULL)
		return;
	option = option_find(section->table, entry->key);
	if (option == NULL || (option->sections & section->in) == 0) {
		if (!entry->continues)
			report_unknown_key(reader, entry);
		return;
	}
	if (report_misplaced(reader, option, entry))
		return;
	if (option_is_words(option) && entry->value[0] != '\0')
		add_words(section, option, entry->value, entry->line);
	else
		add_value(section, option, entry->value, entry->line);
}

static void
on_entry(const struct ini_entry *entry, void *arg)
{
	struct section_reader *reader = arg;

	if (entry->key == NULL)
		on_header(reader, entry);
	else
		on_key(reader, entry);
}

struct section_reader *
section_reader_new(struct section_list *list, const char *file,
	const char *text, size_t len, struct report *report)
{
	struct section_reader *reader = xcalloc(1, sizeof *reader);

	*reader = (struct section_reader){
		.list = list, .file = file, .report = report};
	reader->source =
		ini_source_new(file, text, len, on_entry, reader, report);
	return reader;
}

static void
link_to_defaults(struct section_list *list)
{
	const struct section *defaults = section_find(list, IN_DEFAULTS);

	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i]->in == IN_LISTENER)
			list->items[i]->inherits = defaults;
	}
}

bool
section_reader_step(struct section_reader *reader)
{
	if (ini_source_step(reader->source))
		return true;
	link_to_defaults(reader->list);
	return false;
}

void
section_reader_free(struct section_reader **reader)
{
	struct section_reader *gone = *reader;

	*reader = NULL;
	if (gone == NULL)
		return;
	ini_source_free(&gone->source);
	free(gone);
}
