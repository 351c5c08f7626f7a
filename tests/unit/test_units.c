#include "config.h"

#include "base/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

#define N_ITEMS(array) (sizeof(array) / sizeof(array)[0])

static void
truth_has_six_words_in_any_case(void **state)
{
	static const char *const yes[] = {"yes", "true", "on", "Yes", "ON"};
	static const char *const no[] = {"no", "false", "off", "No", "FALSE"};
	bool value;

	(void)state;
	for (size_t i = 0; i < N_ITEMS(yes); i++) {
		value = false;
		assert_int_equal(units_parse_bool(yes[i], &value, NULL), 0);
		assert_true(value);
		assert_int_equal(units_parse_bool(no[i], &value, NULL), 0);
		assert_false(value);
	}
}

static void
anything_else_is_no_truth(void **state)
{
	static const char *const bad[] = {"", "1", "0", "y", "yes ", "maybe"};
	bool value = true;
	struct error err;

	(void)state;
	for (size_t i = 0; i < N_ITEMS(bad); i++)
		assert_int_equal(units_parse_bool(bad[i], &value, &err), -1);
	assert_true(value);
	assert_string_equal(err.text,
		"\"maybe\" is not one of: yes, no, true, false, on, off");
}

static void
numbers_within_their_range_are_taken(void **state)
{
	int64_t number = 0;

	(void)state;
	assert_int_equal(units_parse_int("1", 1, 8, &number, NULL), 0);
	assert_int_equal(number, 1);
	assert_int_equal(units_parse_int("008", 1, 8, &number, NULL), 0);
	assert_int_equal(number, 8);
	assert_int_equal(units_parse_int("-3", -3, 8, &number, NULL), 0);
	assert_int_equal(number, -3);
	assert_int_equal(units_parse_int("9223372036854775807", 0, INT64_MAX,
				 &number, NULL),
		0);
	assert_true(number == INT64_MAX);
}

static void
other_numbers_and_no_numbers_are_refused(void **state)
{
	static const char *const bad[] = {"", "0", "9", "-1", "+1", " 1", "1 ",
		"1x", "0x1", "1.0", "-", "--1", "18446744073709551617",
		"99999999999999999999999", "auto"};
	int64_t number = 42;
	struct error err;

	(void)state;
	for (size_t i = 0; i < N_ITEMS(bad); i++)
		assert_int_equal(
			units_parse_int(bad[i], 1, 8, &number, &err), -1);
	assert_int_equal(number, 42);
	assert_string_equal(
		err.text, "\"auto\" is not a whole number from 1 to 8");
}

static const struct {
	const char *text;
	uint64_t ms;
} durations[] = {{"0", 0}, {"1ms", 1}, {"500ms", 500}, {"10s", 10000},
	{"90s", 90000}, {"5m", 300000}, {"1h", 3600000}, {"2d", 172800000}};

static void
durations_have_units(void **state)
{
	uint64_t ms;

	(void)state;
	for (size_t i = 0; i < N_ITEMS(durations); i++) {
		ms = 42;
		assert_int_equal(
			units_parse_duration_ms(durations[i].text, &ms, NULL),
			0);
		assert_int_equal(ms, durations[i].ms);
	}
	assert_int_equal(units_parse_duration_ms("0s", &ms, NULL), 0);
	assert_int_equal(ms, 0);
}

static void
what_is_formatted_is_what_was_parsed(void **state)
{
	char text[32];

	(void)state;
	for (size_t i = 0; i < N_ITEMS(durations); i++) {
		units_format_duration(durations[i].ms, text, sizeof text);
		assert_string_equal(text, durations[i].text);
	}
	units_format_duration(120000, text, sizeof text);
	assert_string_equal(text, "2m");
	units_format_duration(UINT64_MAX, text, sizeof text);
	assert_string_equal(text, "18446744073709551615ms");
	units_format_duration(86400000, text, 2);
	assert_string_equal(text, "1");
}

static void
bad_durations_are_refused(void **state)
{
	static const char *const bad[] = {"", "s", "-1s", "1 s", "1s ", "1w",
		"1.5s", "1h30m", "18446744073709551616ms",
		"18446744073709551615d", "ten"};
	uint64_t ms = 42;
	struct error err;

	(void)state;
	for (size_t i = 0; i < N_ITEMS(bad); i++)
		assert_int_equal(
			units_parse_duration_ms(bad[i], &ms, &err), -1);
	assert_int_equal(ms, 42);
	assert_string_equal(err.text,
		"\"ten\" is not a duration (such as 500ms, 10s, 5m, 1h, 2d, "
		"0)");
}

static void
a_duration_without_unit_is_told_to_have_one(void **state)
{
	uint64_t ms = 42;
	struct error err;

	(void)state;
	assert_int_equal(units_parse_duration_ms("30", &ms, &err), -1);
	assert_int_equal(ms, 42);
	assert_string_equal(err.text,
		"\"30\" has no unit; write 30s for seconds (ms, s, m, h, d)");
}

static void
sizes_are_powers_of_1024(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} sizes[] = {{"0", 0}, {"512", 512}, {"64k", 65536}, {"2m", 2097152},
		{"1g", 1073741824}, {"1K", 1024}};
	uint64_t bytes;

	(void)state;
	for (size_t i = 0; i < N_ITEMS(sizes); i++) {
		bytes = 42;
		assert_int_equal(
			units_parse_size(sizes[i].text, &bytes, NULL), 0);
		assert_int_equal(bytes, sizes[i].bytes);
	}
}

static void
bad_sizes_are_refused(void **state)
{
	static const char *const bad[] = {"", "k", "-1", "1 k", "1kb", "1t",
		"1.5m", "0x10", "18446744073709551615k", "big"};
	uint64_t bytes = 42;
	struct error err;

	(void)state;
	for (size_t i = 0; i < N_ITEMS(bad); i++)
		assert_int_equal(units_parse_size(bad[i], &bytes, &err), -1);
	assert_int_equal(bytes, 42);
	assert_string_equal(
		err.text, "\"big\" is not a size (such as 512, 64k, 2m, 1g)");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(truth_has_six_words_in_any_case),
		cmocka_unit_test(anything_else_is_no_truth),
		cmocka_unit_test(numbers_within_their_range_are_taken),
		cmocka_unit_test(other_numbers_and_no_numbers_are_refused),
		cmocka_unit_test(durations_have_units),
		cmocka_unit_test(what_is_formatted_is_what_was_parsed),
		cmocka_unit_test(bad_durations_are_refused),
		cmocka_unit_test(a_duration_without_unit_is_told_to_have_one),
		cmocka_unit_test(sizes_are_powers_of_1024),
		cmocka_unit_test(bad_sizes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
