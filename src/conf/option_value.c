#include "config.h"

#include "conf/option_value.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "conf/option_words.h"
#include "conf/options.h"
#include "conf/settings.h"

static int
set_int(const struct option *option, int64_t *out, const char *text,
	struct error *err)
{
	struct error why;

	if ((option->zero_word != NULL &&
		    strcmp(text, option->zero_word) == 0) ||
		(option->zero_ok && strcmp(text, "0") == 0)) {
		*out = 0;
		return 0;
	}
	if (units_parse_int(text, option->min, option->max, out, &why) == 0)
		return 0;
	if (option->zero_word != NULL)
		return error_set(err, "%s, or %s", why.text, option->zero_word);
	return error_set(
		err, "%s%s", why.text, option->zero_ok ? ", or 0" : "");
}

static int
set_duration(const struct option *option, uint64_t *out, const char *text,
	struct error *err)
{
	char min[32], max[32];
	uint64_t ms = 0;

	if (units_parse_duration_ms(text, &ms, err) < 0)
		return -1;
	if ((ms != 0 || !option->zero_ok) &&
		(ms < (uint64_t)option->min || ms > (uint64_t)option->max)) {
		units_format_duration((uint64_t)option->min, min, sizeof min);
		units_format_duration((uint64_t)option->max, max, sizeof max);
		return error_set(err, "\"%s\" is not between %s and %s%s", text,
			min, max, option->zero_ok ? ", or 0" : "");
	}
	*out = ms;
	return 0;
}

/* All of CHOICES, for an error. */
static void
list_choices(const char *const *choices, char *out, size_t out_size)
{
	size_t len = 0;

	for (size_t i = 0; choices[i] != NULL; i++) {
		len += (size_t)snprintf(out + len, out_size - len, "%s%s",
			i == 0 ? "" : ", ", choices[i]);
		assert(len < out_size);
	}
}

static int
set_choice(const struct option *option, int *out, const char *text,
	struct error *err)
{
	char all[256] = "";

	for (int i = 0; option->choices[i] != NULL; i++) {
		if (strcmp(option->choices[i], text) == 0) {
			*out = i;
			return 0;
		}
	}
	list_choices(option->choices, all, sizeof all);
	return error_set(err, "\"%s\" is not one of: %s", text, all);
}

/* WORD is "flag", or of OPT_FLAGS "-flag" to clear it. */
static int
set_flag(const struct option *option, uint64_t *bits, const char *word,
	struct error *err)
{
	const char *flag =
		*word == '-' && option->type == OPT_FLAGS ? word + 1 : word;
	const struct option_refusal *refused = option->refused;
	char all[256] = "";

	for (; refused != NULL && refused->word != NULL; refused++) {
		if (strcmp(refused->word, word) == 0 ||
			strcmp(refused->word, flag) == 0)
			return error_set(err, "\"%s\" %s", word, refused->why);
	}
	for (unsigned i = 0; option->choices[i] != NULL; i++) {
		const uint64_t bit = UINT64_C(1) << i;

		if (strcmp(option->choices[i], flag) != 0)
			continue;
		*bits = flag == word ? *bits | bit : *bits & ~bit;
		return 0;
	}
	list_choices(option->choices, all, sizeof all);
	return error_set(err, "\"%s\" is not one of: %s", word, all);
}

static void
replace_text(char **field, char *text)
{
	free(*field);
	*field = text;
}

static void
join_words(char **field, const char *text)
{
	char *copy = xstrdup(text);
	char *rest = copy;

	for (char *word; (word = option_next_word(&rest)) != NULL;)
		replace_text(field, *field == NULL
					    ? xstrdup(word)
					    : xasprintf("%s:%s", *field, word));
	free(copy);
}

static int
set_flags(const struct option *option, uint64_t *field, const char *text,
	struct error *err)
{
	char *copy = xstrdup(text);
	char *rest = copy;
	uint64_t bits = *field;
	int rc = 0;

	for (char *word; rc == 0 && (word = option_next_word(&rest)) != NULL;)
		rc = set_flag(option, &bits, word, err);
	if (rc == 0)
		*field = bits;
	free(copy);
	return rc;
}

/* The names that a file source has for what is in no file start so. */
static int
vet_path(const char *text, struct error *err)
{
	if (*text != '@')
		return 0;
	return error_set(err,
		"\"%s\" starts with \"@\"; write \"./%s\" if that is the "
		"name of a file",
		text, text);
}

static int
set_path(char **field, const char *text, struct error *err)
{
	if (vet_path(text, err) < 0)
		return -1;
	replace_text(field, xstrdup(text));
	return 0;
}

static int
add_path(struct text_list *list, const char *text, struct error *err)
{
	if (vet_path(text, err) < 0)
		return -1;
	text_list_add(list, text);
	return 0;
}

