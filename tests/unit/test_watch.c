#include "config.h"

#include "proxy/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "sockets.h"

struct fixture {
	struct event_base *base;
	struct watch watch;
	int peer, local;
	int n_readable, n_writable;
	bool stops; /* the callback stops the watch */
};

static void
on_ready(int fd, short what, void *arg)
{
	struct fixture *f = arg;

	assert_int_equal(fd, f->local);
	if (what == EV_READ)
		f->n_readable++;
	if (what == EV_WRITE)
		f->n_writable++;
	if (f->stops)
		watch_stop(&f->watch);
}

static int
set_up(void **state)
{
	static struct fixture f;

	f = (struct fixture){.base = event_base_new()};
	assert_non_null(f.base);
	unix_pair(&f.peer, &f.local);
	watch_start(&f.watch, f.base, f.local, on_ready, &f);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	watch_stop(&f->watch);
	assert_int_equal(close(f->peer), 0);
	assert_int_equal(close(f->local), 0);
	event_base_free(f->base);
	return 0;
}

/* One look at what is ready now. */
static void
turn(struct fixture *f)
{
	f->n_readable = 0;
	f->n_writable = 0;
	(void)event_base_loop(f->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void
peer_speaks(struct fixture *f)
{
	assert_int_equal(send(f->peer, "x", 1, 0), 1);
}

static void
a_fresh_watch_hears_nothing(void **state)
{
	struct fixture *f = *state;

	peer_speaks(f);
	turn(f);
	assert_int_equal(f->n_readable, 0);
	assert_int_equal(f->n_writable, 0);
}

static void
it_hears_what_it_wants_and_nothing_else(void **state)
{
	struct fixture *f = *state;

	peer_speaks(f);
	assert_true(watch_want(&f->watch, true, false));
	turn(f);
	assert_int_equal(f->n_readable, 1);
	assert_int_equal(f->n_writable, 0);
	assert_true(watch_want(&f->watch, false, true));
	turn(f);
	assert_int_equal(f->n_readable, 0);
	assert_int_equal(f->n_writable, 1);
	assert_true(watch_want(&f->watch, true, true));
	turn(f);
	assert_int_equal(f->n_readable, 1);
	assert_int_equal(f->n_writable, 1);
	assert_true(watch_want(&f->watch, false, false));
	turn(f);
	assert_int_equal(f->n_readable + f->n_writable, 0);
}

static void
one_that_need_not_write_holds_no_event_for_it(void **state)
{
	struct fixture *f = *state;

	assert_true(watch_want(&f->watch, true, false));
	assert_null(f->watch.writable);
	assert_true(watch_want(&f->watch, true, true));
	assert_non_null(f->watch.writable);
	assert_true(watch_is_writing(&f->watch));
	assert_true(watch_want(&f->watch, true, false));
	assert_null(f->watch.writable);
	assert_true(f->watch.reading);
}

static void
it_goes_on_as_long_as_bytes_wait(void **state)
{
	struct fixture *f = *state;

	peer_speaks(f);
	assert_true(watch_want(&f->watch, true, false));
	for (int i = 0; i < 3; i++) {
		turn(f);
		assert_int_equal(f->n_readable, 1);
	}
}

static void
the_same_wish_twice_is_one_event(void **state)
{
	struct fixture *f = *state;

	peer_speaks(f);
	assert_true(watch_want(&f->watch, true, false));
	assert_true(watch_want(&f->watch, true, false));
	turn(f);
	assert_int_equal(f->n_readable, 1);
	assert_true(watch_want(&f->watch, false, false));
	turn(f);
	assert_int_equal(f->n_readable, 0);
}

static void
a_stopped_watch_hears_nothing_and_may_be_stopped_again(void **state)
{
	struct fixture *f = *state;

	peer_speaks(f);
	assert_true(watch_want(&f->watch, true, true));
	watch_stop(&f->watch);
	watch_stop(&f->watch);
	turn(f);
	assert_int_equal(f->n_readable + f->n_writable, 0);
}

static void
stopping_in_the_first_callback_spares_the_second(void **state)
{
	struct fixture *f = *state;

	f->stops = true;
	peer_speaks(f);
	assert_true(watch_want(&f->watch, true, true));
	turn(f);
	assert_int_equal(f->n_readable + f->n_writable, 1);
}

static void
a_watch_may_be_started_on_another_descriptor(void **state)
{
	struct fixture *f = *state;

	assert_true(watch_want(&f->watch, true, true));
	watch_stop(&f->watch);
	assert_int_equal(close(f->peer), 0);
	assert_int_equal(close(f->local), 0);
	unix_pair(&f->peer, &f->local);
	watch_start(&f->watch, f->base, f->local, on_ready, f);
	peer_speaks(f);
	assert_true(watch_want(&f->watch, true, false));
	turn(f);
	assert_int_equal(f->n_readable, 1);
}

static void
one_that_was_never_started_may_be_stopped(void **state)
{
	struct watch watch = {.started = false};

	(void)state;
	watch_stop(&watch);
	assert_false(watch.started);
}

static void
be_quiet(int severity, const char *text)
{
	(void)severity;
	(void)text;
}

static void
a_descriptor_that_the_kernel_refuses_is_told(void **state)
{
	struct fixture *f = *state;
	struct watch watch;
	int closed = dup(f->local);

	assert_true(closed >= 0);
	assert_int_equal(close(closed), 0);
	watch_start(&watch, f->base, closed, on_ready, f);
	event_set_log_callback(be_quiet);
	assert_false(watch_want(&watch, true, false));
	assert_false(watch.reading);
	watch_stop(&watch);
	event_set_log_callback(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_fresh_watch_hears_nothing),
		TEST(it_hears_what_it_wants_and_nothing_else),
		TEST(one_that_need_not_write_holds_no_event_for_it),
		TEST(it_goes_on_as_long_as_bytes_wait),
		TEST(the_same_wish_twice_is_one_event),
		TEST(a_stopped_watch_hears_nothing_and_may_be_stopped_again),
		TEST(stopping_in_the_first_callback_spares_the_second),
		TEST(a_watch_may_be_started_on_another_descriptor),
		cmocka_unit_test(one_that_was_never_started_may_be_stopped),
		TEST(a_descriptor_that_the_kernel_refuses_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
