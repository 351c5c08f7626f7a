#include "config.h"

#include "worker/event_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include <cmocka.h>

/* More descriptors than cells: what does not fit is malloc()'s. */
#define CELLS 16
#define PIPES 32

static void
ignore(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static void
events_come_and_go(void **state)
{
	struct event_base *base = event_base_new();
	struct event *events[PIPES];
	int pipes[PIPES][2];

	(void)state;
	assert_non_null(base);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < PIPES; i++) {
			assert_int_equal(pipe(pipes[i]), 0);
			events[i] = event_new(base, pipes[i][0],
				EV_READ | EV_PERSIST, ignore, NULL);
			assert_non_null(events[i]);
			assert_int_equal(event_add(events[i], NULL), 0);
		}
		assert_int_equal(write(pipes[PIPES - 1][1], "x", 1), 1);
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
		for (int i = 0; i < PIPES; i++) {
			event_free(events[i]);
			assert_int_equal(close(pipes[i][0]), 0);
			assert_int_equal(close(pipes[i][1]), 0);
		}
	}
	event_base_free(base);
}

static int
set_up(void **state)
{
	(void)state;
	event_memory_init(CELLS);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_come_and_go),
		/* What was given back is given out again. */
		cmocka_unit_test(events_come_and_go),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
