/* Sorted lists of texts. */
#include "config.h"

#include "authz/policy_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static int
compare(const void *a, const void *b)
{
	const char *const *left = a;
	const char *const *right = b;

	return strcmp(*left, *right);
}

void
policy_list_sort(struct text_list *list)
{
	size_t kept = 0;

	if (list->n == 0)
		return;
	qsort(list->items, list->n, sizeof list->items[0], compare);
	for (size_t i = 1; i < list->n; i++) {
		if (strcmp(list->items[kept], list->items[i]) == 0)
			free(list->items[i]);
		else
			list->items[++kept] = list->items[i];
	}
	list->n = kept + 1;
}

const char *
policy_list_find(const struct text_list *list, const char *text)
{
	char **found;

	if (list->n == 0)
		return NULL;
	found = bsearch(
		&text, list->items, list->n, sizeof list->items[0], compare);
	return found != NULL ? *found : NULL;
}
