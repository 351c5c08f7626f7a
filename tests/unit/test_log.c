#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * Stderr goes into a packet socket while a test logs: one write(2) is one
 * packet there, so that a line written in two parts would be seen.
 */
static int saved_stderr = -1, packets[2] = {-1, -1};
static char line[2 * LOG_LINE_MAX];

static int
catch_stderr(void **state)
{
	(void)state;
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (saved_stderr < 0 ||
		socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packets) < 0 ||
		dup2(packets[1], STDERR_FILENO) < 0)
		return -1;
	return 0;
}

static int
release_stderr(void **state)
{
	(void)state;
	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	(void)close(packets[0]);
	(void)close(packets[1]);
	return 0;
}

/* What was logged by one call, or NULL. */
static const char *
logged(void)
{
	const ssize_t len =
		recv(packets[0], line, sizeof line - 1, MSG_DONTWAIT);

	if (len < 0)
		return NULL;
	line[len] = '\0';
	assert_int_equal(strlen(line), len);
	return line;
}

/* The same without the stamp, of whose form the test makes sure. */
static const char *
logged_after_stamp(void)
{
	const char *text = logged();

	assert_non_null(text);
	assert_true(strlen(text) > 25);
	assert_int_equal(text[10], 'T');
	assert_int_equal(text[23], 'Z');
	assert_int_equal(text[24], ' ');
	return text + 25;
}

static void
before_it_is_opened_notices_are_text(void **state)
{
	char expected[100];

	(void)state;
	assert_true(log_enabled(LOG_LEVEL_NOTICE));
	assert_false(log_enabled(LOG_LEVEL_INFO));
	log_msg(LOG_LEVEL_NOTICE, "up %d", 1);
	(void)snprintf(expected, sizeof expected, "notice sallyport[%d] up 1\n",
		(int)getpid());
	assert_string_equal(logged_after_stamp(), expected);
}

