#include "supervisor/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include <cmocka.h>

#include "base/error.h"

/* What needs a rollout is tested with the daemon itself. */
struct fixture {
	char directory[32];
	struct sockaddr_un addr;
	struct event_base *base;
	struct control *control;
};

static void
tell(enum control_form form, FILE *out, void *arg)
{
	assert_non_null(arg);
	(void)fputs(form == CONTROL_JSON ? "{}\n" : "fine\n", out);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct error err;

	assert_non_null(f);
	(void)snprintf(
		f->directory, sizeof f->directory, "/tmp/control.XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	f->addr.sun_family = AF_UNIX;
	(void)snprintf(f->addr.sun_path, sizeof f->addr.sun_path, "%s/s",
		f->directory);
	f->base = event_base_new();
	assert_non_null(f->base);
	f->control =
		control_new(f->base, f->addr.sun_path, NULL, tell, f, &err);
	assert_non_null(f->control);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	control_free(&f->control);
	assert_int_equal(access(f->addr.sun_path, F_OK), -1);
	event_base_free(f->base);
	assert_int_equal(rmdir(f->directory), 0);
	free(f);
	return 0;
}

static int
dial(const struct fixture *f)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(
		connect(fd, (const struct sockaddr *)&f->addr, sizeof f->addr),
		0);
	return fd;
}

static void
turn(const struct fixture *f, int times)
{
	while (times-- > 0)
		(void)event_base_loop(f->base, EVLOOP_NONBLOCK);
}

static void
assert_answer(const struct fixture *f, const char *request, const char *wanted)
{
	char answer[256];
	size_t len = 0;
	ssize_t n;
	int fd = dial(f);

	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	turn(f, 4);
	while ((n = read(fd, answer + len, sizeof answer - len - 1)) > 0)
		len += (size_t)n;
	answer[len] = '\0';
	assert_string_equal(answer, wanted);
	(void)close(fd);
}

static void
the_socket_is_its_owners(void **state)
{
	const struct fixture *f = *state;
	struct stat st;

	assert_int_equal(lstat(f->addr.sun_path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, CONTROL_MODE);
}

static void
who_comes_while_it_is_held_waits(void **state)
{
	const struct fixture *f = *state;
	char answer[8];
	int fd;

	assert_true(control_hold(f->control, true));
	fd = dial(f);
	assert_int_equal(write(fd, "status\n", 7), 7);
	turn(f, 4);
	assert_int_equal(recv(fd, answer, sizeof answer, MSG_DONTWAIT), -1);
	assert_true(control_hold(f->control, false));
	turn(f, 4);
	assert_int_equal(recv(fd, answer, sizeof answer, MSG_DONTWAIT), 8);
	assert_memory_equal(answer, "fine\nok\n", 8);
	(void)close(fd);
}

static void
who_is_in_when_it_is_held_is_served(void **state)
{
	const struct fixture *f = *state;
	char answer[8];
	int fd = dial(f);

	turn(f, 2);
	assert_false(control_hold(f->control, true));
	assert_int_equal(write(fd, "status\n", 7), 7);
	turn(f, 4);
	assert_int_equal(recv(fd, answer, sizeof answer, MSG_DONTWAIT), 8);
	assert_true(control_hold(f->control, true));
	(void)control_hold(f->control, false);
	(void)close(fd);
	assert_answer(f, "status\n", "fine\nok\n");
}

static void
the_status_comes_in_either_form(void **state)
{
	assert_answer(*state, "status\n", "fine\nok\n");
	assert_answer(*state, "status json\r\n", "{}\nok\n");
}

static void
what_is_no_request_is_told_so(void **state)
{
	static const char unknown[] = "sallyport: unknown request\nfailed\n";

	assert_answer(*state, "stop\n", unknown);
	assert_answer(*state, "\n", unknown);
	assert_answer(*state, "status json \n", unknown);
	assert_answer(*state,
		"................................................................",
		"sallyport: request too long\nfailed\n");
}

static void
whoever_hangs_up_makes_room(void **state)
{
	const struct fixture *f = *state;
	int fds[CONTROL_CALLS_MAX];

	for (size_t i = 0; i < CONTROL_CALLS_MAX; i++)
		fds[i] = dial(f);
	turn(f, CONTROL_CALLS_MAX + 1);
	for (size_t i = 0; i < CONTROL_CALLS_MAX; i++)
		(void)close(fds[i]);
	turn(f, 4);
	assert_answer(f, "status\n", "fine\nok\n");
}

static void
a_second_one_finds_the_place_taken(void **state)
{
	const struct fixture *f = *state;
	struct error err;

	assert_null(
		control_new(f->base, f->addr.sun_path, NULL, tell, NULL, &err));
	assert_non_null(strstr(err.text, "Address already in use"));
	assert_answer(f, "status\n", "fine\nok\n");
}

#define WITH_CONTROL(test)                                                     \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CONTROL(the_socket_is_its_owners),
		WITH_CONTROL(the_status_comes_in_either_form),
		WITH_CONTROL(who_comes_while_it_is_held_waits),
		WITH_CONTROL(who_is_in_when_it_is_held_is_served),
		WITH_CONTROL(what_is_no_request_is_told_so),
		WITH_CONTROL(whoever_hangs_up_makes_room),
		WITH_CONTROL(a_second_one_finds_the_place_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
