#include "config.h"

#include "supervisor/worker_respawn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

#include <cmocka.h>

struct fixture {
	struct event_base *base;
	struct worker_respawn respawn;
	unsigned n_due;
};

static void
on_due(void *arg)
{
	struct fixture *f = arg;

	f->n_due++;
}

static int
set_up(void **state)
{
	static struct fixture f;

	f = (struct fixture){.base = event_base_new()};
	assert_non_null(f.base);
	worker_respawn_init(&f.respawn, f.base, on_due, &f);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	worker_respawn_done(&f->respawn);
	event_base_free(f->base);
	return 0;
}

static void
the_wait_doubles_up_to_ten_seconds(void **state)
{
	static const uint64_t waits_ms[] = {
		100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof waits_ms / sizeof waits_ms[0]; i++) {
		worker_respawn_died(&f->respawn, 0);
		assert_int_equal(f->respawn.backoff_ms, waits_ms[i]);
	}
}

static void
one_that_lived_a_while_is_replaced_at_once(void **state)
{
	struct fixture *f = *state;

	worker_respawn_died(&f->respawn, 9999);
	assert_int_equal(f->respawn.backoff_ms, 100);
	worker_respawn_died(&f->respawn, 10000);
	assert_int_equal(f->respawn.backoff_ms, 0);
	worker_respawn_begin(&f->respawn);
	assert_int_equal(event_base_dispatch(f->base), 1);
	assert_int_equal(f->n_due, 1);
}

static void
it_is_due_once_after_the_wait(void **state)
{
	struct fixture *f = *state;

	worker_respawn_died(&f->respawn, 0);
	worker_respawn_begin(&f->respawn);
	assert_int_equal(event_base_loop(f->base, EVLOOP_NONBLOCK), 0);
	assert_int_equal(f->n_due, 0);
	/* Comes back when no timer is left: 1. */
	assert_int_equal(event_base_dispatch(f->base), 1);
	assert_int_equal(f->n_due, 1);
}

static void
a_failed_start_has_the_longest_wait(void **state)
{
	struct fixture *f = *state;

	worker_respawn_begin_late(&f->respawn);
	assert_int_equal(f->respawn.backoff_ms, 10000);
	assert_true(evtimer_pending(f->respawn.timer, NULL));
}

static void
what_is_cancelled_is_not_due(void **state)
{
	struct fixture *f = *state;

	worker_respawn_begin(&f->respawn);
	worker_respawn_cancel(&f->respawn);
	assert_int_equal(event_base_dispatch(f->base), 1);
	assert_int_equal(f->n_due, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_wait_doubles_up_to_ten_seconds),
		TEST(one_that_lived_a_while_is_replaced_at_once),
		TEST(it_is_due_once_after_the_wait),
		TEST(a_failed_start_has_the_longest_wait),
		TEST(what_is_cancelled_is_not_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