static void
a_text_line_has_level_process_message_and_fields(void **state)
{
	const struct log_field fields[] = {{.key = "listener", .text = "gw"},
		{.key = "bytes", .number = 18446744073709551615U},
		{.key = NULL, .text = "left out"},
		{.key = "subject", .text = "CN=a b"}};
	char expected[200];

	(void)state;
	log_open("worker", LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	log_event(LOG_LEVEL_INFO, "closed", fields, 4);
	(void)snprintf(expected, sizeof expected,
		"info worker[%d] closed listener=gw "
		"bytes=18446744073709551615 subject=\"CN=a b\"\n",
		(int)getpid());
	assert_string_equal(logged_after_stamp(), expected);
	assert_null(logged());
}

static void
a_json_line_has_the_same(void **state)
{
	const struct log_field fields[] = {{.key = "listener", .text = "gw"},
		{.key = "bytes", .number = 7}, {.key = NULL},
		{.key = "sni", .text = "a\"\n\xff"}};
	char expected[300];
	const char *text;

	(void)state;
	log_open("worker", LOG_FORMAT_JSON, LOG_LEVEL_INFO);
	log_event(LOG_LEVEL_WARN, "odd \"thing\"", fields, 4);
	text = logged();
	assert_memory_equal(text, "{\"time\":\"", 9);
	assert_memory_equal(text + 32, "Z\",", 3);
	(void)snprintf(expected, sizeof expected,
		"\"level\":\"warn\",\"process\":\"worker\",\"pid\":%d,"
		"\"message\":\"odd \\\"thing\\\"\",\"listener\":\"gw\","
		"\"bytes\":7,\"sni\":\"a\\\"\\u000a\\\\xff\"}\n",
		(int)getpid());
	assert_string_equal(text + 35, expected);
}

static void
what_is_below_the_level_is_not_written(void **state)
{
	(void)state;
	log_open("worker", LOG_FORMAT_TEXT, LOG_LEVEL_WARN);
	log_event(LOG_LEVEL_NOTICE, "x", NULL, 0);
	log_msg(LOG_LEVEL_DEBUG, "x");
	assert_null(logged());
	log_msg(LOG_LEVEL_WARN, "x");
	assert_non_null(logged());
	log_msg(LOG_LEVEL_ERROR, "x");
	assert_non_null(logged());
}

static void
levels_have_names(void **state)
{
	(void)state;
	assert_string_equal(log_level_name(LOG_LEVEL_ERROR), "error");
	assert_string_equal(log_level_name(LOG_LEVEL_WARN), "warn");
	assert_string_equal(log_level_name(LOG_LEVEL_NOTICE), "notice");
	assert_string_equal(log_level_name(LOG_LEVEL_INFO), "info");
	assert_string_equal(log_level_name(LOG_LEVEL_DEBUG), "debug");
}

static void
a_message_cannot_break_the_line(void **state)
{
	const char *text;

	(void)state;
	log_open("worker", LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	log_msg(LOG_LEVEL_INFO, "a%sb", "\n2026 error forged");
	text = logged();
	assert_non_null(strstr(text, " a\\x0a2026 error forgedb\n"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

/* Ten long values of a peer's, and a short one of ours behind them. */
static void
log_too_much(char text[20000])
{
	struct log_field fields[11] = {{0}};

	for (size_t i = 0; i < 10; i++)
		fields[i] = (struct log_field){.key = "long", .text = text};
	fields[10] = (struct log_field){.key = "reason", .text = "done"};
	log_event(LOG_LEVEL_INFO, text, fields, 11);
}

static void
a_line_that_is_too_long_is_cut_and_keeps_the_short_fields(void **state)
{
	static char text[20000];
	const char *out;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	log_open("worker", LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	log_too_much(text);
	out = logged();
	assert_true(strlen(out) <= LOG_LINE_MAX);
	assert_non_null(strstr(out, "xxx... long=xxx"));
	assert_non_null(strstr(out, "xxx... reason=done ...\n"));
	assert_null(logged());
	log_msg(LOG_LEVEL_INFO, "%s", text);
	assert_non_null(strstr(logged(), "xxx...\n"));
}

static void
a_json_line_that_is_too_long_is_still_json(void **state)
{
	static char text[20000];
	const char *out;

	(void)state;
	memset(text, '\n', sizeof text - 1);
	log_open("worker", LOG_FORMAT_JSON, LOG_LEVEL_INFO);
	log_too_much(text);
	out = logged();
	assert_true(strlen(out) <= LOG_LINE_MAX);
	assert_non_null(strstr(out, "\\u000a...\",\"long\":\"\\u000a"));
	assert_non_null(strstr(
		out, "\\u000a...\",\"reason\":\"done\",\"cut\":true}\n"));
}

static void
many_small_fields_never_break_the_limit(void **state)
{
	static struct log_field fields[2000];

	(void)state;
	for (size_t i = 0; i < 2000; i++)
		fields[i] = (struct log_field){.key = "k", .number = i};
	for (size_t n = 1000; n < 1700; n++) {
		const char *out;

		log_open("worker",
			n % 2 == 0 ? LOG_FORMAT_TEXT : LOG_FORMAT_JSON,
			LOG_LEVEL_INFO);
		log_event(LOG_LEVEL_INFO, "m", fields, n);
		out = logged();
		assert_true(strlen(out) <= LOG_LINE_MAX);
		assert_int_equal(out[strlen(out) - 1], '\n');
		if (n % 2 == 1)
			assert_int_equal(out[strlen(out) - 2], '}');
	}
}

static void
logging_keeps_errno(void **state)
{
	(void)state;
	log_open("worker", LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	(void)close(STDERR_FILENO);
	errno = E2BIG;
	log_msg(LOG_LEVEL_INFO, "into the void");
	assert_int_equal(errno, E2BIG);
	assert_int_equal(dup2(packets[1], STDERR_FILENO), STDERR_FILENO);
}

static void
automatic_is_text_where_stderr_is_no_journal(void **state)
{
	(void)state;
	assert_int_equal(setenv("JOURNAL_STREAM", "1:1", 1), 0);
	log_open("worker", LOG_FORMAT_AUTO, LOG_LEVEL_INFO);
	log_msg(LOG_LEVEL_INFO, "hello");
	assert_non_null(strstr(logged_after_stamp(), "] hello\n"));
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
}

static void
a_burst_passes_and_then_the_rate_counts(void **state)
{
	struct log_limit limit = {.burst = 3, .per_second = 2};
	uint64_t held_back = 42;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_true(log_limit_allows(&limit, 1000, &held_back));
		assert_int_equal(held_back, 0);
	}
	assert_false(log_limit_allows(&limit, 1000, &held_back));
	assert_false(log_limit_allows(&limit, 1499, &held_back));
	assert_int_equal(held_back, 2);
	assert_true(log_limit_allows(&limit, 1500, &held_back));
	assert_int_equal(held_back, 2);
	assert_false(log_limit_allows(&limit, 1500, &held_back));
	assert_true(log_limit_allows(&limit, 2000, &held_back));
	assert_int_equal(held_back, 1);
}

static void
a_long_silence_gives_one_burst_and_no_more(void **state)
{
	struct log_limit limit = {.burst = 2, .per_second = 1000};
	uint64_t held_back;

	(void)state;
	assert_true(log_limit_allows(&limit, 0, &held_back));
	assert_true(log_limit_allows(&limit, 0, &held_back));
	assert_false(log_limit_allows(&limit, 0, &held_back));
	assert_true(log_limit_allows(&limit, UINT64_MAX / 2, &held_back));
	assert_true(log_limit_allows(&limit, UINT64_MAX / 2, &held_back));
	assert_false(log_limit_allows(&limit, UINT64_MAX / 2, &held_back));
}

static void
a_clock_that_goes_back_gives_nothing(void **state)
{
	struct log_limit limit = {.burst = 1, .per_second = 1};
	uint64_t held_back;

	(void)state;
	assert_true(log_limit_allows(&limit, 5000, &held_back));
	assert_false(log_limit_allows(&limit, 1000, &held_back));
	assert_false(log_limit_allows(&limit, 5000, &held_back));
	assert_true(log_limit_allows(&limit, 6000, &held_back));
}

static void
a_limit_of_nothing_lets_nothing_through(void **state)
{
	struct log_limit limit = {0};
	uint64_t held_back;

	(void)state;
	assert_false(log_limit_allows(&limit, 1, &held_back));
	assert_false(log_limit_allows(&limit, 100000, &held_back));
	assert_int_equal(held_back, 2);
}

static void
quoting_fits_the_space_that_is_there(void **state)
{
	char out[16], small[8];

	(void)state;
	assert_ptr_equal(log_quote("plain", out, sizeof out), out);
	assert_string_equal(out, "plain");
	assert_string_equal(
		log_quote("a b\n", out, sizeof out), "\"a b\\x0a\"");
	assert_string_equal(log_quote("0123456789abcde", out, sizeof out),
		"0123456789abcde");
	assert_string_equal(log_quote("0123456789abcdef", out, sizeof out),
		"0123456789ab...");
	assert_string_equal(
		log_quote("a b c d e", small, sizeof small), "\"a ...\"");
	assert_string_equal(log_quote("", small, sizeof small), "\"\"");
}

#define CATCHING(test)                                                         \
	cmocka_unit_test_setup_teardown(test, catch_stderr, release_stderr)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CATCHING(before_it_is_opened_notices_are_text),
		CATCHING(a_text_line_has_level_process_message_and_fields),
		CATCHING(a_json_line_has_the_same),
		CATCHING(what_is_below_the_level_is_not_written),
		cmocka_unit_test(levels_have_names),
		CATCHING(a_message_cannot_break_the_line),
		CATCHING(
			a_line_that_is_too_long_is_cut_and_keeps_the_short_fields),
		CATCHING(a_json_line_that_is_too_long_is_still_json),
		CATCHING(many_small_fields_never_break_the_limit),
		CATCHING(logging_keeps_errno),
		CATCHING(automatic_is_text_where_stderr_is_no_journal),
		cmocka_unit_test(a_burst_passes_and_then_the_rate_counts),
		cmocka_unit_test(a_long_silence_gives_one_burst_and_no_more),
		cmocka_unit_test(a_clock_that_goes_back_gives_nothing),
		cmocka_unit_test(a_limit_of_nothing_lets_nothing_through),
		cmocka_unit_test(quoting_fits_the_space_that_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
