#pragma once

#include <stddef.h>

#include "conf/rules.h"

struct text_list;

/* How decisions and rules are put into words. Pure. */

/* The key as users write it: "allow_cn". */
const char *policy_text_key(enum rule_kind kind);

/* A line being written into the caller's OUT, always terminated, always
 * well-formed UTF-8; what does not fit is replaced by "...". */
struct policy_line {
	char *out;
	size_t size;
	size_t len;
};

/* SIZE is at least 4. */
void policy_line_start(struct policy_line *line, char *out, size_t size);

/* Adds TEXT; a control character, and a byte that is not UTF-8, as \XX. */
void policy_line_add(struct policy_line *line, const char *text);

/* A text of any length, that its owner frees. Zero-initialised is empty. */
struct policy_canon {
	char *text; /* NULL while empty */
	size_t len;
	size_t room;
};

/* Adds "KEY LENGTH:VALUE" lines: no value can look like another line. */
void policy_canon_add(
	struct policy_canon *canon, const char *key, const char *value);
void policy_canon_add_list(struct policy_canon *canon, const char *key,
	const struct text_list *values);
