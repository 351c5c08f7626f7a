#pragma once

#include <stdbool.h>
#include <stddef.h>

struct report;

/*
 * The one adapter to inih: INI text in, entries with places out.
 *
 * Hides what libinih releases 55 and 59 do differently and what they would
 * swallow: long lines, NUL and control bytes, over-long section and key
 * names, headers that are not "[type]" or "[type name]". Each is reported with
 * file:line; entries after a refused header are skipped up to the next one,
 * so that no key ever lands in a section it does not stand in.
 *
 * Lines may end in CR LF; a byte order mark is skipped. A line that starts
 * with ';' or '#' is a comment, and so is the rest of a line from a ';' that
 * follows a blank. "key = value" and "key: value" are the same.
 */
struct ini_entry {
	const char *type;  /* "listener", "sallyport"; as written */
	const char *name;  /* "" where the header has none */
	const char *key;   /* NULL: this is the header itself */
	const char *value; /* NULL with a NULL key; may be "" */
	bool continues;    /* an indented line below the key's own */
	unsigned line;
};

/* Called in file order; everything in ENTRY lives for the call only. */
typedef void (*ini_entry_fn)(const struct ini_entry *entry, void *arg);

struct ini_source;

/*
 * A walk through TEXT (LEN bytes; may hold anything; borrowed). FILE is used in
 * reports and must outlive REPORT's use of it. Errors go to REPORT; the walk
 * goes on after them. A line that is indented deeper than the key above it
 * continues that key: it arrives as another entry with the same key and its own
 * line.
 */
struct ini_source *ini_source_new(const char *file, const char *text,
	size_t len, ini_entry_fn on_entry, void *arg, struct report *report);

/* On through one more section; false: it was the last. */
bool ini_source_step(struct ini_source *source);

void ini_source_free(struct ini_source **source);
