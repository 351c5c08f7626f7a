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

static int
set_choice(const struct option *option, int *out, const char *text,
	struct error *err)
{
	char all[256] = "";
	size_t len = 0;

	for (int i = 0; option->choices[i] != NULL; i++) {
		if (strcmp(option->choices[i], text) == 0) {
			*out = i;
			return 0;
		}
		len += (size_t)snprintf(all + len, sizeof all - len, "%s%s",
			i == 0 ? "" : ", ", option->choices[i]);
		assert(len < sizeof all);
	}
	return error_set(err, "\"%s\" is not one of: %s", text, all);
}

static void
replace_text(char **field, char *text)
{
	free(*field);
	*field = text;
}

/* The next of the words of *REST, terminated in place; NULL at the end. */
static char *
next_word(char **rest)
{
	char *word;

	do
		word = strsep(rest, " \t");
	while (word != NULL && *word == '\0');
	return word;
}

static void
join_words(char **field, const char *text)
{
	char *copy = xstrdup(text);
	char *rest = copy;

	for (char *word; (word = next_word(&rest)) != NULL;)
		replace_text(field, *field == NULL
					    ? xstrdup(word)
					    : xasprintf("%s:%s", *field, word));
	free(copy);
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
add_addrs(struct addr_list *list, const char *text, struct error *err)
{
	char *copy = xstrdup(text);
	char *rest = copy;
	struct addr_list more = {0};
	struct addr addr;
	int rc = 0;

	for (char *word; rc == 0 && (word = next_word(&rest)) != NULL;) {
		rc = parse_addr(word, ADDR_FOR_LISTEN, &addr, err);
		if (rc < 0)
			break;
		more.items = xreallocarray(
			more.items, more.n + 1, sizeof *more.items);
		more.items[more.n++] = addr;
	}
	if (rc == 0) {
		list->items = xreallocarray(
			list->items, list->n + more.n, sizeof *list->items);
		memcpy(list->items + list->n, more.items,
			more.n * sizeof *more.items);
		list->n += more.n;
	}
	free(more.items);
	free(copy);
	return rc;
}

int
option_set(const struct option *option, void *settings, const char *text,
	struct error *err)
{
	void *field = (char *)settings + option->offset;

	if (text[strspn(text, " \t")] == '\0')
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
	case OPT_LISTEN_LIST:
		return add_addrs(field, text, err);
	case OPT_BACKEND:
		return parse_addr(text, ADDR_FOR_CONNECT, field, err);
	case OPT_TEXT:
	case OPT_SECRET:
		replace_text(field, xstrdup(text));
		return 0;
	case OPT_COLON_LIST:
		join_words(field, text);
		return 0;
	case OPT_PATH_LIST:
	case OPT_SECRET_LIST:
		text_list_add(field, text);
		return 0;
	}
	assert(false); /* a row with a type that there is not */
	return -1;
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
		*(uint64_t *)field = 0;
		break;
	case OPT_CHOICE:
		*(int *)field = 0;
		break;
	case OPT_LISTEN_LIST:
		addr_list_done(field);
		break;
	case OPT_BACKEND:
		*(struct addr *)field = (struct addr){0};
		break;
	case OPT_TEXT:
	case OPT_SECRET:
	case OPT_COLON_LIST:
		replace_text(field, NULL);
		break;
	case OPT_PATH_LIST:
	case OPT_SECRET_LIST:
		text_list_done(field);
		break;
	}
}
