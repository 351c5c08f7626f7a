#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/*
 * Values as users write them in the configuration (sallyport.ini.5).
 * Every function takes the whole of TEXT, without leading or trailing blanks,
 * returns 0 or -1 with ERR saying what was expected, and leaves its output
 * alone on failure. Errors do not name the key; the caller does.
 */

/* yes/no, true/false, on/off; case-insensitive. */
int units_parse_bool(const char *text, bool *out, struct error *err);

/* A decimal number within MIN..MAX, both included. */
int units_parse_int(const char *text, int64_t min, int64_t max, int64_t *out,
	struct error *err);

/* "500ms" "10s" "5m" "1h" "2d" "0"; a number without a unit (but 0) fails. */
int units_parse_duration_ms(
	const char *text, uint64_t *out_ms, struct error *err);

/* "512" "64k" "2m" "1g": bytes, powers of 1024; the letter in either case. */
int units_parse_size(const char *text, uint64_t *out_bytes, struct error *err);

/* The shortest exact form that units_parse_duration_ms() reads back. */
void units_format_duration(uint64_t ms, char *out, size_t out_size);
