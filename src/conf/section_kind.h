#pragma once

#include <stdbool.h>

struct option;

/* The kinds of sections that a configuration may have: which there are, how
 * each is headed, and what it may hold. Static. */
struct section_kind {
	const char *type;
	bool is_named;
	unsigned in;                /* enum option_section */
	const struct option *table; /* the options it may hold, and others */
	const char *form;           /* how its header is written */
};

/* The one whose header says TYPE; NULL if there is none. */
const struct section_kind *section_kind_find(const char *type);

/* The one that who wrote TYPE may have meant; NULL if none comes near. */
const struct section_kind *section_kind_nearest(const char *type);

/* The one that KEY may stand in, the first of several; NULL if none. */
const struct section_kind *section_kind_of_key(const char *key);
