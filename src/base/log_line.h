#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A line of the log in the making: bytes in the caller's storage that grow up
 * to SIZE, and the escaping that keeps a peer from forging one. Pure.
 *
 * What does not fit is not put at all and sets is_full, after which nothing
 * is put any more; a caller who steps back (len) may clear it.
 */
struct log_line {
	char *bytes; /* not terminated */
	size_t size;
	size_t len;
	bool is_full;
};

/* Where a text is to stand decides what must be escaped in it. */
enum log_place {
	LOG_PLACE_MESSAGE, /* text line, without quotes */
	LOG_PLACE_VALUE,   /* text line, quoted where necessary */
	LOG_PLACE_JSON     /* JSON string, always quoted */
};

/* As they are: TEXT, LEN of BYTES, NUMBER in decimal. */
void log_line_put(struct log_line *line, const char *text);
void log_line_put_bytes(struct log_line *line, const char *bytes, size_t len);
void log_line_put_number(struct log_line *line, uint64_t number);

/*
 * TEXT, escaped and quoted for PLACE, in at most MAX bytes (5 or more) with
 * the quotes; one that was cut ends in "...".
 */
void log_line_put_value(struct log_line *line, const char *text,
	enum log_place place, size_t max);
