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
	OPT_PATH,        /* char *, a file or directory */
	OPT_PATH_LIST,   /* struct text_list, files that are read */
	OPT_SECRET_LIST, /* struct text_list */
	OPT_COLON_LIST,  /* char *, words joined by ':' as OpenSSL wants them */
	OPT_WORD_LIST,   /* struct text_list, words of min..max bytes */
	OPT_NAME_LIST,   /* struct text_list, words: server names */
	OPT_RULE_LIST,   /* struct text_list, words: values of a RULE */
	OPT_RULE_TEXT,   /* struct text_list, lines: values of a RULE */
	OPT_SERIAL_LIST, /* struct text_list, words: deny_serial */
	OPT_CIDR_LIST,   /* struct cidr_list, words */
	OPT_PEM,         /* char *, lines joined by '\n' */
	OPT_CHOICE,      /* int, an index into CHOICES */
	OPT_FLAGS,       /* uint64_t, bit n is CHOICES[n]; words that change
			    the default */
	OPT_SET,         /* the same, but words that replace it */
	OPT_LISTEN_LIST, /* struct addr_list, words */
	OPT_BACKEND      /* struct addr */
};

/* Where an option may stand; a row may have several. */
enum option_section {
	IN_PROCESS = 1 << 0,     /* [sallyport] */
	IN_DEFAULTS = 1 << 1,    /* [defaults] */
	IN_LISTENER = 1 << 2,    /* [listener NAME] */
	IN_SERVER_NAME = 1 << 3, /* [server_name NAME] */
	IN_POLICY = 1 << 4       /* [policy NAME] */
};

/* What an option does to a client who shows a certificate. */
enum option_effect {
	EFFECT_NONE,
	/* Says who may come in. A section that has one such option inherits
	 * none of the others: what it says would let in more, not fewer. */
	EFFECT_ADMITS,
	EFFECT_DENIES /* says who never may */
};

/* A value that is refused although the library knows it. */
struct option_refusal {
	const char *word;
	const char *why; /* what follows the word in the error */
};

struct option {
	const char *name;
	enum option_type type;
	unsigned sections; /* enum option_section, or-ed */
	size_t offset;     /* in process_settings or listener_settings */
	const char *def;   /* as a user would write it; NULL: none */
	int unset;         /* OPT_CHOICE without DEF: the value of none */
	int64_t min, max;
	bool zero_ok;          /* 0 is allowed below min: "off" */
	const char *zero_word; /* OPT_INT: what stands for 0; NULL: 0 */
	/* OPT_CHOICE, OPT_FLAGS, OPT_SET; ends with NULL */
	const char *const *choices;
	const struct option_refusal *refused; /* OPT_FLAGS; ends with NULL */
	int rule; /* OPT_RULE_LIST, OPT_RULE_TEXT: enum rule_kind */
	enum option_effect effect;
	unsigned required; /* enum option_section: where it must be known */
	const char *help;  /* one sentence */
};

/* Each ends with a row whose name is NULL. A [policy] has rows of
 * listener_options too: rules.allow of a listener_settings. */
extern const struct option process_options[];
extern const struct option listener_options[];

/* The choices of the options of that name; each ends with NULL. Of flags, the
 * index is the number of the bit. */
extern const char *const option_tls_versions[];
extern const char *const option_verify_modes[];
extern const char *const option_crl_checks[];
extern const char *const option_sni_mismatches[];
extern const char *const option_tls_options[];
extern const char *const option_verify_flags[];
extern const char *const option_on_deauthorize[];
extern const char *const option_proxy_protocols[];
extern const char *const option_proxy_tlvs[];

/* What the flags of that name refuse. */
extern const struct option_refusal option_refused_tls_options[];
extern const struct option_refusal option_refused_verify_flags[];

/* NULL if TABLE has no such row. */
const struct option *option_find(const struct option *table, const char *name);

/* May this option be written more than once? */
bool option_is_list(const struct option *option);

/* A list whose values may stand side by side on a line. */
bool option_is_words(const struct option *option);

/* Does a section that lacks it take it from the one it inherits from? */
bool option_is_inherited(const struct option *option);
