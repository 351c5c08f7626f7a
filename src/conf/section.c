#include "config.h"

#include "conf/section.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "conf/ini_source.h"
#include "conf/options.h"
#include "conf/section_kind.h"

#define OPTIONS_MAX 64

struct reading {
	struct section_list *list;
	const char *file;
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
section_free(struct section *section)
{
	for (size_t i = 0; i < section->n_values; i++)
		free(section->values[i].text);
	free(section->values);
	free(section->name);
	free(section->title);
	free(section);
}

static void
report_unknown_type(
	const struct reading *reading, const struct ini_entry *entry)
{
	const struct conf_pos pos = {
		.file = reading->file, .line = entry->line};
	const struct section_kind *near = section_kind_nearest(entry->type);

	report_add(reading->report, REPORT_ERROR, &pos, NULL,
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
is_usable(const struct reading *reading, const struct section *section)
{
	const struct section *first = find_same(reading->list, section);
	bool has_name = section->name[0] != '\0';

	if (has_name != section->kind->is_named) {
		report_add(reading->report, REPORT_ERROR, &section->pos,
			section->title,
			has_name ? "section takes no name: %s"
				 : "section has no name: %s",
			section->kind->form);
		return false;
	}
	if (first != NULL) {
		report_add(reading->report, REPORT_ERROR, &section->pos,
			section->title, "section given twice; first in line %u",
			first->pos.line);
		return false;
	}
	return true;
}

static void
on_header(struct reading *reading, const struct ini_entry *entry)
{
	const struct section_kind *kind = section_kind_find(entry->type);
	struct section_list *list = reading->list;
	struct section *section;

	reading->section = NULL;
	if (kind == NULL) {
		report_unknown_type(reading, entry);
		return;
	}
	section = section_new(kind, entry, reading->file);
	section->usable = is_usable(reading, section);
	if (section->usable)
		hash_index_add(&list->by_title, section->title,
			strlen(section->title), list->n);
	list->items = xreallocarray(
		list->items, list->n + 1, sizeof(struct section *));
	list->items[list->n++] = section;
	reading->section = section;
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
report_unknown_key(const struct reading *reading, const struct ini_entry *entry)
{
	const struct section *section = reading->section;
	const struct conf_pos pos = {
		.file = reading->file, .line = entry->line};
	const struct section_kind *home = section_kind_of_key(entry->key);
	const char *nearest = nearest_key(section, entry->key);

	if (home != NULL)
		report_add(reading->report, REPORT_ERROR, &pos, section->title,
			"key \"%s\" belongs in %s", entry->key, home->form);
	else if (nearest != NULL)
		report_add(reading->report, REPORT_ERROR, &pos, section->title,
			"unknown key \"%s\"; did you mean \"%s\"?", entry->key,
			nearest);
	else
		report_add(reading->report, REPORT_ERROR, &pos, section->title,
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

/* What is wrong with one more value of OPTION? False if nothing is. */
static bool
report_misplaced(const struct reading *reading, const struct option *option,
	const struct ini_entry *entry)
{
	const struct section *section = reading->section;
	const struct conf_pos pos = {
		.file = reading->file, .line = entry->line};
	unsigned first = 0;

	for (size_t i = section->n_values; i-- > 0;) {
		if (section->values[i].option == option)
			first = section->values[i].line;
	}
	if (entry->continues && is_indented_key(section, entry->value))
		report_add(reading->report, REPORT_ERROR, &pos, section->title,
			"indented, this line continues \"%s\"; remove the "
			"blanks before \"%s\"",
			entry->key, entry->value);
	else if (entry->continues && !option_is_list(option))
		report_add(reading->report, REPORT_ERROR, &pos, section->title,
			"%s takes one value; this indented line continues it",
			option->name);
	else if (first > 0 && !option_is_list(option))
		report_add(reading->report, REPORT_ERROR, &pos, section->title,
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
on_key(struct reading *reading, const struct ini_entry *entry)
{
	struct section *section = reading->section;
	const struct option *option;

	if (section == NULL)
		return;
	option = option_find(section->table, entry->key);
	if (option == NULL || (option->sections & section->in) == 0) {
		if (!entry->continues)
			report_unknown_key(reading, entry);
		return;
	}
	if (report_misplaced(reading, option, entry))
		return;
	if (option_is_words(option) && entry->value[0] != '\0')
		add_words(section, option, entry->value, entry->line);
	else
		add_value(section, option, entry->value, entry->line);
}

static void
on_entry(const struct ini_entry *entry, void *arg)
{
	struct reading *reading = arg;

	if (entry->key == NULL)
		on_header(reading, entry);
	else
		on_key(reading, entry);
}

void
section_list_read(struct section_list *list, const char *file, const char *text,
	size_t len, struct report *report)
{
	struct reading reading = {.list = list, .file = file, .report = report};
	const struct section *defaults;

	ini_source_walk(file, text, len, on_entry, &reading, report);
	defaults = section_find(list, IN_DEFAULTS);
	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i]->in == IN_LISTENER)
			list->items[i]->inherits = defaults;
	}
}

void
section_list_done(struct section_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		section_free(list->items[i]);
	free(list->items);
	hash_index_done(&list->by_title);
	*list = (struct section_list){0};
}

struct section *
section_find(const struct section_list *list, unsigned in)
{
	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i]->in == in && list->items[i]->usable)
			return list->items[i];
	}
	return NULL;
}

const struct section_value *
section_value(const struct section *section, const struct option *option,
	size_t index)
{
	for (size_t i = 0; i < section->n_values; i++) {
		const struct section_value *value = &section->values[i];

		if (value->option != option || value->broken)
			continue;
		if (index == 0)
			return value;
		index--;
	}
	return NULL;
}

bool
section_has(const struct section *section, const struct option *option)
{
	for (size_t i = 0; i < section->n_values; i++) {
		if (section->values[i].option == option)
			return true;
	}
	return false;
}

static bool
has_admission(const struct section *section)
{
	for (size_t i = 0; i < section->n_values; i++) {
		if (section->values[i].option->effect == EFFECT_ADMITS)
			return true;
	}
	return false;
}

const struct section *
section_source(const struct section *section, const struct option *option)
{
	if (section_has(section, option))
		return section;
	if (!option_is_inherited(option))
		return NULL;
	while (option->effect != EFFECT_ADMITS || !has_admission(section)) {
		section = section->inherits;
		if (section == NULL || section_has(section, option))
			return section;
	}
	return NULL;
}
