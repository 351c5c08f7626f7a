#include "config.h"

#include "proxy/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/clock.h"
#include "gateway.h"
#include "sockets.h"

/* Longer than any pass after which there is another one. */
#define LONG_US 2000

/*
 * A request, whose handler makes the answer to it readable, and a handshake
 * that waits behind them. What happened is noted: 'r', 'a', 'h'.
 */
struct scene {
	struct gateway *g;
	struct handshake_task task;
	struct event *request, *answer;
	int asks[2], answers[2];
	uint64_t work_us; /* that the request takes */
	char story[8];
};

static void
note(struct scene *scene, char what)
{
	size_t len = strlen(scene->story);

	assert_true(len + 1 < sizeof scene->story);
	scene->story[len] = what;
}

static void
take_byte(int fd)
{
	char byte;

	assert_int_equal(read(fd, &byte, 1), 1);
}

static void
on_request(int fd, short what, void *arg)
{
	struct scene *scene = arg;
	uint64_t until_us = clock_monotonic_us() + scene->work_us;

	(void)what;
	take_byte(fd);
	note(scene, 'r');
	while (clock_monotonic_us() < until_us)
		;
	assert_int_equal(write(scene->answers[1], "a", 1), 1);
}

static void
on_answer(int fd, short what, void *arg)
{
	(void)what;
	take_byte(fd);
	note(arg, 'a');
}

static void
step(struct handshake_task *task)
{
	note((struct scene *)((char *)task - offsetof(struct scene, task)),
		'h');
}

static struct event *
watch_socket(struct scene *scene, int sockets[2], event_callback_fn on_ready)
{
	struct event *event;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	event = event_new(scene->g->base, sockets[0], EV_READ | EV_PERSIST,
		on_ready, scene);
	assert_non_null(event);
	assert_int_equal(event_add(event, NULL), 0);
	return event;
}

static void
scene_init(struct scene *scene, struct gateway *g, uint64_t work_us)
{
	*scene = (struct scene){.g = g, .task.step = step, .work_us = work_us};
	scene->request = watch_socket(scene, scene->asks, on_request);
	scene->answer = watch_socket(scene, scene->answers, on_answer);
}

static void
scene_done(struct scene *scene)
{
	event_free(scene->request);
	event_free(scene->answer);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(close(scene->asks[i]), 0);
		assert_int_equal(close(scene->answers[i]), 0);
	}
}

/* Request and handshake are there at once: what comes in which order? */
static const char *
play(struct scene *scene)
{
	memset(scene->story, 0, sizeof scene->story);
	assert_int_equal(write(scene->asks[1], "r", 1), 1);
	handshake_queue_add(&scene->g->proxy->handshakes, &scene->task);
	GATEWAY_WAIT(scene->g, strlen(scene->story) == 3);
	return scene->story;
}

static void
an_answer_that_comes_soon_is_served_before_the_handshake(void **state)
{
	struct scene scene;
	int tries = 1;

	gateway_open(*state, 10);
	scene_init(&scene, *state, 0);
	/* Not when something else had the processor for a while. */
	while (strcmp(play(&scene), "rah") != 0 && tries < 100)
		tries++;
	assert_string_equal(scene.story, "rah");
	scene_done(&scene);
}

static void
after_much_io_the_handshake_has_its_turn(void **state)
{
	struct scene scene;

	gateway_open(*state, 10);
	scene_init(&scene, *state, LONG_US);
	assert_string_equal(play(&scene), "rha");
	scene_done(&scene);
}

static void
a_turn_takes_one_step_of_one_handshake(void **state)
{
	struct handshake_task second = {.step = step};
	struct scene scene;

	gateway_open(*state, 10);
	scene_init(&scene, *state, 0);
	handshake_queue_add(&scene.g->proxy->handshakes, &scene.task);
	handshake_queue_add(&scene.g->proxy->handshakes, &second);
	gateway_turn(*state);
	assert_string_equal(scene.story, "h");
	assert_true(second.queued);
	handshake_queue_remove(&scene.g->proxy->handshakes, &second);
	scene_done(&scene);
}

static bool
count_pieces(void *arg)
{
	return --*(int *)arg > 0;
}

/* With nothing else to happen: the alarm ends a test that waits. */
static void
work_in_the_background_waits_for_nobody(void **state)
{
	struct gateway *g = *state;
	int pieces = 100000;
	struct background_task task = {.step = count_pieces, .arg = &pieces};

	gateway_open(g, 10);
	assert_int_equal(event_del(g->tick), 0);
	background_add(&g->proxy->background, &task);
	(void)alarm(SOCKETS_DEADLINE_MS / 1000);
	while (pieces > 0)
		gateway_turn(g);
	(void)alarm(0);
	assert_true(background_is_empty(&g->proxy->background));
	/* It was looked at whether there is memory to give back. */
	assert_int_equal(g->proxy->background.n_pieces, 0);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, gateway_setup, gateway_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_that_comes_soon_is_served_before_the_handshake),
		TEST(after_much_io_the_handshake_has_its_turn),
		TEST(a_turn_takes_one_step_of_one_handshake),
		TEST(work_in_the_background_waits_for_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
