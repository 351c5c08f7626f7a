#include "config.h"

#include "supervisor/worker_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <event2/event.h>

#include <cmocka.h>

#include "ipc/message.h"

struct fixture {
	struct event_base *base;
	struct worker_list list;
};

static int
set_up(void **state)
{
	static struct fixture f;

	f.base = event_base_new();
	f.list = (struct worker_list){0};
	*state = &f;
	return f.base == NULL;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	worker_list_done(&f->list);
	assert_int_equal(f->list.n, 0);
	event_base_free(f->base);
	return 0;
}

/* A place that no process fills. */
static struct worker_slot *
add(struct fixture *f, unsigned index)
{
	static const struct worker_slot_callbacks callbacks = {0};
	struct worker_slot *slot =
		worker_slot_new(f->base, index, -1, &callbacks, NULL);

	worker_list_add(&f->list, slot);
	return slot;
}

static void
an_empty_list_has_nobody(void **state)
{
	struct fixture *f = *state;
	struct message m;

	message_init(&m, MESSAGE_PING);
	worker_list_send(&f->list, &m);
	worker_list_drain(&f->list, 0);
	assert_int_equal(worker_list_count(&f->list, WORKER_SERVE), 0);
	assert_int_equal(worker_list_free_index(&f->list), 0);
	assert_int_equal(worker_list_ping(&f->list), 0);
	assert_int_equal(worker_list_connections(&f->list), 0);
	assert_true(worker_list_all_have(&f->list, 1, worker_slot_committed));
}

static void
they_are_counted_by_their_orders(void **state)
{
	struct fixture *f = *state;

	add(f, 0);
	worker_slot_leave(add(f, 1));
	worker_slot_drain(add(f, 2), 0);
	add(f, 3);
	assert_int_equal(worker_list_count(&f->list, WORKER_SERVE), 2);
	assert_int_equal(worker_list_count(&f->list, WORKER_LEAVE), 1);
	assert_int_equal(worker_list_count(&f->list, WORKER_STOP), 1);
	assert_int_equal(worker_list_count(&f->list, WORKER_LAST), 0);
}

static void
the_lowest_free_index_is_that_of_one_that_leaves(void **state)
{
	struct fixture *f = *state;
	struct worker_slot *one;

	add(f, 2);
	add(f, 0);
	one = add(f, 1);
	assert_int_equal(worker_list_free_index(&f->list), 3);
	worker_slot_leave(one);
	assert_int_equal(worker_list_free_index(&f->list), 1);
	worker_list_remove(&f->list, one);
	assert_int_equal(f->list.n, 2);
	assert_int_equal(worker_list_free_index(&f->list), 1);
}

static void
only_those_that_serve_have_to_have_it(void **state)
{
	struct fixture *f = *state;

	worker_slot_leave(add(f, 0));
	assert_true(worker_list_all_have(&f->list, 7, worker_slot_committed));
	add(f, 1);
	assert_false(worker_list_all_have(&f->list, 7, worker_slot_committed));
	assert_true(worker_list_all_have(&f->list, 0, worker_slot_committed));
}

static void
one_without_a_process_is_silent(void **state)
{
	struct fixture *f = *state;

	add(f, 0);
	worker_slot_leave(add(f, 1));
	assert_int_equal(worker_list_ping(&f->list), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_list_has_nobody),
		TEST(they_are_counted_by_their_orders),
		TEST(the_lowest_free_index_is_that_of_one_that_leaves),
		TEST(only_those_that_serve_have_to_have_it),
		TEST(one_without_a_process_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
