#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/hash_index.h"
#include "conf/report.h"

struct option;

/*
 * The sections of a configuration as they were written: which options, which
 * texts, in which lines. Knows what may stand where; not what values mean.
 */
struct section_kind;

struct section_value {
	const struct option *option;
	char *text;
	unsigned line;
	bool broken; /* could not be understood; set by settings.c */
};

struct section {
	const struct section_kind *kind;
	const struct option *table; /* the options it may hold, and others */
	unsigned in;                /* enum option_section */
	char *name;                 /* "" where there is none */
	char *title;                /* "listener gw" */
	struct conf_pos pos;        /* of the header */
	bool usable; /* false: nameless or there before; for reports only */
	struct section_value *values;
	size_t n_values;
	const struct section *inherits; /* [defaults], or NULL; of a server
					   name settings.c says its listener */
};

struct section_list {
	struct section **items;
	size_t n;
	struct hash_index by_title; /* the usable ones */
};

/*
 * Reads TEXT into LIST (zero-initialised). Unknown sections and keys, what is
 * there twice and what stands in the wrong place goes to REPORT and is left
 * out. FILE is borrowed for as long as LIST lives.
 */
void section_list_read(struct section_list *list, const char *file,
	const char *text, size_t len, struct report *report);
void section_list_done(struct section_list *list);

/* The usable section of the kind IN that has no name ([defaults]); NULL if
 * there is none. */
struct section *section_find(const struct section_list *list, unsigned in);

/* The INDEXth value of OPTION that was understood; NULL if there are fewer. */
const struct section_value *section_value(const struct section *section,
	const struct option *option, size_t index);

/* Was OPTION written there, understood or not? */
bool section_has(const struct section *section, const struct option *option);

/* The section that the value of OPTION comes from: SECTION itself or what it
 * inherits from. NULL: it is written in none of them. Of the options that say
 * who may come in, all come from the nearest section that has any of them. */
const struct section *section_source(
	const struct section *section, const struct option *option);
