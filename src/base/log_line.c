#include "config.h"

#include "base/log_line.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

void
log_line_put_bytes(struct log_line *line, const char *bytes, size_t len)
{
	if (line->is_full || len > line->size - line->len) {
		line->is_full = true;
		return;
	}
	memcpy(line->bytes + line->len, bytes, len);
	line->len += len;
}

void
log_line_put(struct log_line *line, const char *text)
{
	log_line_put_bytes(line, text, strlen(text));
}

void
log_line_put_number(struct log_line *line, uint64_t number)
{
	char digits[24];

	(void)snprintf(digits, sizeof digits, "%" PRIu64, number);
	log_line_put(line, digits);
}

/*
 * Harmless on a terminal? Not: control characters (a C1 one starts an escape
 * sequence, too), and what breaks lines or turns the direction of writing.
 */
static bool
is_printable(uint32_t code)
{
	return code >= 0x20 && !(code >= 0x7f && code <= 0x9f) &&
	       code != 0x061c && !(code >= 0x200b && code <= 0x200f) &&
	       !(code >= 0x2028 && code <= 0x202e) &&
	       !(code >= 0x2060 && code <= 0x206f) && code != 0xfeff &&
	       !(code >= 0xe0000 && code <= 0xe0fff);
}

/* What is written for the next bytes of a text. */
struct piece {
	size_t taken; /* bytes of the text */
	size_t len;
	char bytes[8];
};

/* A byte that is no character, or one that must not be seen, in a text line;
 * in JSON the same as text, for JSON cannot hold it. */
static struct piece
hex_piece(char byte, enum log_place place)
{
	struct piece piece = {.taken = 1};

	piece.len = place == LOG_PLACE_JSON ? 5 : 4;
	(void)snprintf(piece.bytes, sizeof piece.bytes, "%s\\x%02x",
		place == LOG_PLACE_JSON ? "\\" : "", (unsigned char)byte);
	return piece;
}

/* A character that JSON can, but that a terminal should not see. */
static struct piece
unicode_piece(size_t taken, uint32_t code)
{
	struct piece piece = {.taken = taken, .len = 6};

	(void)snprintf(piece.bytes, sizeof piece.bytes, "\\u%04x",
		(unsigned)(code & 0xffff));
	return piece;
}

/* The next character of TEXT, or its next byte if that is none. */
static struct piece
next_piece(const char *text, enum log_place place)
{
	struct piece piece = {0};
	uint32_t code;
	const size_t taken = text_utf8(text, &code);
	const bool is_mark = taken == 1 && (code == '"' || code == '\\');

	if (taken == 0)
		return hex_piece(text[0], place);
	if (is_mark && place == LOG_PLACE_VALUE)
		return hex_piece(text[0], place);
	if (!is_printable(code))
		return place == LOG_PLACE_JSON && code <= 0xffff
			       ? unicode_piece(taken, code)
			       : hex_piece(text[0], place);
	if (is_mark && place == LOG_PLACE_JSON)
		piece.bytes[piece.len++] = '\\';
	memcpy(piece.bytes + piece.len, text, taken);
	piece.len += taken;
	piece.taken = taken;
	return piece;
}

static bool
fits(const char *text, enum log_place place, size_t max)
{
	while (*text != '\0') {
		const struct piece piece = next_piece(text, place);

		if (piece.len > max)
			return false;
		max -= piece.len;
		text += piece.taken;
	}
	return true;
}

static void
put_escaped(struct log_line *line, const char *text, enum log_place place,
	size_t max)
{
	const bool is_cut = !fits(text, place, max);

	if (is_cut)
		max -= strlen("...");
	while (*text != '\0') {
		const struct piece piece = next_piece(text, place);

		if (piece.len > max)
			break;
		log_line_put_bytes(line, piece.bytes, piece.len);
		max -= piece.len;
		text += piece.taken;
	}
	if (is_cut)
		log_line_put(line, "...");
}

/* Would TEXT be misread as a value in a text line? Anything but plain ASCII
 * is quoted, so that no look-alike of a blank ends a value for the eye. */
static bool
is_ambiguous(const char *text)
{
	const char *byte = text;

	while (*byte > ' ' && *byte < 0x7f && strchr("\"=\\", *byte) == NULL)
		byte++;
	return *byte != '\0' || byte == text;
}

static bool
wants_quotes(const char *text, enum log_place place)
{
	switch (place) {
	case LOG_PLACE_MESSAGE:
		return false;
	case LOG_PLACE_VALUE:
		return is_ambiguous(text);
	case LOG_PLACE_JSON:
		return true;
	}
	return true;
}

void
log_line_put_value(struct log_line *line, const char *text,
	enum log_place place, size_t max)
{
	assert(max >= strlen("\"...\""));

	if (!wants_quotes(text, place)) {
		put_escaped(line, text, place, max);
		return;
	}
	log_line_put(line, "\"");
	put_escaped(line, text, place, max - 2);
	log_line_put(line, "\"");
}
