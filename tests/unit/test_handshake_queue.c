#include "config.h"

#include "proxy/handshake_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What was stepped, in order: the letters of the tasks. */
static char stepped[16];

struct letter {
	struct handshake_task task;
	char letter;
	struct handshake_queue *again; /* queue it again from its step */
	struct handshake_task *removes;
	struct handshake_queue *from;
};

static void
note(struct handshake_task *task)
{
	struct letter *it = (struct letter *)task; /* its first member */
	size_t len = strlen(stepped);

	assert_false(task->queued);
	assert_true(len + 1 < sizeof stepped);
	stepped[len] = it->letter;
	if (it->again != NULL)
		handshake_queue_add(it->again, task);
	if (it->removes != NULL)
		handshake_queue_remove(it->from, it->removes);
}

static int
set_up(void **state)
{
	static struct handshake_queue queue;

	memset(stepped, 0, sizeof stepped);
	handshake_queue_init(&queue);
	*state = &queue;
	return 0;
}

static struct letter
letter(char c)
{
	return (struct letter){.task = {.step = note}, .letter = c};
}

static void
a_new_queue_is_empty_and_steps_nothing(void **state)
{
	struct handshake_queue *queue = *state;

	assert_true(handshake_queue_is_empty(queue));
	handshake_queue_step(queue);
	assert_string_equal(stepped, "");
}

static void
the_oldest_goes_first_and_one_at_a_time(void **state)
{
	struct handshake_queue *queue = *state;
	struct letter a = letter('a'), b = letter('b');

	handshake_queue_add(queue, &a.task);
	handshake_queue_add(queue, &b.task);
	handshake_queue_step(queue);
	assert_string_equal(stepped, "a");
	assert_false(handshake_queue_is_empty(queue));
	handshake_queue_step(queue);
	assert_string_equal(stepped, "ab");
	assert_true(handshake_queue_is_empty(queue));
}

static void
queued_twice_is_queued_once(void **state)
{
	struct handshake_queue *queue = *state;
	struct letter a = letter('a'), b = letter('b');

	handshake_queue_add(queue, &a.task);
	handshake_queue_add(queue, &b.task);
	handshake_queue_add(queue, &a.task);
	for (int i = 0; i < 4; i++)
		handshake_queue_step(queue);
	assert_string_equal(stepped, "ab");
}

static void
a_task_that_goes_is_not_stepped(void **state)
{
	struct handshake_queue *queue = *state;
	struct letter a = letter('a'), b = letter('b'), c = letter('c');

	handshake_queue_add(queue, &a.task);
	handshake_queue_add(queue, &b.task);
	handshake_queue_add(queue, &c.task);
	handshake_queue_remove(queue, &b.task);
	for (int i = 0; i < 4; i++)
		handshake_queue_step(queue);
	assert_string_equal(stepped, "ac");
}

static void
removing_what_is_not_queued_is_allowed(void **state)
{
	struct handshake_queue *queue = *state;
	struct letter a = letter('a');

	handshake_queue_remove(queue, &a.task);
	handshake_queue_add(queue, &a.task);
	handshake_queue_remove(queue, &a.task);
	handshake_queue_remove(queue, &a.task);
	assert_true(handshake_queue_is_empty(queue));
}

static void
a_task_may_queue_itself_again_behind_the_others(void **state)
{
	struct handshake_queue *queue = *state;
	struct letter a = letter('a'), b = letter('b');

	a.again = queue;
	handshake_queue_add(queue, &a.task);
	handshake_queue_add(queue, &b.task);
	for (int i = 0; i < 3; i++)
		handshake_queue_step(queue);
	assert_string_equal(stepped, "aba");
	handshake_queue_remove(queue, &a.task);
}

static void
a_step_may_remove_another_task(void **state)
{
	struct handshake_queue *queue = *state;
	struct letter a = letter('a'), b = letter('b');

	a.removes = &b.task;
	a.from = queue;
	handshake_queue_add(queue, &a.task);
	handshake_queue_add(queue, &b.task);
	handshake_queue_step(queue);
	handshake_queue_step(queue);
	assert_string_equal(stepped, "a");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_queue_is_empty_and_steps_nothing),
		TEST(the_oldest_goes_first_and_one_at_a_time),
		TEST(queued_twice_is_queued_once),
		TEST(a_task_that_goes_is_not_stepped),
		TEST(removing_what_is_not_queued_is_allowed),
		TEST(a_task_may_queue_itself_again_behind_the_others),
		TEST(a_step_may_remove_another_task),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
