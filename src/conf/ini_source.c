#include "config.h"

#include "conf/ini_source.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>

#include "base/error.h"
#include "base/mem.h"
#include "conf/ini_line.h"
#include "conf/report.h"

/*
 * Line buffer of inih without '\n' and NUL. Release 59 can let it grow, but a
 * file must mean the same to both. Comments and blanks do not count.
 */
#define LINE_BYTES_MAX 198
static const char too_long[] = "line is longer than 198 bytes";

/* Where the walk is, as far as later lines depend on it. */
enum walk_state {
	WALK_BEFORE,  /* no header yet */
	WALK_SECTION, /* below a header, no key yet */
	WALK_KEY,     /* below a key: a deeper line continues it */
	WALK_BAD_KEY, /* below a refused key: so are its continuations */
	WALK_REFUSED  /* below a refused header: skip to the next one */
};

struct ini_source {
	const char *file;
	const char *next;
	size_t left;
	unsigned line;
	enum walk_state state;
	size_t indent; /* of the last key */
	bool is_begun; /* a line of this piece was taken */
	bool continues;
	struct ini_header header;
	ini_entry_fn on_entry;
	void *arg;
	struct report *report;
};

static void
complain(struct ini_source *walk, const char *text)
{
	const struct conf_pos pos = {.file = walk->file, .line = walk->line};
	char section[2 * INI_NAME_MAX + 2];
	bool is_known = walk->state == WALK_SECTION ||
			walk->state == WALK_KEY || walk->state == WALK_BAD_KEY;

	(void)snprintf(section, sizeof section, "%s%s%s", walk->header.type,
		walk->header.name[0] == '\0' ? "" : " ", walk->header.name);
	report_add(walk->report, REPORT_ERROR, &pos, is_known ? section : NULL,
		"%s", text);
}

static void
emit(struct ini_source *walk, const char *key, const char *value)
{
	const struct ini_entry entry = {
		.type = walk->header.type,
		.name = walk->header.name,
		.key = key,
		.value = value,
		.continues = key != NULL && walk->continues,
		.line = walk->line,
	};

	walk->on_entry(&entry, walk->arg);
}

static void
refuse_header(struct ini_source *walk, const char *why)
{
	walk->state = WALK_REFUSED;
	complain(walk, why);
}

/*
 * A header that is taken for a continuation would leave its keys to the
 * section above. Only an IPv6 address starts like one, and it has a colon.
 */
static bool
is_header(const struct ini_source *walk, const struct ini_line *line)
{
	bool is_below_key =
		walk->state == WALK_KEY || walk->state == WALK_BAD_KEY;

	if (line->len == 0 || line->text[0] != '[')
		return false;
	return !is_below_key || line->indent <= walk->indent ||
	       memchr(line->text, ':', line->len) == NULL;
}

static bool
is_continuation(const struct ini_source *walk, const struct ini_line *line)
{
	return (walk->state == WALK_KEY || walk->state == WALK_BAD_KEY) &&
	       line->indent > walk->indent;
}

static void
take_header(struct ini_source *walk, const struct ini_line *line, char *out,
	size_t size)
{
	struct error err;
	int rc;

	if (is_continuation(walk, line))
		rc = error_set(&err, "section header must not be indented");
	else
		rc = ini_line_split_header(line, &walk->header, &err);
	if (rc < 0) {
		refuse_header(walk, err.text);
		return;
	}
	walk->state = WALK_SECTION;
	(void)snprintf(
		out, size, "[%s %s]\n", walk->header.type, walk->header.name);
	emit(walk, NULL, NULL);
}

static void
take_continuation(struct ini_source *walk, const struct ini_line *line,
	char *out, size_t size)
{
	if (walk->state == WALK_BAD_KEY)
		return;
	if (line->len + 1 > LINE_BYTES_MAX) {
		complain(walk, too_long);
		return;
	}
	walk->continues = true;
	(void)snprintf(out, size, " %.*s\n", (int)line->len, line->text);
}

static void
refuse_key(
	struct ini_source *walk, const struct ini_line *line, const char *why)
{
	complain(walk, why);
	walk->state = WALK_BAD_KEY;
	walk->indent = line->indent;
}

