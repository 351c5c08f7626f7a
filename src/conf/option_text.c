#include "config.h"

#include "conf/option_text.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "conf/option_value.h"
#include "conf/options.h"
#include "conf/settings.h"

/* *TEXT (NULL at first) and one value more. */
static void
append(char **text, const char *separator, const char *value)
{
	char *longer = *text == NULL
			       ? xstrdup(value)
			       : xasprintf("%s%s%s", *text, separator, value);

	free(*text);
	*text = longer;
}

static char *
list_text(const struct text_list *list, const char *separator)
{
	char *text = NULL;

	for (size_t i = 0; i < list->n; i++)
		append(&text, separator, list->items[i]);
	return text;
}

static char *
addrs_text(const struct addr_list *list)
{
	char one[ADDR_TEXT_MAX];
	char *text = NULL;

	for (size_t i = 0; i < list->n; i++)
		append(&text, " ", addr_format(&list->items[i], one));
	return text;
}

static char *
backend_text(const struct addr *addr)
{
	char text[ADDR_TEXT_MAX];

	return addr->kind == ADDR_NONE ? NULL
				       : xstrdup(addr_format(addr, text));
}

static char *
pem_text(const char *pem)
{
	struct text_list lines = {0};
	char *copy, *rest, *text;

	if (pem == NULL)
		return NULL;
	copy = xstrdup(pem);
	rest = copy;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;)
		text_list_add(&lines, line);
	text = list_text(&lines, "\n\t");
	text_list_done(&lines);
	free(copy);
	return text;
}

static char *
choice_text(const struct option *option, int value)
{
	for (int i = 0; option->choices[i] != NULL; i++) {
		if (i == value)
			return xstrdup(option->choices[i]);
	}
	return NULL; /* "unset" is none of the choices */
}

static char *
cidrs_text(const struct cidr_list *list)
{
	char address[INET6_ADDRSTRLEN];
	char *text = NULL;

	for (size_t i = 0; i < list->n; i++) {
		const struct cidr *cidr = &list->items[i];
		char *one;

		(void)inet_ntop(
			cidr->family, cidr->bytes, address, sizeof address);
		one = xasprintf("%s/%u", address, cidr->prefix);
		append(&text, " ", one);
		free(one);
	}
	return text;
}

static char *
set_text(const struct option *option, uint64_t bits)
{
	char *text = NULL;

	for (unsigned i = 0; option->choices[i] != NULL; i++) {
		if ((bits & UINT64_C(1) << i) != 0)
			append(&text, " ", option->choices[i]);
	}
	return text;
}

/* The flags that are set, and those of the default that are not. */
static char *
flags_text(const struct option *option, uint64_t bits)
{
	struct any_settings {
		uint64_t field;
	} def = {0};
	struct option row = *option;
	char *text = NULL;
	char word[64];

	row.offset = offsetof(struct any_settings, field);
	option_set_default(&row, &def);
	for (unsigned i = 0; option->choices[i] != NULL; i++) {
		const uint64_t bit = UINT64_C(1) << i;

		if (((bits | def.field) & bit) == 0)
			continue;
		(void)snprintf(word, sizeof word, "%s%s",
			(bits & bit) == 0 ? "-" : "", option->choices[i]);
		append(&text, " ", word);
	}
	return text;
}

static char *
int_text(const struct option *option, int64_t value)
{
	if (value == 0 && option->zero_word != NULL)
		return xstrdup(option->zero_word);
	return xasprintf("%lld", (long long)value);
}

static char *
duration_text(uint64_t ms)
{
	char text[32];

	units_format_duration(ms, text, sizeof text);
	return xstrdup(text);
}

char *
option_text(const struct option *option, const void *settings)
{
	const void *field = (const char *)settings + option->offset;

	switch (option->type) {
	case OPT_BOOL:
		return xstrdup(*(const bool *)field ? "yes" : "no");
	case OPT_INT:
		return int_text(option, *(const int64_t *)field);
	case OPT_DURATION_MS:
		return duration_text(*(const uint64_t *)field);
	case OPT_CHOICE:
		return choice_text(option, *(const int *)field);
	case OPT_FLAGS:
		return flags_text(option, *(const uint64_t *)field);
	case OPT_SET:
		return set_text(option, *(const uint64_t *)field);
	case OPT_CIDR_LIST:
		return cidrs_text(field);
	case OPT_LISTEN_LIST:
		return addrs_text(field);
	case OPT_BACKEND:
		return backend_text(field);
	case OPT_TEXT:
	case OPT_SECRET:
	case OPT_PATH:
	case OPT_COLON_LIST:
		return *(char *const *)field == NULL
			       ? NULL
			       : xstrdup(*(char *const *)field);
	case OPT_PEM:
		return pem_text(*(char *const *)field);
	case OPT_PATH_LIST:
	case OPT_SECRET_LIST:
	case OPT_RULE_TEXT:
		return list_text(field, "\n\t");
	case OPT_WORD_LIST:
	case OPT_NAME_LIST:
	case OPT_RULE_LIST:
	case OPT_SERIAL_LIST:
		return list_text(field, " ");
	}
	assert(false); /* a row with a type that there is not */
	return NULL;
}
