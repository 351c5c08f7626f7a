#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>

/* Milliseconds of CLOCK_MONOTONIC: for durations and deadlines. */
uint64_t clock_monotonic_ms(void);

/* Microseconds of CLOCK_MONOTONIC, as sd_notify(MONOTONIC_USEC=) wants. */
uint64_t clock_monotonic_us(void);

/* Microseconds since the epoch, CLOCK_REALTIME: for stamps in logs. */
uint64_t clock_realtime_us(void);

/* MS as timers want it. */
struct timeval clock_tv_of_ms(uint64_t ms);

#define CLOCK_STAMP_SIZE 40

/*
 * Writes US (since the epoch) as RFC 3339 in UTC with milliseconds,
 * "2026-01-31T12:00:00.123Z". Reads no file: works in a sandbox.
 */
void clock_format_utc(uint64_t us, char out[CLOCK_STAMP_SIZE]);
