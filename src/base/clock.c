#include "config.h"

#include "base/clock.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define US_PER_S      UINT64_C(1000000)
#define S_PER_DAY     UINT64_C(86400)
#define DAYS_PER_ERA  UINT64_C(146097) /* 400 Gregorian years */
#define DAYS_PER_CENT UINT64_C(36524)
#define DAYS_PER_FOUR UINT64_C(1461)

static uint64_t
now_us(clockid_t id)
{
	struct timespec now;
	const int result = clock_gettime(id, &now);

	assert(result == 0);
	(void)result;
	return (uint64_t)now.tv_sec * US_PER_S + (uint64_t)now.tv_nsec / 1000;
}

uint64_t
clock_monotonic_ms(void)
{
	return now_us(CLOCK_MONOTONIC) / 1000;
}

uint64_t
clock_monotonic_us(void)
{
	return now_us(CLOCK_MONOTONIC);
}

uint64_t
clock_realtime_us(void)
{
	return now_us(CLOCK_REALTIME);
}

struct timeval
clock_tv_of_ms(uint64_t ms)
{
	return (struct timeval){.tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

struct date {
	uint32_t year;
	uint8_t month;
	uint8_t day;
};

/*
 * DAYS since 1970-01-01 as a date. Not gmtime_r(): glibc reads /etc/localtime
 * on its first call even there. Years begin in March here, so that a leap day
 * is the last one of its year.
 */
static struct date
date_from_days(uint64_t days)
{
	const uint64_t since_0000_03_01 = days + 719468;
	const uint64_t era = since_0000_03_01 / DAYS_PER_ERA;
	const uint64_t day_of_era = since_0000_03_01 % DAYS_PER_ERA;
	const uint64_t year_of_era =
		(day_of_era - day_of_era / (DAYS_PER_FOUR - 1) +
			day_of_era / DAYS_PER_CENT -
			day_of_era / (DAYS_PER_ERA - 1)) /
		365;
	const uint64_t day_of_year =
		day_of_era -
		(365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	/* Months from March on have 153 days in every five. */
	const uint64_t month_from_march = (5 * day_of_year + 2) / 153;
	struct date date;

	date.day =
		(uint8_t)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
	date.month = (uint8_t)(month_from_march < 10 ? month_from_march + 3
						     : month_from_march - 9);
	date.year =
		(uint32_t)(era * 400 + year_of_era + (date.month <= 2 ? 1 : 0));
	return date;
}

void
clock_format_utc(uint64_t us, char out[CLOCK_STAMP_SIZE])
{
	const uint64_t seconds = us / US_PER_S;
	const unsigned of_day = (unsigned)(seconds % S_PER_DAY);
	const struct date date = date_from_days(seconds / S_PER_DAY);

	(void)snprintf(out, CLOCK_STAMP_SIZE,
		"%04" PRIu32 "-%02u-%02uT%02u:%02u:%02u.%03uZ", date.year,
		date.month, date.day, of_day / 3600, of_day / 60 % 60,
		of_day % 60, (unsigned)(us / 1000 % 1000));
}
