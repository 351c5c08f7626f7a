#pragma once

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
