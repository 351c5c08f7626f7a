#include "supervisor/request_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct asker {
	struct request_queue *queue;
	struct request *request;
	unsigned order; /* 0: not answered */
	uint64_t generation;
	bool asks_again;
};

static unsigned answers;

static void
on_answer(const struct rollout_result *result, void *arg)
{
	struct asker *asker = arg;

	asker->request = NULL;
	asker->order = ++answers;
	asker->generation = result->generation;
	if (asker->asks_again)
		asker->request =
			request_queue_add(asker->queue, on_answer, asker);
}

static void
ask(struct request_queue *queue, struct asker *asker)
{
	*asker = (struct asker){.queue = queue};
	asker->request = request_queue_add(queue, on_answer, asker);
}

static int
set_up(void **state)
{
	answers = 0;
	*state = request_queue_new();
	return 0;
}

static int
tear_down(void **state)
{
	struct request_queue *queue = *state;

	request_queue_free(&queue);
	assert_null(queue);
	return 0;
}

static const struct rollout_result good = {.ok = true, .generation = 7};

static void
everybody_is_answered_once_in_order(void **state)
{
	struct asker askers[3];

	assert_true(request_queue_is_empty(*state));
	for (size_t i = 0; i < 3; i++)
		ask(*state, &askers[i]);
	assert_false(request_queue_is_empty(*state));
	request_queue_answer(*state, &good);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(askers[i].order, i + 1);
		assert_int_equal(askers[i].generation, 7);
	}
	assert_true(request_queue_is_empty(*state));
	request_queue_answer(*state, &good);
	assert_int_equal(answers, 3);
}

static void
whoever_has_gone_is_not_answered(void **state)
{
	struct asker askers[3];

	for (size_t i = 0; i < 3; i++)
		ask(*state, &askers[i]);
	request_forget(&askers[1].request);
	assert_null(askers[1].request);
	request_forget(&askers[1].request);
	request_queue_answer(*state, &good);
	assert_int_equal(askers[1].order, 0);
	assert_int_equal(answers, 2);
}

static void
those_who_moved_are_answered_there(void **state)
{
	struct request_queue *next = request_queue_new();
	struct asker askers[3];

	ask(*state, &askers[0]);
	ask(next, &askers[1]);
	ask(next, &askers[2]);
	request_queue_move(next, *state);
	assert_true(request_queue_is_empty(next));
	request_queue_answer(next, &good);
	assert_int_equal(answers, 0);
	request_forget(&askers[1].request);
	request_queue_answer(*state, &good);
	assert_int_equal(askers[0].order, 1);
	assert_int_equal(askers[2].order, 2);
	request_queue_free(&next);
}

static void
whoever_does_not_listen_costs_nothing(void **state)
{
	assert_non_null(request_queue_add(*state, NULL, NULL));
	request_queue_answer(*state, &good);
	assert_true(request_queue_is_empty(*state));
}

static void
whoever_asks_elsewhere_while_answered_waits_there(void **state)
{
	struct request_queue *next = request_queue_new();
	struct asker asker;

	ask(*state, &asker);
	asker.queue = next;
	asker.asks_again = true;
	request_queue_answer(*state, &good);
	assert_int_equal(answers, 1);
	assert_false(request_queue_is_empty(next));
	request_queue_free(&next);
}

static void
one_who_waits_outweighs_all_automatic_ones(void **state)
{
	struct request *waits;

	assert_false(request_queue_is_automatic(*state));
	request_set_automatic(request_queue_add(*state, NULL, NULL));
	assert_true(request_queue_is_automatic(*state));
	waits = request_queue_add(*state, NULL, NULL);
	request_set_automatic(request_queue_add(*state, NULL, NULL));
	assert_false(request_queue_is_automatic(*state));
	request_forget(&waits);
	assert_true(request_queue_is_automatic(*state));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			everybody_is_answered_once_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			whoever_has_gone_is_not_answered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			those_who_moved_are_answered_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			whoever_does_not_listen_costs_nothing, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			whoever_asks_elsewhere_while_answered_waits_there,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			one_who_waits_outweighs_all_automatic_ones, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
