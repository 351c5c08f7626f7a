#include "config.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define US UINT64_C(1000000)

static void
assert_stamp(uint64_t us, const char *expected)
{
	char stamp[CLOCK_STAMP_SIZE];

	clock_format_utc(us, stamp);
	assert_string_equal(stamp, expected);
}

static void
the_monotonic_clock_does_not_go_back(void **state)
{
	const uint64_t us = clock_monotonic_us();
	const uint64_t ms = clock_monotonic_ms();

	(void)state;
	assert_true(ms >= us / 1000);
	assert_true(clock_monotonic_us() >= us);
	assert_true(clock_monotonic_ms() >= ms);
}

static void
the_real_clock_is_that_of_the_system(void **state)
{
	const time_t before = time(NULL);
	const uint64_t now = clock_realtime_us() / US;

	(void)state;
	/* time() reads the coarse clock, which may lag by a tick. */
	assert_true(now >= (uint64_t)before);
	assert_true(now <= (uint64_t)time(NULL) + 1);
}

static void
a_stamp_is_utc_with_milliseconds(void **state)
{
	(void)state;
	assert_stamp(0, "1970-01-01T00:00:00.000Z");
	assert_stamp(1769860800 * US + 123999, "2026-01-31T12:00:00.123Z");
	assert_stamp(1735689599 * US + 999999, "2024-12-31T23:59:59.999Z");
}

static void
leap_days_are_where_they_belong(void **state)
{
	(void)state;
	assert_stamp(951782400 * US, "2000-02-29T00:00:00.000Z");
	assert_stamp(1709164800 * US, "2024-02-29T00:00:00.000Z");
	assert_stamp(1709251200 * US, "2024-03-01T00:00:00.000Z");
	assert_stamp(UINT64_C(4107542400) * US, "2100-03-01T00:00:00.000Z");
	assert_stamp(UINT64_C(4107456000) * US, "2100-02-28T00:00:00.000Z");
}

static void
every_day_of_800_years_is_the_one_of_the_library(void **state)
{
	char stamp[CLOCK_STAMP_SIZE], expected[64];
	struct tm tm;

	(void)state;
	for (time_t day = 0; day < 800 * 366; day++) {
		const time_t seconds = day * 86400;

		assert_non_null(gmtime_r(&seconds, &tm));
		assert_true(strftime(expected, sizeof expected,
				    "%Y-%m-%dT%H:%M:%S.000Z", &tm) > 0);
		clock_format_utc((uint64_t)seconds * US, stamp);
		if (strcmp(stamp, expected) != 0)
			assert_string_equal(stamp, expected);
	}
}

static void
the_last_moment_of_all_fits(void **state)
{
	char stamp[CLOCK_STAMP_SIZE];

	(void)state;
	clock_format_utc(UINT64_MAX, stamp);
	assert_string_equal(stamp, "586524-01-19T08:01:49.551Z");
}

static void
milliseconds_become_seconds_and_microseconds(void **state)
{
	struct timeval tv = clock_tv_of_ms(61234);

	(void)state;
	assert_int_equal(tv.tv_sec, 61);
	assert_int_equal(tv.tv_usec, 234000);
	tv = clock_tv_of_ms(0);
	assert_int_equal(tv.tv_sec, 0);
	assert_int_equal(tv.tv_usec, 0);
	tv = clock_tv_of_ms(999);
	assert_int_equal(tv.tv_sec, 0);
	assert_int_equal(tv.tv_usec, 999000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_monotonic_clock_does_not_go_back),
		cmocka_unit_test(the_real_clock_is_that_of_the_system),
		cmocka_unit_test(a_stamp_is_utc_with_milliseconds),
		cmocka_unit_test(leap_days_are_where_they_belong),
		cmocka_unit_test(
			every_day_of_800_years_is_the_one_of_the_library),
		cmocka_unit_test(the_last_moment_of_all_fits),
		cmocka_unit_test(milliseconds_become_seconds_and_microseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
