#include "config.h"

#include "conf/option_words.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cidr.h"
#include "base/error.h"
#include "base/mem.h"
#include "conf/options.h"
#include "conf/rule_value.h"
#include "conf/server_name.h"
#include "conf/settings.h"

char *
option_next_word(char **rest)
{
	char *word;

	do
		word = strsep(rest, " \t");
	while (word != NULL && *word == '\0');
	return word;
}

static int
add_plain(const struct option *option, struct text_list *list, const char *word,
	struct error *err)
{
	const size_t len = strlen(word);

	if (len < (size_t)option->min || len > (size_t)option->max)
		return error_set(err, "\"%s\" is longer than %zu bytes", word,
			(size_t)option->max);
	text_list_add(list, word);
	return 0;
}

static int
add_name(struct text_list *list, const char *word, struct error *err)
{
	char name[SERVER_NAME_SIZE];

	if (server_name_parse(word, name, err) < 0)
		return -1;
	text_list_add(list, name);
	return 0;
}

static int
add_serial(struct text_list *list, const char *word, struct error *err)
{
	if (rule_value_check_serial(word, err) < 0)
		return -1;
	text_list_add(list, word);
	rule_value_normalise_serial(list->items[list->n - 1]);
	return 0;
}

int
option_add_line(const struct option *option, struct text_list *list,
	const char *text, struct error *err)
{
	const enum rule_kind kind = (enum rule_kind)option->rule;

	if (rule_value_check(kind, text, err) < 0)
		return -1;
	text_list_add(list, text);
	rule_value_normalise(kind, list->items[list->n - 1]);
	return 0;
}

static int
add_word(const struct option *option, struct text_list *list, const char *word,
	struct error *err)
{
	if (option->type == OPT_NAME_LIST)
		return add_name(list, word, err);
	if (option->type == OPT_RULE_LIST)
		return option_add_line(option, list, word, err);
	if (option->type == OPT_SERIAL_LIST)
		return add_serial(list, word, err);
	assert(option->type == OPT_WORD_LIST);
	return add_plain(option, list, word, err);
}

int
option_add_words(const struct option *option, struct text_list *list,
	const char *text, struct error *err)
{
	char *copy = xstrdup(text);
	char *rest = copy;
	struct text_list more = {0};
	int rc = 0;

	for (char *word; rc == 0 && (word = option_next_word(&rest)) != NULL;)
		rc = add_word(option, &more, word, err);
	for (size_t i = 0; rc == 0 && i < more.n; i++)
		text_list_add(list, more.items[i]);
	text_list_done(&more);
	free(copy);
	return rc;
}

int
option_add_items(struct option_items *items, const char *text,
	option_parse_fn parse, struct error *err)
{
	char *copy = xstrdup(text);
	char *rest = copy;
	size_t size = items->size, n = 0;
	char *more = NULL;
	int rc = 0;

	for (char *word; rc == 0 && (word = option_next_word(&rest)) != NULL;) {
		more = xreallocarray(more, ++n, size);
		rc = parse(word, more + (n - 1) * size, err);
	}
	if (rc == 0 && n > 0) {
		items->at = xreallocarray(items->at, items->n + n, size);
		memcpy((char *)items->at + items->n * size, more, n * size);
		items->n += n;
	}
	free(more);
	free(copy);
	return rc;
}

static int
parse_cidr(const char *word, void *item, struct error *err)
{
	return cidr_parse(word, item, err);
}

int
option_add_cidrs(struct cidr_list *list, const char *text, struct error *err)
{
	struct option_items items = {list->items, list->n, sizeof *list->items};
	int rc = option_add_items(&items, text, parse_cidr, err);

	list->items = items.at;
	list->n = items.n;
	return rc;
}
