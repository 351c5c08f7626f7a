#include "config.h"

#include "ipc/child_args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/log.h"

/* Positions in argv that the tests spoil. */
enum {
	ROLE = 2,
	CHANNEL,
	STATS,
	SESSIONS,
	MAX_CONNECTIONS,
	FORMAT,
	LEVEL,
	SANDBOX,
	N = 12
};

static char user[] = "sally", group[] = "port";

static const struct child_args example = {
	.role = CHILD_WORKER,
	.channel_fd = 3,
	.stats_fd = 4,
	.sessions_fd = 5,
	.max_connections = 20000,
	.log_format = LOG_FORMAT_JSON,
	.log_level = LOG_LEVEL_DEBUG,
	.sandbox = true,
	.user = user,
	.group = group,
};

static int
count(char **argv)
{
	int n = 0;

	while (argv[n] != NULL)
		n++;
	return n;
}

static void
assert_same_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void
assert_round_trip(const struct child_args *in)
{
	char **argv = child_args_format(in);
	struct child_args out;
	struct error err = {""};

	if (child_args_parse(count(argv), argv, &out, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(out.role, in->role);
	assert_int_equal(out.channel_fd, in->channel_fd);
	assert_int_equal(out.stats_fd, in->stats_fd);
	assert_int_equal(out.sessions_fd, in->sessions_fd);
	assert_int_equal(out.max_connections, in->max_connections);
	assert_int_equal(out.log_format, in->log_format);
	assert_int_equal(out.log_level, in->log_level);
	assert_int_equal(out.sandbox, in->sandbox);
	assert_same_text(out.user, in->user);
	assert_same_text(out.group, in->group);
	child_args_free(&argv);
	assert_null(argv);
}

static void
what_was_written_is_read_back(void **state)
{
	(void)state;
	assert_round_trip(&example);
}

static void
a_resolver_without_user_and_stats_is_read_back(void **state)
{
	const struct child_args args = {
		.role = CHILD_RESOLVER,
		.channel_fd = 3,
		.stats_fd = -1,
		.sessions_fd = -1,
	};

	(void)state;
	assert_round_trip(&args);
}

static void
more_connections_than_an_int_holds_are_read_back(void **state)
{
	struct child_args args = example;

	(void)state;
	args.max_connections = (uint64_t)1 << 40;
	assert_round_trip(&args);
}

static void
the_mark_comes_first_and_the_role_is_for_people_to_see(void **state)
{
	char **argv = child_args_format(&example);

	(void)state;
	assert_string_equal(argv[0], "sallyport: worker");
	assert_string_equal(argv[1], CHILD_ARGS_MARK);
	assert_int_equal(count(argv), N);
	child_args_free(&argv);
	child_args_free(&argv);
	assert_string_equal(child_role_name(CHILD_RESOLVER), "resolver");
}

static void
too_few_and_too_many_arguments_are_refused(void **state)
{
	char **argv = child_args_format(&example);
	struct child_args out = {.channel_fd = 77};
	struct error err;

	(void)state;
	for (int argc = 0; argc < N; argc++)
		assert_int_equal(child_args_parse(argc, argv, &out, &err), -1);
	assert_int_equal(child_args_parse(N + 1, argv, &out, &err), -1);
	assert_int_equal(out.channel_fd, 77);
	child_args_free(&argv);
}

/* The example with one argument replaced must be refused. */
static void
assert_refused(int position, const char *text)
{
	char **argv = child_args_format(&example);
	struct child_args out = {.channel_fd = 77};
	struct error err = {""};
	char copy[64];
	char *good = argv[position];

	assert_true(strlen(text) < sizeof copy);
	memcpy(copy, text, strlen(text) + 1);
	argv[position] = copy;
	if (child_args_parse(N, argv, &out, &err) == 0)
		fail_msg("argument %d: \"%s\" was taken", position, text);
	assert_true(strlen(err.text) > 0);
	assert_int_equal(out.channel_fd, 77);
	argv[position] = good;
	child_args_free(&argv);
}

static void
every_number_is_vetted(void **state)
{
	static const char *const bad[] = {"", " ", "x", "3x", "0x3", "--1",
		"-2", "99999999999999999999", "3 ", "\n"};

	(void)state;
	for (int position = ROLE; position <= SANDBOX; position++)
		for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
			assert_refused(position, bad[i]);
}

static void
values_outside_of_their_enums_are_refused(void **state)
{
	(void)state;
	assert_refused(ROLE, "-1");
	assert_refused(ROLE, "2");
	assert_refused(FORMAT, "-1");
	assert_refused(FORMAT, "4");
	assert_refused(LEVEL, "-1");
	assert_refused(LEVEL, "5");
	assert_refused(SANDBOX, "-1");
	assert_refused(SANDBOX, "2");
}

static void
a_child_without_a_channel_is_refused(void **state)
{
	(void)state;
	assert_refused(CHANNEL, "-1");
}

static void
no_number_of_connections_is_refused(void **state)
{
	(void)state;
	assert_refused(MAX_CONNECTIONS, "-1");
}

static void
a_descriptor_larger_than_an_int_is_refused(void **state)
{
	(void)state;
	assert_refused(CHANNEL, "4294967299");
	assert_refused(STATS, "4294967299");
	assert_refused(SESSIONS, "4294967299");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read_back),
		cmocka_unit_test(
			a_resolver_without_user_and_stats_is_read_back),
		cmocka_unit_test(
			more_connections_than_an_int_holds_are_read_back),
		cmocka_unit_test(
			the_mark_comes_first_and_the_role_is_for_people_to_see),
		cmocka_unit_test(too_few_and_too_many_arguments_are_refused),
		cmocka_unit_test(every_number_is_vetted),
		cmocka_unit_test(values_outside_of_their_enums_are_refused),
		cmocka_unit_test(a_child_without_a_channel_is_refused),
		cmocka_unit_test(no_number_of_connections_is_refused),
		cmocka_unit_test(a_descriptor_larger_than_an_int_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
