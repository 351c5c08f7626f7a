#pragma once

struct text_list;

/* Sorted lists of texts: exact matches by bisection, however many names a
 * certificate brings and however many rules there are. */

/* Sorts LIST by bytes and drops what is there twice. */
void policy_list_sort(struct text_list *list);

/* The item of the sorted LIST that equals TEXT; NULL if none does. */
const char *policy_list_find(const struct text_list *list, const char *text);
