#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Small helpers on text that several rooms need. */

/* A list of strings that belong to it. Zero-initialised is empty. */
struct text_list {
	char **items;
	size_t n;
};

/* Adds a copy of ITEM; dies without memory (mem.h). */
void text_list_add(struct text_list *list, const char *item);

bool text_list_has(const struct text_list *list, const char *item);

/* Frees the items; the list is empty afterwards and may be used again. */
void text_list_done(struct text_list *list);

bool text_starts_with(const char *text, const char *prefix);

/* TEXT without leading and trailing blanks, in place. Returns its start. */
char *text_trim(char *text);

/*
 * The entry of CHOICES (ends with NULL) nearest to TEXT, if it is near enough
 * to be a typing error; NULL otherwise. For "did you mean".
 */
const char *text_nearest(const char *text, const char *const *choices);

/*
 * The length in bytes of the UTF-8 sequence that TEXT begins with, and its
 * code point in *CODE_OUT; 0 when the bytes are not well-formed (overlong,
 * surrogate, cut, over U+10FFFF). TEXT is terminated; at its end: 0.
 */
size_t text_utf8(const char *text, uint32_t *code_out);
