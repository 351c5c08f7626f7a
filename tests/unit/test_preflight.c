#define _GNU_SOURCE
#include "config.h"

#include "supervisor/preflight.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <event2/event.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "sockets.h"
#include "supervisor/handover.h"

/* The other binary is this very program: what it does is the "path" of the
 * configuration. */
#define CAN     "can"
#define CANNOT  "cannot"
#define SILENT  "silent"
#define CHATS   "chats"
#define LOOKS   "looks"
#define HANGS   "hangs"
#define ENDLESS "endless"

struct fixture {
	struct event_base *base;
	struct preflight *preflight;
	int answers;
	bool ok;
	char text[256];
};

/* ---- in the other binary ---- */

/* Has it what it needs, and nothing else? */
static int
look_around(int handover_fd)
{
	char *bytes;
	size_t len;
	struct error err;
	int open_fds = 0, fd;

	for (fd = 3; fd < 128; fd++)
		if (is_open(fd))
			open_fds++;
	if (fd_read_all(handover_fd, 64, &bytes, &len, &err) < 0 ||
		open_fds != 3)
		return 1;
	free(bytes);
	return printf("takes over: %d\n", open_fds) < 0;
}

static int
other_main(char **argv)
{
	const char *what = argv[3];

	if (strcmp(what, CAN) == 0)
		return printf("a warning\ntakes over: 1.2.3\n") < 0;
	if (strcmp(what, CANNOT) == 0)
		return printf("first\nsecond\n") < 0;
	if (strcmp(what, CHATS) == 0)
		return printf("takes over: 1.2.3\nor not\n") < 0;
	if (strcmp(what, LOOKS) == 0)
		return look_around((int)strtol(argv[2], NULL, 10));
	if (strcmp(what, HANGS) == 0)
		(void)pause();
	while (strcmp(what, ENDLESS) == 0)
		(void)printf("takes over: and over\n");
	return 0;
}

/* ---- in the one that asks ---- */

static int
set_up(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof f);
	f.base = event_base_new();
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	preflight_free(&f->preflight);
	assert_null(f->preflight);
	preflight_free(&f->preflight);
	event_base_free(f->base);
	return 0;
}

static void
on_end(bool ok, const char *text, void *arg)
{
	struct fixture *f = arg;

	f->answers++;
	f->ok = ok;
	(void)snprintf(f->text, sizeof f->text, "%s", text);
	preflight_free(&f->preflight);
	(void)event_base_loopbreak(f->base);
}

static int
sealed(void)
{
	struct error err;

	return fd_sealed_memfd("x", "x", 1, &err);
}

static void
start(struct fixture *f, int image, const char *what)
{
	struct handover handover = {
		.public_fd = sealed(), .secret_fd = sealed()};
	struct preflight_call call = {
		.image = image,
		.name = "other",
		.path = what,
		.handover_fd = sealed(),
		.handover = &handover,
	};
	struct error err;

	f->preflight = preflight_start(f->base, &call, on_end, f, &err);
	assert_non_null(f->preflight);
	assert_int_equal(close(call.handover_fd), 0);
	assert_int_equal(close(handover.public_fd), 0);
	assert_int_equal(close(handover.secret_fd), 0);
}

static void
on_deadline(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fail_msg("no answer");
}

static void
ask(struct fixture *f, int image, const char *what)
{
	struct timeval tv = clock_tv_of_ms(SOCKETS_DEADLINE_MS);
	struct event *deadline = evtimer_new(f->base, on_deadline, NULL);

	(void)evtimer_add(deadline, &tv);
	start(f, image, what);
	(void)event_base_dispatch(f->base);
	event_free(deadline);
	assert_int_equal(f->answers, 1);
}

static int
self(void)
{
	int fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void
ask_self(struct fixture *f, const char *what)
{
	int image = self();

	ask(f, image, what);
	assert_int_equal(close(image), 0);
}

static void
one_that_can_says_its_version(void **state)
{
	struct fixture *f = *state;

	ask_self(f, CAN);
	assert_true(f->ok);
	assert_string_equal(f->text, "1.2.3");
}

static void
one_that_cannot_says_why_first(void **state)
{
	struct fixture *f = *state;

	ask_self(f, CANNOT);
	assert_false(f->ok);
	assert_string_equal(f->text, "first");
}

static void
the_answer_is_the_last_line(void **state)
{
	struct fixture *f = *state;

	ask_self(f, CHATS);
	assert_false(f->ok);
}

static void
one_that_says_nothing_cannot(void **state)
{
	struct fixture *f = *state;

	ask_self(f, SILENT);
	assert_false(f->ok);
	assert_string_equal(f->text, "it ended without an answer");
}

static void
one_that_does_not_stop_talking_cannot(void **state)
{
	struct fixture *f = *state;

	ask_self(f, ENDLESS);
	assert_false(f->ok);
	assert_string_equal(f->text, "it does not stop talking");
}

static void
it_gets_the_handover_and_the_bundles_and_nothing_else(void **state)
{
	struct fixture *f = *state;

	ask_self(f, LOOKS);
	assert_true(f->ok);
	assert_string_equal(f->text, "3");
}

static void
what_cannot_be_executed_cannot(void **state)
{
	struct fixture *f = *state;
	int image = open("/", O_PATH | O_CLOEXEC);

	ask(f, image, CAN);
	assert_false(f->ok);
	assert_non_null(strstr(f->text, "cannot be executed: "));
	assert_int_equal(close(image), 0);
}

static void
one_that_hangs_ends_with_the_question(void **state)
{
	struct fixture *f = *state;
	int image = self();

	start(f, image, HANGS);
	preflight_free(&f->preflight); /* waits for its end */
	assert_int_equal(f->answers, 0);
	assert_int_equal(close(image), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(one_that_can_says_its_version),
		TEST(one_that_cannot_says_why_first),
		TEST(the_answer_is_the_last_line),
		TEST(one_that_says_nothing_cannot),
		TEST(one_that_does_not_stop_talking_cannot),
		TEST(it_gets_the_handover_and_the_bundles_and_nothing_else),
		TEST(what_cannot_be_executed_cannot),
		TEST(one_that_hangs_ends_with_the_question),
	};

	if (argc == 4 && strcmp(argv[1], PREFLIGHT_MARK) == 0)
		return other_main(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
