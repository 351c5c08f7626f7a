#pragma once

struct option;

/*
 * From the field that OPTION describes to the text of its value, as a user
 * would write it: option_set() of it yields the same. Values of a list that
 * cannot stand side by side are on lines of their own, "\n\t" between them.
 * Never what a secret file holds, only its name. NULL: there is no value (an
 * option without default that was not set, an empty list). The caller frees.
 */
char *option_text(const struct option *option, const void *settings);
