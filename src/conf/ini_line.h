#pragma once

#include <stddef.h>

struct error;

/*
 * One line of INI text, judged before inih sees it, and its parts without
 * comment and blanks around them. Pure; knows nothing of other lines.
 */

/* inih cuts longer names, silently. */
#define INI_NAME_MAX 49

struct ini_line {
	size_t indent;    /* bytes of blanks before the text */
	const char *text; /* not terminated; into what was parsed */
	size_t len;       /* 0: blank, or a comment */
};

/*
 * BYTES without '\n' ('\r' is allowed). OUT is filled in always; -1 with ERR
 * when the line holds bytes that no text has.
 */
int ini_line_parse(
	const char *bytes, size_t len, struct ini_line *out, struct error *err);

struct ini_header {
	char type[INI_NAME_MAX + 1];
	char name[INI_NAME_MAX + 1]; /* "" when there is none */
};

/* Takes apart a line that starts with '['. */
int ini_line_split_header(
	const struct ini_line *line, struct ini_header *out, struct error *err);

/* The key is the start of the line's text. */
struct ini_pair {
	size_t key_len;
	const char *value; /* not terminated; into the line */
	size_t value_len;
};

int ini_line_split_pair(
	const struct ini_line *line, struct ini_pair *out, struct error *err);
