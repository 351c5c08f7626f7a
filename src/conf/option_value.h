#pragma once

struct error;
struct option;

/* From the text of a value to the field that its option describes. */

/*
 * Parses TEXT into the field of SETTINGS that OPTION describes; lists are
 * appended to, the rest is replaced. Returns 0, or -1 with ERR
 * ("\"TLSv1.5\" is not one of: ...") and the field as it was.
 */
int option_set(const struct option *option, void *settings, const char *text,
	struct error *err);

/* Makes the field ready for the first option_set() of several: flags start from
 * their default, everything else from nothing. */
void option_start(const struct option *option, void *settings);

/* Sets the field to the default; for a list without one: empty. */
void option_set_default(const struct option *option, void *settings);

/* Frees what option_set() put there; the field is zero. */
void option_clear(const struct option *option, void *settings);

/* The same for every option of TABLE. */
void option_clear_all(const struct option *table, void *settings);