/* The first line may be that of the key, with nothing behind the sign. */
static void
add_line(char **field, const char *text)
{
	replace_text(field, *field == NULL || **field == '\0'
				    ? xstrdup(text)
				    : xasprintf("%s\n%s", *field, text));
}

static int
parse_addr(const char *text, enum addr_use use, struct addr *out,
	struct error *err)
{
	struct error why;

	if (addr_parse(text, use, out, &why) == 0)
		return 0;
	/* Some of its texts name the part at fault only, or nothing. */
	if (why.text[0] == '"' && text_starts_with(why.text + 1, text))
		return error_set(err, "%s", why.text);
	return error_set(err, "\"%s\": %s", text, why.text);
}

static int
parse_listen(const char *word, void *item, struct error *err)
{
	return parse_addr(word, ADDR_FOR_LISTEN, item, err);
}

static int
add_addrs(struct addr_list *list, const char *text, struct error *err)
{
	struct option_items items = {list->items, list->n, sizeof *list->items};
	int rc = option_add_items(&items, text, parse_listen, err);

	list->items = items.at;
	list->n = items.n;
	return rc;
}

int
option_set(const struct option *option, void *settings, const char *text,
	struct error *err)
{
	void *field = (char *)settings + option->offset;

	if (text[strspn(text, " \t")] == '\0' && option->type != OPT_PEM)
		return error_set(err, "has no value");
	switch (option->type) {
	case OPT_BOOL:
		return units_parse_bool(text, field, err);
	case OPT_INT:
		return set_int(option, field, text, err);
	case OPT_DURATION_MS:
		return set_duration(option, field, text, err);
	case OPT_CHOICE:
		return set_choice(option, field, text, err);
	case OPT_FLAGS:
	case OPT_SET:
		return set_flags(option, field, text, err);
	case OPT_LISTEN_LIST:
		return add_addrs(field, text, err);
	case OPT_BACKEND:
		return parse_addr(text, ADDR_FOR_CONNECT, field, err);
	case OPT_TEXT:
		replace_text(field, xstrdup(text));
		return 0;
	case OPT_SECRET:
	case OPT_PATH:
		return set_path(field, text, err);
	case OPT_COLON_LIST:
		join_words(field, text);
		return 0;
	case OPT_WORD_LIST:
	case OPT_NAME_LIST:
	case OPT_RULE_LIST:
	case OPT_SERIAL_LIST:
		return option_add_words(option, field, text, err);
	case OPT_RULE_TEXT:
		return option_add_line(option, field, text, err);
	case OPT_CIDR_LIST:
		return option_add_cidrs(field, text, err);
	case OPT_PEM:
		add_line(field, text);
		return 0;
	case OPT_PATH_LIST:
	case OPT_SECRET_LIST:
		return add_path(field, text, err);
	}
	assert(false); /* a row with a type that there is not */
	return -1;
}

void
option_start(const struct option *option, void *settings)
{
	if (option->type == OPT_FLAGS)
		option_set_default(option, settings);
	else
		option_clear(option, settings);
}

void
option_set_default(const struct option *option, void *settings)
{
	void *field = (char *)settings + option->offset;

	option_clear(option, settings);
	if (option->def != NULL) {
		int rc = option_set(option, settings, option->def, NULL);

		assert(rc == 0);
		(void)rc;
	} else if (option->type == OPT_CHOICE) {
		*(int *)field = option->unset;
	}
}

static void
cidr_list_done(struct cidr_list *list)
{
	free(list->items);
	*list = (struct cidr_list){0};
}

static void
addr_list_done(struct addr_list *list)
{
	free(list->items);
	*list = (struct addr_list){0};
}

void
option_clear(const struct option *option, void *settings)
{
	void *field = (char *)settings + option->offset;

	switch (option->type) {
	case OPT_BOOL:
		*(bool *)field = false;
		break;
	case OPT_INT:
		*(int64_t *)field = 0;
		break;
	case OPT_DURATION_MS:
	case OPT_FLAGS:
	case OPT_SET:
		*(uint64_t *)field = 0;
		break;
	case OPT_CHOICE:
		*(int *)field = 0;
		break;
	case OPT_CIDR_LIST:
		cidr_list_done(field);
		break;
	case OPT_LISTEN_LIST:
		addr_list_done(field);
		break;
	case OPT_BACKEND:
		*(struct addr *)field = (struct addr){0};
		break;
	case OPT_TEXT:
	case OPT_SECRET:
	case OPT_PATH:
	case OPT_COLON_LIST:
	case OPT_PEM:
		replace_text(field, NULL);
		break;
	case OPT_PATH_LIST:
	case OPT_SECRET_LIST:
	case OPT_WORD_LIST:
	case OPT_NAME_LIST:
	case OPT_RULE_LIST:
	case OPT_RULE_TEXT:
	case OPT_SERIAL_LIST:
		text_list_done(field);
		break;
	}
}

void
option_clear_all(const struct option *table, void *settings)
{
	for (; table->name != NULL; table++)
		option_clear(table, settings);
}
