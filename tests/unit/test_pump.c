#include "config.h"

#include "proxy/pump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_stream.h"
#include "stream/scratch.h"

struct fixture {
	struct scratch *scratch;
	struct fake_stream source, sink;
	struct pump pump;
};

static int
set_up(void **state)
{
	static struct fixture f;

	f.scratch = scratch_new();
	fake_init(&f.sink, NULL, 0);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	fake_done(&f->source);
	fake_done(&f->sink);
	scratch_free(&f->scratch);
	return 0;
}

static void
start(struct fixture *f, const struct fake_read *reads, size_t n)
{
	fake_init(&f->source, reads, n);
	pump_init(&f->pump, &f->source.base, &f->sink.base);
	assert_int_equal(f->pump.state, PUMP_OPEN);
}

#define START(f, ...)                                                          \
	const struct fake_read reads[] = {__VA_ARGS__};                        \
	start((f), reads, sizeof reads / sizeof reads[0])

static void
run(struct fixture *f)
{
	pump_run(&f->pump, f->scratch);
}

static void
nothing_to_read_moves_nothing(void **state)
{
	struct fixture *f = *state;

	start(f, NULL, 0);
	run(f);
	assert_int_equal(f->source.n_read, 1);
	assert_int_equal(f->sink.n_written, 0);
	assert_int_equal(f->pump.bytes, 0);
	assert_true(pump_wants_source(&f->pump));
}

static void
what_came_is_delivered_and_counted(void **state)
{
	struct fixture *f = *state;
	START(f, {STREAM_MOVED, "one "}, {STREAM_WANT_READ, "two"});

	run(f);
	assert_string_equal(f->sink.got, "one two");
	assert_int_equal(f->pump.bytes, 7);
	assert_int_equal(f->source.n_read, 2);
	assert_int_equal(f->pump.state, PUMP_OPEN);
}

static void
one_call_reads_four_times_at_most(void **state)
{
	struct fixture *f = *state;
	START(f, {STREAM_MOVED, "1"}, {STREAM_MOVED, "2"}, {STREAM_MOVED, "3"},
		{STREAM_MOVED, "4"}, {STREAM_MOVED, "5"});

	run(f);
	assert_int_equal(f->source.n_read, 4);
	assert_string_equal(f->sink.got, "1234");
	assert_true(pump_wants_source(&f->pump));
	run(f);
	assert_string_equal(f->sink.got, "12345");
}

static void
records_without_plaintext_count_as_rounds(void **state)
{
	struct fixture *f = *state;
	START(f, {STREAM_MOVED, NULL}, {STREAM_MOVED, NULL},
		{STREAM_MOVED, NULL}, {STREAM_MOVED, NULL},
		{STREAM_MOVED, "late"});

	run(f);
	assert_int_equal(f->source.n_read, 4);
	assert_int_equal(f->sink.n_written, 0);
}

static void
the_source_is_not_read_while_the_sink_has_a_rest(void **state)
{
	struct fixture *f = *state;
	START(f, {STREAM_MOVED, "slow"}, {STREAM_MOVED, "more"});

	f->sink.write_answer = STREAM_WANT_WRITE;
	run(f);
	assert_int_equal(f->source.n_read, 1);
	assert_false(pump_wants_source(&f->pump));
	run(f);
	assert_int_equal(f->source.n_read, 1);
	f->sink.write_answer = STREAM_MOVED;
	assert_int_equal(f->sink.base.ops->flush(&f->sink.base, f->scratch),
		STREAM_MOVED);
	assert_true(pump_wants_source(&f->pump));
	run(f);
	assert_string_equal(f->sink.got, "slowmore");
	assert_int_equal(f->pump.bytes, 8);
}

static void
an_end_is_passed_on_behind_the_last_byte(void **state)
{
	struct fixture *f = *state;
	START(f, {STREAM_ENDED, "last words"});

	run(f);
	assert_string_equal(f->sink.got, "last words|");
	assert_int_equal(f->pump.state, PUMP_ENDED);
	assert_false(pump_wants_source(&f->pump));
}

static void
an_end_waits_behind_the_sinks_rest(void **state)
{
	struct fixture *f = *state;
	START(f, {STREAM_ENDED, "last words"});

	f->sink.write_answer = STREAM_WANT_WRITE;
	run(f);
	assert_int_equal(f->pump.state, PUMP_ENDED);
	assert_string_equal(f->sink.got, "");
	assert_false(f->sink.base.ended);
	(void)f->sink.base.ops->flush(&f->sink.base, f->scratch);
	assert_string_equal(f->sink.got, "last words|");
}

