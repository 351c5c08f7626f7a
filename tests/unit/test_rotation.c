#include "config.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "conf/file_record.h"
#include "conf/file_source.h"
#include "conf/report.h"
#include "supervisor/rotation.h"

#define DEADLINE_S 20

/* No patience: it ends with the first retry. */
static const struct rotation_times quick = {
	.watch = {.quiet_ms = 20, .at_most_ms = 5000},
	.retry_ms = 20,
	.retry_max_ms = 40,
	.patience_ms = 0,
};
/* Nothing but a change makes it try again. */
static const struct rotation_times patient = {
	.watch = {.quiet_ms = 20, .at_most_ms = 5000},
	.retry_ms = 3600 * 1000,
	.retry_max_ms = 3600 * 1000,
	.patience_ms = 7200 * 1000,
};

struct fixture {
	char dir[40];
	struct event_base *base;
	struct rotation *rotation;
	unsigned asked;
	int log_fd; /* stderr as it was; -1: not captured */
};

static void
write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static int
set_up(void **state)
{
	struct fixture *it = xcalloc(1, sizeof *it);

	*state = it;
	(void)snprintf(it->dir, sizeof it->dir, "/tmp/test_rotation.XXXXXX");
	it->base = event_base_new();
	if (it->base == NULL || mkdtemp(it->dir) == NULL || chdir(it->dir) < 0)
		return -1;
	write_file("s.ini", "settings");
	write_file("cert.pem", "1");
	/* What is logged is read from here. */
	it->log_fd = dup(STDERR_FILENO);
	if (freopen("log", "w+", stderr) == NULL)
		return -1;
	log_open("supervisor", LOG_FORMAT_TEXT, LOG_LEVEL_NOTICE);
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *it = *state;

	rotation_free(&it->rotation);
	event_base_free(it->base);
	if (dup2(it->log_fd, STDERR_FILENO) < 0 || close(it->log_fd) < 0)
		return -1;
	(void)unlink("s.ini");
	(void)unlink("cert.pem");
	(void)unlink("log");
	if (chdir("/") < 0 || rmdir(it->dir) < 0)
		return -1;
	free(it);
	return 0;
}

/* How often WANTED is in the log. */
static unsigned
logged(const char *wanted)
{
	FILE *in = fopen("log", "r");
	char line[LOG_LINE_MAX];
	unsigned n = 0;

	assert_non_null(in);
	while (fgets(line, sizeof line, in) != NULL)
		n += strstr(line, wanted) != NULL;
	assert_int_equal(fclose(in), 0);
	return n;
}

static struct file_record *
record_now(void)
{
	struct file_source *source = file_source_beside("s.ini");
	struct file_record *record;
	const char *bytes;
	size_t len;

	(void)file_source_read(
		source, "s.ini", FILE_PUBLIC, &bytes, &len, NULL);
	(void)file_source_read(
		source, "cert.pem", FILE_PUBLIC, &bytes, &len, NULL);
	record = file_source_record(source);
	file_source_free(&source);
	return record;
}

static void
on_change(void *arg)
{
	struct fixture *it = arg;

	it->asked++;
	(void)event_base_loopbreak(it->base);
}

static void
start(struct fixture *it, const struct rotation_times *times)
{
	it->rotation = rotation_new(it->base, "s.ini", times, on_change, it);
	rotation_follow(it->rotation, record_now());
}

static void
on_timeout(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(bool *)arg = true;
}

