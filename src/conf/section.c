#include "config.h"

#include "conf/section.h"

#include <stdlib.h>
#include <string.h>

#include "conf/options.h"

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

bool
section_list_free_last(struct section_list *list)
{
	if (list->n == 0)
		return false;
	section_free(list->items[--list->n]);
	return true;
}

void
section_list_done(struct section_list *list)
{
	while (section_list_free_last(list))
		continue;
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
