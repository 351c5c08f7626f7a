#pragma once

#include <stddef.h>

#include "base/text.h"

struct cidr_list;
struct error;
struct option;

/* Values that are lists: each word of a text, or all of it, vetted and in the
 * form that the program works with. All return 0, or -1 with ERR and the list
 * as it was. */

/* The next of the words of *REST, terminated in place; NULL at the end. */
char *option_next_word(char **rest);

/* For OPT_WORD_LIST, OPT_NAME_LIST, OPT_RULE_LIST and OPT_SERIAL_LIST. */
int option_add_words(const struct option *option, struct text_list *list,
	const char *text, struct error *err);

/* For OPT_RULE_TEXT: the whole of TEXT. */
int option_add_line(const struct option *option, struct text_list *list,
	const char *text, struct error *err);

/* For OPT_CIDR_LIST. */
int option_add_cidrs(
	struct cidr_list *list, const char *text, struct error *err);

/* An array of N items of SIZE bytes each, as the settings keep them. */
struct option_items {
	void *at;
	size_t n;
	size_t size;
};

/* WORD into ITEM. 0, or -1 with ERR. */
typedef int (*option_parse_fn)(const char *word, void *item, struct error *err);

/* Appends what PARSE makes of each word, all or none. */
int option_add_items(struct option_items *items, const char *text,
	option_parse_fn parse, struct error *err);