/* Waits until it asks once more, or for MS; true: it has asked. */
static bool
asks_within(struct fixture *it, long ms)
{
	const struct timeval tv = {
		.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	unsigned before = it->asked;
	bool late = false;
	struct event *timer = evtimer_new(it->base, on_timeout, &late);

	assert_int_equal(evtimer_add(timer, &tv), 0);
	while (it->asked == before && !late)
		(void)event_base_loop(it->base, EVLOOP_ONCE);
	event_free(timer);
	return it->asked > before;
}

static void
assert_asks(struct fixture *it)
{
	unsigned before = it->asked;

	assert_true(asks_within(it, DEADLINE_S * 1000));
	assert_int_equal(it->asked, before + 1);
}

/* Several times the quiet time: there is no event to wait for when nothing is
 * to happen. */
static void
assert_asks_no_more(struct fixture *it)
{
	assert_false(asks_within(it, 8 * 20));
}

/* The rollout that was asked for: refused with TEXT, or loaded (NULL). */
static void
answer(struct fixture *it, const char *text)
{
	const struct conf_pos pos = {.file = "s.ini", .line = 7};
	struct report *report = report_new();

	rotation_pause(it->rotation);
	report_add(report, REPORT_WARNING, &pos, "listener gw", "a warning");
	if (text != NULL)
		report_add(
			report, REPORT_ERROR, &pos, "listener gw", "%s", text);
	rotation_follow(it->rotation, record_now());
	if (text != NULL)
		rotation_refused(it->rotation, report);
	else
		rotation_loaded(it->rotation);
	report_free(&report);
}

static void
a_changed_file_asks_for_a_rollout_and_is_named(void **state)
{
	struct fixture *it = *state;

	start(it, &patient);
	write_file("cert.pem", "2");
	assert_asks(it);
	assert_int_equal(logged("reloading cause=files file=cert.pem\n"), 1);
	answer(it, NULL);
	assert_asks_no_more(it);
	write_file("cert.pem", "3");
	write_file("s.ini", "others");
	assert_asks(it);
	assert_int_equal(
		logged("reloading cause=files file=\"s.ini, cert.pem\"\n"), 1);
}

static void
the_same_contents_ask_for_nothing(void **state)
{
	struct fixture *it = *state;

	start(it, &patient);
	write_file("cert.pem", "2");
	write_file("cert.pem", "1");
	write_file("new", "settings");
	assert_int_equal(rename("new", "s.ini"), 0);
	assert_asks_no_more(it);
	assert_int_equal(logged("reloading"), 0);
}

static void
what_changed_before_it_was_followed_counts(void **state)
{
	struct fixture *it = *state;
	struct file_record *record = record_now();

	it->rotation = rotation_new(it->base, "s.ini", &patient, on_change, it);
	write_file("cert.pem", "2");
	rotation_follow(it->rotation, record);
	assert_asks(it);
}

static void
what_a_rollout_reads_itself_asks_for_no_other(void **state)
{
	struct fixture *it = *state;

	start(it, &patient);
	write_file("cert.pem", "2");
	rotation_pause(it->rotation);
	assert_asks_no_more(it);
	rotation_follow(it->rotation, record_now());
	assert_asks_no_more(it);
	write_file("cert.pem", "3");
	assert_asks(it);
}

static void
the_first_refusal_waits_for_the_rest(void **state)
{
	struct fixture *it = *state;

	start(it, &patient);
	write_file("cert.pem", "2");
	assert_asks(it);
	answer(it, "the key does not fit");
	assert_int_equal(logged("notice"), 2);
	assert_int_equal(logged("waiting for a complete set of files "
				"file=s.ini line=7 section=\"listener gw\" "
				"detail=\"the key does not fit\"\n"),
		1);
	assert_asks_no_more(it);
	write_file("cert.pem", "3");
	assert_asks(it);
	answer(it, "cut off");
	assert_int_equal(logged("waiting"), 1);
	write_file("cert.pem", "4");
	assert_asks(it);
	answer(it, NULL);
	assert_int_equal(logged("error"), 0);
	/* And the next one is a first one again. */
	write_file("cert.pem", "5");
	assert_asks(it);
	answer(it, "the key does not fit");
	assert_int_equal(logged("waiting"), 2);
}

static void
what_stays_refused_is_an_error_once_until_it_is_another(void **state)
{
	struct fixture *it = *state;

	start(it, &quick);
	write_file("cert.pem", "2");
	assert_asks(it);
	answer(it, "the key does not fit");
	assert_int_equal(logged(" error "), 0);
	for (int i = 0; i < 4; i++) {
		assert_asks(it); /* without a change */
		answer(it, "the key does not fit");
	}
	assert_int_equal(logged(" error "), 1);
	assert_int_equal(logged("changed files refused, the running "
				"configuration stays file=s.ini line=7 "
				"section=\"listener gw\" "
				"detail=\"the key does not fit\"\n"),
		1);
	assert_asks(it);
	answer(it, "cut off");
	assert_int_equal(logged(" error "), 2);
	assert_int_equal(logged("detail=\"cut off\""), 1);
	assert_asks(it);
	answer(it, NULL);
	assert_asks_no_more(it);
	assert_int_equal(logged("waiting"), 1);
	assert_int_equal(logged(" error "), 2);
}

static void
many_findings_do_not_flood_the_log(void **state)
{
	struct fixture *it = *state;
	struct report *report = report_new();
	struct conf_pos pos = {.file = "s.ini"};

	for (pos.line = 1; pos.line <= 50; pos.line++)
		report_add(report, REPORT_ERROR, &pos, NULL, "wrong");
	start(it, &quick);
	write_file("cert.pem", "2");
	assert_asks(it);
	rotation_refused(it->rotation, report);
	assert_asks(it);
	rotation_refused(it->rotation, report);
	assert_int_equal(logged(" error "), 10);
	report_free(&report);
}

static void
a_retry_waits_for_a_rollout_that_is_under_way(void **state)
{
	struct fixture *it = *state;

	start(it, &quick);
	write_file("cert.pem", "2");
	assert_asks(it);
	answer(it, "the key does not fit");
	rotation_pause(it->rotation);
	assert_asks_no_more(it);
	/* By hand, and refused as well: nobody tells us. */
	rotation_follow(it->rotation, record_now());
	assert_asks(it);
}

static void
nothing_is_watched_when_told_so(void **state)
{
	struct fixture *it = *state;

	start(it, &quick);
	write_file("cert.pem", "2");
	assert_asks(it);
	answer(it, "the key does not fit");
	rotation_follow(it->rotation, NULL);
	write_file("cert.pem", "3");
	assert_asks_no_more(it);
	rotation_follow(it->rotation, record_now());
	write_file("cert.pem", "4");
	assert_asks(it);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_changed_file_asks_for_a_rollout_and_is_named),
		TEST(the_same_contents_ask_for_nothing),
		TEST(what_changed_before_it_was_followed_counts),
		TEST(what_a_rollout_reads_itself_asks_for_no_other),
		TEST(the_first_refusal_waits_for_the_rest),
		TEST(what_stays_refused_is_an_error_once_until_it_is_another),
		TEST(many_findings_do_not_flood_the_log),
		TEST(a_retry_waits_for_a_rollout_that_is_under_way),
		TEST(nothing_is_watched_when_told_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
