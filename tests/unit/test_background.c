#include "config.h"

#include "proxy/background.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

/* What was done, in order: the letters of the tasks. */
static char done[64];

struct letter {
	struct background_task task;
	char letter;
	int left; /* pieces */
	bool is_freed;
};

static bool
note(void *arg)
{
	struct letter *it = arg;
	size_t len = strlen(done);

	assert_true(len + 1 < sizeof done);
	done[len] = it->letter;
	if (--it->left > 0)
		return true;
	if (it->is_freed)
		free(it);
	return false;
}

static struct letter *
letter_new(char letter, int pieces)
{
	struct letter *it = calloc(1, sizeof *it);

	assert_non_null(it);
	*it = (struct letter){.task = {.step = note, .arg = it},
		.letter = letter,
		.left = pieces,
		.is_freed = true};
	return it;
}

static int
set_up(void **state)
{
	static struct background background;

	memset(done, 0, sizeof done);
	background_init(&background);
	*state = &background;
	return 0;
}

static void
one_piece_of_each_in_turn(void **state)
{
	struct background *background = *state;

	background_add(background, &letter_new('a', 3)->task);
	background_add(background, &letter_new('b', 1)->task);
	background_add(background, &letter_new('c', 2)->task);
	background_finish(background);
	assert_string_equal(done, "abcaca");
	assert_true(background_is_empty(background));
	assert_int_equal(background->n_pieces, 6);
}

static void
without_time_there_is_one_piece(void **state)
{
	struct background *background = *state;

	background_add(background, &letter_new('a', 2)->task);
	background_run(background, 0);
	assert_string_equal(done, "a");
	assert_false(background_is_empty(background));
	background_run(background, 0);
	assert_string_equal(done, "aa");
	assert_true(background_is_empty(background));
	background_run(background, 0);
}

static bool
count(void *arg)
{
	++*(int *)arg;
	return true;
}

static void
time_is_used_and_then_over(void **state)
{
	struct background *background = *state;
	int pieces = 0;
	struct background_task endless = {.step = count, .arg = &pieces};
	uint64_t began_us = clock_monotonic_us();

	background_add(background, &endless);
	background_run(background, 2000);
	assert_true(clock_monotonic_us() - began_us >= 2000);
	assert_true(pieces > 1);
	background_remove(background, &endless);
}

static void
who_is_removed_has_no_more_to_do(void **state)
{
	struct background *background = *state;
	struct letter b = {
		.task = {.step = note, .arg = &b}, .letter = 'b', .left = 2};

	background_remove(background, &b.task);
	background_add(background, &letter_new('a', 2)->task);
	background_add(background, &b.task);
	background_run(background, 0);
	background_remove(background, &b.task);
	background_finish(background);
	assert_string_equal(done, "aa");
	/* And may come again. */
	background_add(background, &b.task);
	background_finish(background);
	assert_string_equal(done, "aabb");
}

struct parent {
	struct background_task task;
	struct background *background;
};

static bool
bear(void *arg)
{
	struct parent *parent = arg;

	background_add(parent->background, &letter_new('c', 1)->task);
	return false;
}

static void
a_piece_may_leave_more_work(void **state)
{
	struct background *background = *state;
	struct parent parent = {.task = {.step = bear, .arg = &parent},
		.background = background};

	background_add(background, &parent.task);
	background_finish(background);
	assert_string_equal(done, "c");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_piece_of_each_in_turn, set_up),
		cmocka_unit_test_setup(without_time_there_is_one_piece, set_up),
		cmocka_unit_test_setup(time_is_used_and_then_over, set_up),
		cmocka_unit_test_setup(
			who_is_removed_has_no_more_to_do, set_up),
		cmocka_unit_test_setup(a_piece_may_leave_more_work, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
