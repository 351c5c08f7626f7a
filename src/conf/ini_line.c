#include "config.h"

#include "conf/ini_line.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"

#define TYPE_CHARS                                                             \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
#define NAME_CHARS TYPE_CHARS "-."

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* How much of TEXT is made of CHARS. */
static size_t
span(const char *text, size_t len, const char *chars)
{
	size_t n = 0;

	while (n < len && text[n] != '\0' && strchr(chars, text[n]) != NULL)
		n++;
	return n;
}

static void
trim(const char **text, size_t *len)
{
	size_t blanks = span(*text, *len, " \t");

	*text += blanks;
	*len -= blanks;
	while (*len > 0 && is_blank((*text)[*len - 1]))
		(*len)--;
}

/* Where a comment starts that follows a blank; LEN if none does. */
static size_t
find_comment(const char *text, size_t len)
{
	for (size_t i = 1; i < len; i++) {
		if (text[i] == ';' && is_blank(text[i - 1]))
			return i;
	}
	return len;
}

static int
vet_bytes(const char *bytes, size_t len, struct error *err)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c == '\0')
			return error_set(err, "line holds a NUL byte");
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return error_set(err,
				"line holds a control character (0x%02x)", c);
	}
	return 0;
}

int
ini_line_parse(
	const char *bytes, size_t len, struct ini_line *out, struct error *err)
{
	struct ini_line line = {.text = bytes, .len = len};
	int rc;

	if (line.len > 0 && line.text[line.len - 1] == '\r')
		line.len--;
	line.indent = span(line.text, line.len, " \t");
	line.text += line.indent;
	line.len -= line.indent;
	rc = vet_bytes(line.text, line.len, err);
	if (line.len > 0 && (*line.text == ';' || *line.text == '#'))
		line.len = 0;
	line.len = find_comment(line.text, line.len);
	trim(&line.text, &line.len);
	*out = line;
	return rc;
}

static int
vet_header(const struct ini_line *line, struct error *err)
{
	const char *end = memchr(line->text, ']', line->len);

	if (end == NULL)
		return error_set(err, "section header has no closing \"]\"");
	if (end != line->text + line->len - 1)
		return error_set(err, "text after the section header");
	return 0;
}

int
ini_line_split_header(
	const struct ini_line *line, struct ini_header *out, struct error *err)
{
	struct ini_header header = {{0}, {0}};
	const char *type = line->text + 1;
	size_t len = line->len - 2;
	const char *name;
	size_t type_len;

	if (vet_header(line, err) < 0)
		return -1;
	trim(&type, &len);
	type_len = span(type, len, TYPE_CHARS);
	name = type + type_len;
	len -= type_len;
	if (type_len == 0 || (len > 0 && !is_blank(*name)))
		return error_set(err,
			"section header is not \"[type]\" or \"[type name]\"");
	trim(&name, &len);
	if (span(name, len, NAME_CHARS) < len)
		return error_set(err,
			"name of a section may hold letters, digits, "
			"\"-\", \"_\" and \".\" only");
	/* inih gets the two with one blank between them. */
	if (type_len + 1 + len > INI_NAME_MAX)
		return error_set(err, "section header is longer than %d bytes",
			INI_NAME_MAX);
	memcpy(header.type, type, type_len);
	memcpy(header.name, name, len);
	*out = header;
	return 0;
}

int
ini_line_split_pair(
	const struct ini_line *line, struct ini_pair *out, struct error *err)
{
	struct ini_pair pair = {0};
	const char *key = line->text;
	size_t sign = 0;

	while (sign < line->len && key[sign] != '=' && key[sign] != ':')
		sign++;
	pair.key_len = sign;
	trim(&key, &pair.key_len);
	if (sign == line->len || pair.key_len == 0)
		return error_set(err, "line is not \"key = value\"");
	if (span(key, pair.key_len, NAME_CHARS) < pair.key_len)
		return error_set(err,
			"line is not \"key = value\": a key may hold letters, "
			"digits, \"-\", \"_\" and \".\" only");
	if (pair.key_len > INI_NAME_MAX)
		return error_set(
			err, "key is longer than %d bytes", INI_NAME_MAX);
	pair.value = line->text + sign + 1;
	pair.value_len = line->len - sign - 1;
	trim(&pair.value, &pair.value_len);
	*out = pair;
	return 0;
}
