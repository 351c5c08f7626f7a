#include "config.h"

#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* Longest first: formatting takes the first one that divides. */
static const struct unit duration_units[] = {
	{"d", UINT64_C(86400000)},
	{"h", UINT64_C(3600000)},
	{"m", UINT64_C(60000)},
	{"s", UINT64_C(1000)},
	{"ms", UINT64_C(1)},
};

static const struct unit size_units[] = {
	{"g", UINT64_C(1) << 30},
	{"m", UINT64_C(1) << 20},
	{"k", UINT64_C(1) << 10},
	{"", UINT64_C(1)},
};

#define N_UNITS(units) (sizeof(units) / sizeof(units)[0])

/*
 * The digits that TEXT begins with. Returns what follows them, or NULL if
 * there are none or the number is too large. (strtoull() would take blanks,
 * signs and, with a "-", any nonsense.)
 */
static const char *
parse_digits(const char *text, uint64_t *out)
{
	uint64_t number = 0;

	if (*text < '0' || *text > '9')
		return NULL;
	for (; *text >= '0' && *text <= '9'; text++) {
		const uint64_t digit = (uint64_t)(*text - '0');

		if (__builtin_mul_overflow(number, 10, &number) ||
			__builtin_add_overflow(number, digit, &number))
			return NULL;
	}
	*out = number;
	return text;
}

/* NUMBER of the unit called NAME; false if there is none or it overflows. */
static bool
scale(uint64_t number, const char *name, const struct unit *units, size_t n,
	uint64_t *out)
{
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(name, units[i].name) == 0)
			return !__builtin_mul_overflow(
				number, units[i].factor, out);
	}
	return false;
}

int
units_parse_bool(const char *text, bool *out, struct error *err)
{
	static const char *const words[][2] = {
		{"no", "yes"}, {"false", "true"}, {"off", "on"}};

	for (size_t i = 0; i < N_UNITS(words); i++) {
		for (size_t value = 0; value < 2; value++) {
			if (strcasecmp(text, words[i][value]) != 0)
				continue;
			*out = value == 1;
			return 0;
		}
	}
	return error_set(err,
		"\"%s\" is not one of: yes, no, true, false, on, off", text);
}

/* Sign and digits as one number; false if it does not fit. */
static bool
parse_signed(const char *text, int64_t *out)
{
	const bool negative = text[0] == '-';
	uint64_t magnitude;
	const char *end = parse_digits(text + (negative ? 1 : 0), &magnitude);

	if (end == NULL || *end != '\0' || magnitude > INT64_MAX)
		return false;
	*out = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return true;
}

int
units_parse_int(const char *text, int64_t min, int64_t max, int64_t *out,
	struct error *err)
{
	int64_t number;

	if (!parse_signed(text, &number) || number < min || number > max)
		return error_set(err,
			"\"%s\" is not a whole number from %" PRId64
			" to %" PRId64,
			text, min, max);
	*out = number;
	return 0;
}

int
units_parse_duration_ms(const char *text, uint64_t *out_ms, struct error *err)
{
	uint64_t number = 0, ms = 0;
	const char *unit = parse_digits(text, &number);

	if (unit == NULL)
		goto fail;
	if (*unit == '\0' && number == 0) {
		*out_ms = 0;
		return 0;
	}
	if (*unit == '\0')
		return error_set(err,
			"\"%s\" has no unit; write %ss for seconds (ms, s, m, "
			"h, d)",
			text, text);
	if (!scale(number, unit, duration_units, N_UNITS(duration_units), &ms))
		goto fail;
	*out_ms = ms;
	return 0;

fail:
	return error_set(err,
		"\"%s\" is not a duration (such as 500ms, 10s, 5m, 1h, 2d, 0)",
		text);
}

int
units_parse_size(const char *text, uint64_t *out_bytes, struct error *err)
{
	uint64_t number = 0, bytes = 0;
	const char *unit = parse_digits(text, &number);

	if (unit == NULL ||
		!scale(number, unit, size_units, N_UNITS(size_units), &bytes))
		return error_set(err,
			"\"%s\" is not a size (such as 512, 64k, 2m, 1g)",
			text);
	*out_bytes = bytes;
	return 0;
}

void
units_format_duration(uint64_t ms, char *out, size_t out_size)
{
	const struct unit *unit = duration_units;

	if (ms == 0) {
		(void)snprintf(out, out_size, "0");
		return;
	}
	while (ms % unit->factor != 0)
		unit++; /* stops at "ms", which divides everything */
	(void)snprintf(
		out, out_size, "%" PRIu64 "%s", ms / unit->factor, unit->name);
}
