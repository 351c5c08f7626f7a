#include "config.h"

#include "worker/conn_room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
a_connection_has_two_descriptors_beside_our_own(void **state)
{
	const struct conn_room room = {.descriptors = 1024};

	(void)state;
	assert_int_equal(conn_room_size(&room, 0), (1024 - 32) / 2);
}

static void
sockets_count_for_this_generation_and_the_next(void **state)
{
	const struct conn_room room = {.descriptors = 1024};

	(void)state;
	assert_int_equal(conn_room_size(&room, 10), (1024 - 32 - 20) / 2);
}

static void
a_wish_holds_as_far_as_there_is_room(void **state)
{
	struct conn_room room = {.descriptors = 1024, .wanted = 100};

	(void)state;
	assert_int_equal(conn_room_size(&room, 0), 100);
	room.wanted = 100000;
	assert_int_equal(conn_room_size(&room, 0), (1024 - 32) / 2);
}

static void
there_is_always_room_for_one(void **state)
{
	const struct conn_room room = {.descriptors = 64, .wanted = 100};

	(void)state;
	assert_int_equal(conn_room_size(&room, 15), 1);
	assert_int_equal(conn_room_size(&room, 1000), 1);
}

static void
the_limit_of_the_process_is_what_counts(void **state)
{
	struct conn_room room = {0};

	(void)state;
	conn_room_init(&room, 7);
	assert_true(room.descriptors > 0);
	assert_int_equal(room.wanted, 7);
}

static void
less_than_was_asked_for_is_short(void **state)
{
	const struct conn_room room = {.descriptors = 1024, .wanted = 100};

	(void)state;
	assert_true(conn_room_is_short(&room, 99));
	assert_false(conn_room_is_short(&room, 100));
}

static void
without_a_wish_next_to_nothing_is_short(void **state)
{
	const struct conn_room room = {.descriptors = 64};

	(void)state;
	assert_true(conn_room_is_short(&room, 1));
	assert_false(conn_room_is_short(&room, 16));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_connection_has_two_descriptors_beside_our_own),
		cmocka_unit_test(
			sockets_count_for_this_generation_and_the_next),
		cmocka_unit_test(a_wish_holds_as_far_as_there_is_room),
		cmocka_unit_test(there_is_always_room_for_one),
		cmocka_unit_test(the_limit_of_the_process_is_what_counts),
		cmocka_unit_test(less_than_was_asked_for_is_short),
		cmocka_unit_test(without_a_wish_next_to_nothing_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
