#pragma once

#include <stdint.h>
#include <sys/time.h>

struct event_base;

/*
 * One configured duration, as libevent likes it: thousands of timers of the
 * same length cost a list operation each instead of a heap one.
 */
struct timeout {
	uint64_t ms;          /* 0: never */
	struct timeval plain; /* the same for libevent */
	const struct timeval *common;
};

void timeout_init(
	struct timeout *timeout, struct event_base *base, uint64_t ms);

/* What to hand to event_add(); NULL for a timeout of 0. */
const struct timeval *timeout_tv(const struct timeout *timeout);