static void
take_key(struct ini_source *walk, const struct ini_line *line, char *out,
	size_t size)
{
	struct ini_pair pair;
	struct error err;

	if (ini_line_split_pair(line, &pair, &err) < 0) {
		refuse_key(walk, line, err.text);
		return;
	}
	if (pair.key_len + 1 + pair.value_len > LINE_BYTES_MAX) {
		refuse_key(walk, line, too_long);
		return;
	}
	walk->state = WALK_KEY;
	walk->indent = line->indent;
	walk->continues = false;
	(void)snprintf(out, size, "%.*s=%.*s\n", (int)pair.key_len, line->text,
		(int)pair.value_len, pair.value);
}

static void
take_text(struct ini_source *walk, const struct ini_line *line, char *out,
	size_t size)
{
	if (walk->state == WALK_REFUSED)
		return;
	if (walk->state == WALK_BEFORE)
		complain(walk, "key before the first section header");
	else if (is_continuation(walk, line))
		take_continuation(walk, line, out, size);
	else
		take_key(walk, line, out, size);
}

static void
refuse_line(
	struct ini_source *walk, const struct ini_line *line, const char *why)
{
	if (is_header(walk, line))
		refuse_header(walk, why);
	else if (line->len == 0 || walk->state == WALK_BEFORE ||
		 walk->state == WALK_REFUSED || is_continuation(walk, line))
		complain(walk, why);
	else
		refuse_key(walk, line, why);
}

static void
take_line(struct ini_source *walk, const char *bytes, size_t len, char *out,
	size_t size)
{
	struct ini_line line;
	struct error err;

	if (ini_line_parse(bytes, len, &line, &err) < 0)
		refuse_line(walk, &line, err.text);
	else if (line.len == 0)
		return;
	else if (is_header(walk, &line))
		take_header(walk, &line, out, size);
	else
		take_text(walk, &line, out, size);
}

/* An ini_reader: one line of ours, made plain, per call. */
static char *
read_line(char *out, int size, void *arg)
{
	struct ini_source *walk = arg;
	const char *line = walk->next;
	const char *end;

	if (size < LINE_BYTES_MAX + 2) {
		complain(walk, "this libinih was built for shorter lines");
		walk->left = 0;
		return NULL;
	}
	/* Whatever stands before it, this begins a section: to inih the pieces
	 * are files of their own. */
	if (walk->left == 0 || (walk->is_begun && *line == '['))
		return NULL;
	walk->is_begun = true;
	end = memchr(line, '\n', walk->left);
	if (end == NULL)
		end = line + walk->left;
	walk->line++;
	walk->left -= (size_t)(end - line);
	walk->next = end;
	if (walk->left > 0) {
		walk->left--;
		walk->next++;
	}
	/* What is not written over: inih sees a blank line. */
	memcpy(out, "\n", sizeof "\n");
	take_line(walk, line, (size_t)(end - line), out, (size_t)size);
	return out;
}

/* inih calls it at most once for each line, before it reads the next. */
static int
on_pair(void *arg, const char *section, const char *key, const char *value)
{
	struct ini_source *walk = arg;

	(void)section; /* walk->header is the same, taken apart */
	emit(walk, key, value);
	return 1;
}

static void
skip_byte_order_mark(struct ini_source *walk)
{
	static const char mark[] = "\xef\xbb\xbf";

	if (walk->left >= 3 && memcmp(walk->next, mark, 3) == 0) {
		walk->next += 3;
		walk->left -= 3;
	}
}

struct ini_source *
ini_source_new(const char *file, const char *text, size_t len,
	ini_entry_fn on_entry, void *arg, struct report *report)
{
	struct ini_source *walk = xcalloc(1, sizeof *walk);

	*walk = (struct ini_source){
		.file = file,
		.next = text,
		.left = len,
		.on_entry = on_entry,
		.arg = arg,
		.report = report,
	};
	skip_byte_order_mark(walk);
	return walk;
}

bool
ini_source_step(struct ini_source *walk)
{
	struct conf_pos pos = {.file = walk->file};
	unsigned before = walk->line; /* lines that inih does not count */
	int bad_line;

	walk->is_begun = false;
	bad_line = ini_parse_stream(read_line, walk, on_pair, walk);
	if (bad_line > 0)
		pos.line = before + (unsigned)bad_line;
	if (bad_line != 0)
		report_add(walk->report, REPORT_ERROR, &pos, NULL,
			"libinih cannot read this");
	return walk->left > 0;
}

void
ini_source_free(struct ini_source **walk)
{
	free(*walk);
	*walk = NULL;
}
