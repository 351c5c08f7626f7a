#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The tables of all options: one row each, from which parser, defaults,
 * range checks, manual-page test and --print derive. Nothing else in the
 * program knows an option's name. option_value.h has what works on them.
 */
enum option_type {
	OPT_BOOL,        /* bool */
	OPT_INT,         /* int64_t; min..max */
	OPT_DURATION_MS, /* uint64_t, milliseconds; min..max */
	OPT_TEXT,        /* char *, one line */
	OPT_SECRET,      /* char *, a path or credential:NAME */
	OPT_PATH_LIST,   /* struct text_list, files that are read */
	OPT_SECRET_LIST, /* struct text_list */
	OPT_COLON_LIST,  /* char *, words joined by ':' as OpenSSL wants them */
	OPT_CHOICE,      /* int, an index into CHOICES */
	OPT_LISTEN_LIST, /* struct addr_list, words */
	OPT_BACKEND      /* struct addr */
};

/* Where an option may stand; a row may have several. */
enum option_section {
	IN_PROCESS = 1 << 0,  /* [sallyport] */
	IN_DEFAULTS = 1 << 1, /* [defaults] */
	IN_LISTENER = 1 << 2  /* [listener NAME] */
};

struct option {
	const char *name;
	enum option_type type;
	unsigned sections; /* enum option_section, or-ed */
	size_t offset;     /* in process_settings or listener_settings */
	const char *def;   /* as a user would write it; NULL: none */
	int unset;         /* OPT_CHOICE without DEF: the value of none */
	int64_t min, max;
	bool zero_ok;               /* 0 is allowed below min: "off" */
	const char *zero_word;      /* OPT_INT: what stands for 0; NULL: 0 */
	const char *const *choices; /* OPT_CHOICE; ends with NULL */
	bool required;              /* in a [listener] */
	const char *help;           /* one sentence */
};

/* Each ends with a row whose name is NULL. */
extern const struct option process_options[];
extern const struct option listener_options[];

/* The choices of the options of that name. */
extern const char *const option_tls_versions[];

/* NULL if TABLE has no such row. */
const struct option *option_find(const struct option *table, const char *name);

/* May this option be written more than once? */
bool option_is_list(const struct option *option);

/* A list whose values may stand side by side on a line. */
bool option_is_words(const struct option *option);