static void
a_cut_delivers_what_came_before_and_no_end(void **state)
{
	struct fixture *f = *state;
	START(f, {STREAM_CUT, "half a rep"});

	run(f);
	assert_string_equal(f->sink.got, "half a rep");
	assert_int_equal(f->sink.n_ended, 0);
	assert_int_equal(f->pump.state, PUMP_SOURCE_CUT);
}

static void
a_failure_delivers_what_came_before_and_no_end(void **state)
{
	struct fixture *f = *state;
	START(f, {STREAM_FAILED, "good"});

	run(f);
	assert_string_equal(f->sink.got, "good");
	assert_int_equal(f->sink.n_ended, 0);
	assert_int_equal(f->pump.state, PUMP_SOURCE_FAILED);
	assert_int_equal(f->pump.bytes, 4);
}

static void
a_sink_that_is_gone_stops_the_pump(void **state)
{
	static const enum stream_next gone[] = {STREAM_CUT, STREAM_FAILED};
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++) {
		START(f, {STREAM_MOVED, "a"}, {STREAM_ENDED, "b"});

		f->sink.write_answer = gone[i];
		run(f);
		assert_int_equal(f->pump.state, PUMP_SINK_CUT);
		assert_int_equal(f->source.n_read, 1);
		assert_int_equal(f->sink.n_ended, 0);
		assert_false(pump_wants_source(&f->pump));
	}
}

static void
a_sink_that_goes_with_the_last_bytes_is_not_told_the_end(void **state)
{
	struct fixture *f = *state;
	START(f, {STREAM_ENDED, "b"});

	f->sink.write_answer = STREAM_CUT;
	run(f);
	assert_int_equal(f->pump.state, PUMP_SINK_CUT);
	assert_int_equal(f->sink.n_ended, 0);
}

static void
a_sink_that_fails_at_the_end_is_cut(void **state)
{
	struct fixture *f = *state;
	START(f, {STREAM_ENDED, NULL});

	f->sink.end_answer = STREAM_FAILED;
	run(f);
	assert_int_equal(f->pump.state, PUMP_SINK_CUT);
}

static void
a_sink_that_has_all_bytes_and_left_early_missed_only_the_good_bye(void **state)
{
	struct fixture *f = *state;
	START(f, {STREAM_ENDED, "all"});

	f->sink.end_answer = STREAM_CUT;
	run(f);
	assert_int_equal(f->pump.state, PUMP_ENDED);
	assert_true(f->sink.base.ended);
}

static void
a_sink_that_left_before_its_rest_did_not_get_the_end(void **state)
{
	struct fixture *f = *state;
	START(f, {STREAM_ENDED, "all"});

	f->sink.write_answer = STREAM_WANT_WRITE;
	f->sink.end_answer = STREAM_CUT;
	run(f);
	assert_false(f->sink.base.ended);
	assert_true(stream_has_rest(&f->sink.base));
}

static void
giving_up_stops_an_open_pump_only(void **state)
{
	struct fixture *f = *state;
	START(f, {STREAM_ENDED, NULL});

	pump_give_up(&f->pump);
	assert_int_equal(f->pump.state, PUMP_SINK_CUT);
	assert_false(pump_wants_source(&f->pump));
	start(f, reads, 1);
	run(f);
	pump_give_up(&f->pump);
	assert_int_equal(f->pump.state, PUMP_ENDED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_to_read_moves_nothing),
		TEST(what_came_is_delivered_and_counted),
		TEST(one_call_reads_four_times_at_most),
		TEST(records_without_plaintext_count_as_rounds),
		TEST(the_source_is_not_read_while_the_sink_has_a_rest),
		TEST(an_end_is_passed_on_behind_the_last_byte),
		TEST(an_end_waits_behind_the_sinks_rest),
		TEST(a_cut_delivers_what_came_before_and_no_end),
		TEST(a_failure_delivers_what_came_before_and_no_end),
		TEST(a_sink_that_is_gone_stops_the_pump),
		TEST(a_sink_that_goes_with_the_last_bytes_is_not_told_the_end),
		TEST(a_sink_that_fails_at_the_end_is_cut),
		TEST(a_sink_that_has_all_bytes_and_left_early_missed_only_the_good_bye),
		TEST(a_sink_that_left_before_its_rest_did_not_get_the_end),
		TEST(giving_up_stops_an_open_pump_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
