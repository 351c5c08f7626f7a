#include "config.h"

#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
text_list_add(struct text_list *list, const char *item)
{
	list->items =
		xreallocarray(list->items, list->n + 1, sizeof list->items[0]);
	list->items[list->n++] = xstrdup(item);
}

bool
text_list_has(const struct text_list *list, const char *item)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->items[i], item) == 0)
			return true;
	}
	return false;
}

void
text_list_done(struct text_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct text_list){0};
}

bool
text_starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

char *
text_trim(char *text)
{
	size_t len;

	while (is_blank(*text))
		text++;
	len = strlen(text);
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

/* Longer words are no typing errors of anything. */
#define WORD_MAX 64

static size_t
min3(size_t a, size_t b, size_t c)
{
	const size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

static bool
same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/*
 * How many insertions, deletions, replacements and swaps of neighbours lead
 * from A to B; both at most WORD_MAX bytes. Case does not count.
 */
static size_t
edit_distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2];
	const size_t a_len = strlen(a), b_len = strlen(b);

	for (size_t j = 0; j <= b_len; j++)
		now[j] = before[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *const recycled = before;

		before = last;
		last = now;
		now = recycled;
		now[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			const bool same = same_letter(a[i - 1], b[j - 1]);

			now[j] = min3(last[j] + 1, now[j - 1] + 1,
				last[j - 1] + (same ? 0 : 1));
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
				same_letter(a[i - 2], b[j - 1]) &&
				before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
	}
	return now[b_len];
}

const char *
text_nearest(const char *text, const char *const *choices)
{
	const size_t len = strlen(text);
	size_t limit = len / 3 > 3 ? 3 : len / 3;
	const char *nearest = NULL;

	if (len == 0 || len > WORD_MAX)
		return NULL;
	if (limit == 0)
		limit = 1;
	for (size_t i = 0; choices[i] != NULL; i++) {
		size_t distance;

		if (strlen(choices[i]) > WORD_MAX)
			continue;
		distance = edit_distance(text, choices[i]);
		/* A word of which nothing would stay is no neighbour. */
		if (distance > limit || distance >= strlen(choices[i]))
			continue;
		if (nearest != NULL && distance == limit)
			continue; /* the first of equals */
		nearest = choices[i];
		limit = distance;
	}
	return nearest;
}

size_t
text_utf8(const char *text, uint32_t *code_out)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char first = (unsigned char)text[0];
	uint32_t code;
	size_t len;

	if (first < 0x80) {
		*code_out = first;
		return first == 0 ? 0 : 1;
	}
	if (first < 0xc0 || first > 0xf7)
		return 0;
	len = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	code = first & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		const unsigned char next = (unsigned char)text[i];

		if ((next & 0xc0) != 0x80)
			return 0; /* the final NUL ends up here, too */
		code = code << 6 | (next & 0x3f);
	}
	if (code < smallest[len] || code > 0x10ffff ||
		(code >= 0xd800 && code <= 0xdfff))
		return 0;
	*code_out = code;
	return len;
}
