#include "config.h"

#include "proxy/timeout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

#include <cmocka.h>

/* libevent's, of common timeouts on one base. */
#define COMMON_MAX 256

static int
set_up(void **state)
{
	*state = event_base_new();
	assert_non_null(*state);
	return 0;
}

static int
tear_down(void **state)
{
	event_base_free(*state);
	return 0;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	int *fired = arg;

	(void)fd;
	assert_int_equal(what, EV_TIMEOUT);
	(*fired)++;
}

static void
assert_fires(struct event_base *base, const struct timeval *tv)
{
	int fired = 0;
	struct event *timer = evtimer_new(base, on_timer, &fired);

	assert_non_null(timer);
	assert_int_equal(event_add(timer, tv), 0);
	assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	assert_int_equal(fired, 1);
	event_free(timer);
}

static void
none_is_no_timeout_at_all(void **state)
{
	struct timeout timeout;

	timeout_init(&timeout, *state, 0);
	assert_null(timeout_tv(&timeout));
}

static void
a_timeout_fires(void **state)
{
	struct timeout timeout;

	timeout_init(&timeout, *state, 1);
	assert_int_equal(timeout.ms, 1);
	assert_fires(*state, timeout_tv(&timeout));
}

static void
equal_lengths_share_one_queue(void **state)
{
	struct timeout a, b;

	timeout_init(&a, *state, 5000);
	timeout_init(&b, *state, 5000);
	assert_non_null(a.common);
	assert_ptr_equal(a.common, b.common);
}

static void
a_timeout_works_when_libevent_has_its_fill_of_lengths(void **state)
{
	struct timeout timeout;

	for (uint64_t ms = 1000; ms < 1000 + COMMON_MAX; ms++)
		timeout_init(&timeout, *state, ms);
	timeout_init(&timeout, *state, 1);
	assert_null(timeout.common);
	assert_fires(*state, timeout_tv(&timeout));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(none_is_no_timeout_at_all),
		TEST(a_timeout_fires),
		TEST(equal_lengths_share_one_queue),
		TEST(a_timeout_works_when_libevent_has_its_fill_of_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
