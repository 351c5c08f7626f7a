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
	bool broken; /* could not be understood; set by settings_loader.c */
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
	const struct section
		*inherits; /* [defaults], or NULL; of a server
			      name settings_loader.c says its listener */
};

/* What section_reader.h reads. */
struct section_list {
	struct section **items;
	size_t n;
	struct hash_index by_title; /* the usable ones */
};

void section_list_done(struct section_list *list);

/* The same piece by piece: false if none is left. LIST is good for nothing else
 * any more. */
bool section_list_free_last(struct section_list *list);

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
