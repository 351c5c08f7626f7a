#include "config.h"

#include "proxy/relay.h"

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
	struct fake_stream client, backend;
	struct relay relay;
};

static struct fixture *
fixture_new(const struct fake_read *from_client, size_t n_client,
	const struct fake_read *from_backend, size_t n_backend)
{
	static struct fixture f;

	f.scratch = scratch_new();
	fake_init(&f.client, from_client, n_client);
	fake_init(&f.backend, from_backend, n_backend);
	relay_init(&f.relay, &f.client.base, &f.backend.base);
	assert_int_equal(relay_status(&f.relay), RELAY_OPEN);
	return &f;
}

static void
fixture_free(struct fixture *f)
{
	fake_done(&f->client);
	fake_done(&f->backend);
	scratch_free(&f->scratch);
}

/* One read each. */
static struct fixture *
fixture_of(struct fake_read from_client, struct fake_read from_backend)
{
	static struct fake_read client, backend;

	client = from_client;
	backend = from_backend;
	return fixture_new(&client, 1, &backend, 1);
}

static void
read_client(struct fixture *f)
{
	relay_read_client(&f->relay, f->scratch);
}

static void
read_backend(struct fixture *f)
{
	relay_read_backend(&f->relay, f->scratch);
}

static void
write_client(struct fixture *f)
{
	relay_write_client(&f->relay, f->scratch);
}

static void
write_backend(struct fixture *f)
{
	relay_write_backend(&f->relay, f->scratch);
}

/* How the one side and then the other ends, and what becomes of it. */
struct ending {
	enum stream_next client, backend;
	enum relay_status status;
	bool backend_got_end, client_got_end;
	const char *to_backend, *to_client;
};

/* First what the client says. Bytes of a side that comes second are only
 * taken where the first has not been cut. */
static const struct ending client_first[] = {
	{STREAM_WANT_READ, STREAM_WANT_READ, RELAY_OPEN, false, false, "up",
		"down"},
	{STREAM_WANT_READ, STREAM_ENDED, RELAY_HALF_CLOSED, false, true, "up",
		"down|"},
	{STREAM_WANT_READ, STREAM_CUT, RELAY_OVER, false, false, "up", "down"},
	{STREAM_ENDED, STREAM_WANT_READ, RELAY_HALF_CLOSED, true, false, "up|",
		"down"},
	{STREAM_ENDED, STREAM_ENDED, RELAY_OVER, true, true, "up|", "down|"},
	{STREAM_ENDED, STREAM_CUT, RELAY_OVER, true, false, "up|", "down"},
	{STREAM_CUT, STREAM_WANT_READ, RELAY_OVER, false, false, "up", ""},
	{STREAM_CUT, STREAM_ENDED, RELAY_OVER, false, false, "up", ""},
	{STREAM_CUT, STREAM_CUT, RELAY_OVER, false, false, "up", ""},
	{STREAM_FAILED, STREAM_WANT_READ, RELAY_OVER, false, false, "up", ""},
	{STREAM_FAILED, STREAM_ENDED, RELAY_OVER, false, false, "up", ""},
	{STREAM_FAILED, STREAM_CUT, RELAY_OVER, false, false, "up", ""},
};

/* The same with the backend's word first. */
static const struct ending backend_first[] = {
	{STREAM_WANT_READ, STREAM_ENDED, RELAY_HALF_CLOSED, false, true, "up",
		"down|"},
	{STREAM_WANT_READ, STREAM_CUT, RELAY_OVER, false, false, "", "down"},
	{STREAM_ENDED, STREAM_ENDED, RELAY_OVER, true, true, "up|", "down|"},
	{STREAM_ENDED, STREAM_CUT, RELAY_OVER, false, false, "", "down"},
	{STREAM_CUT, STREAM_WANT_READ, RELAY_OVER, false, false, "up", "down"},
	{STREAM_CUT, STREAM_ENDED, RELAY_OVER, false, true, "up", "down|"},
	{STREAM_CUT, STREAM_CUT, RELAY_OVER, false, false, "", "down"},
	{STREAM_FAILED, STREAM_WANT_READ, RELAY_OVER, false, false, "up",
		"down"},
	{STREAM_FAILED, STREAM_ENDED, RELAY_OVER, false, true, "up", "down|"},
	{STREAM_FAILED, STREAM_CUT, RELAY_OVER, false, false, "", "down"},
};

static void
assert_ending(const struct ending *row, bool is_client_first, size_t nth)
{
	struct fixture *f = fixture_of((struct fake_read){row->client, "up"},
		(struct fake_read){row->backend, "down"});

	(is_client_first ? read_client : read_backend)(f);
	(is_client_first ? read_backend : read_client)(f);
	if (relay_status(&f->relay) != row->status ||
		relay_backend_got_end(&f->relay) != row->backend_got_end ||
		relay_client_got_end(&f->relay) != row->client_got_end ||
		strcmp(f->backend.got, row->to_backend) != 0 ||
		strcmp(f->client.got, row->to_client) != 0)
		fail_msg("row %zu: status %d, ends %d %d, \"%s\" \"%s\"", nth,
			(int)relay_status(&f->relay),
			relay_backend_got_end(&f->relay),
			relay_client_got_end(&f->relay), f->backend.got,
			f->client.got);
	fixture_free(f);
}

static void
ends_and_cuts_combine_as_designed_when_the_client_is_first(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof client_first / sizeof client_first[0];
		i++)
		assert_ending(&client_first[i], true, i);
}

static void
ends_and_cuts_combine_as_designed_when_the_backend_is_first(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof backend_first / sizeof backend_first[0];
		i++)
		assert_ending(&backend_first[i], false, i);
}

static void
each_way_is_moved_on_its_own(void **state)
{
	static const struct fake_read up[] = {
		{STREAM_WANT_READ, "GET "}, {STREAM_WANT_READ, "/"}};
	static const struct fake_read down[] = {{STREAM_WANT_READ, "200"}};
	struct fixture *f = fixture_new(up, 2, down, 1);

	(void)state;
	read_client(f);
	read_client(f);
	assert_string_equal(f->backend.got, "GET /");
	assert_int_equal(f->backend.n_read, 0);
	read_backend(f);
	assert_string_equal(f->client.got, "200");
	assert_int_equal(f->relay.up.bytes, 5);
	assert_int_equal(f->relay.down.bytes, 3);
	fixture_free(f);
}

static void
a_half_closed_relay_goes_on_the_other_way(void **state)
{
	static const struct fake_read up[] = {{STREAM_ENDED, "request"}};
	static const struct fake_read down[] = {
		{STREAM_WANT_READ, "part 1 "}, {STREAM_ENDED, "part 2"}};
	struct fixture *f = fixture_new(up, 1, down, 2);

	(void)state;
	read_client(f);
	assert_int_equal(relay_status(&f->relay), RELAY_HALF_CLOSED);
	read_backend(f);
	assert_int_equal(relay_status(&f->relay), RELAY_HALF_CLOSED);
	read_backend(f);
	assert_string_equal(f->client.got, "part 1 part 2|");
	assert_int_equal(relay_status(&f->relay), RELAY_OVER);
	fixture_free(f);
}

static void
a_way_that_has_ended_is_not_read_again(void **state)
{
	struct fixture *f =
		fixture_of((struct fake_read){STREAM_ENDED, "request"},
			(struct fake_read){STREAM_WANT_READ, NULL});

	(void)state;
	read_client(f);
	read_client(f);
	assert_int_equal(f->client.n_read, 1);
	assert_int_equal(f->backend.n_ended, 1);
	fixture_free(f);
}

static void
a_slow_side_stops_only_the_way_to_it(void **state)
{
	static const struct fake_read up[] = {
		{STREAM_MOVED, "1"}, {STREAM_MOVED, "2"}};
	static const struct fake_read down[] = {{STREAM_WANT_READ, "reply"}};
	struct fixture *f = fixture_new(up, 2, down, 1);

	(void)state;
	f->backend.write_answer = STREAM_WANT_WRITE;
	read_client(f);
	read_client(f);
	assert_int_equal(f->client.n_read, 1);
	read_backend(f);
	assert_string_equal(f->client.got, "reply");
	f->backend.write_answer = STREAM_MOVED;
	write_backend(f);
	read_client(f);
	assert_string_equal(f->backend.got, "12");
	fixture_free(f);
}

static void
an_end_behind_a_rest_is_not_over_before_it_is_sent(void **state)
{
	struct fixture *f = fixture_of((struct fake_read){STREAM_ENDED, "up"},
		(struct fake_read){STREAM_ENDED, "down"});

	(void)state;
	f->client.write_answer = STREAM_WANT_WRITE;
	read_backend(f);
	read_client(f);
	assert_int_equal(relay_status(&f->relay), RELAY_HALF_CLOSED);
	assert_false(relay_client_got_end(&f->relay));
	f->client.flush_answer = STREAM_WANT_WRITE;
	write_client(f);
	assert_int_equal(relay_status(&f->relay), RELAY_HALF_CLOSED);
	f->client.flush_answer = STREAM_MOVED;
	write_client(f);
	assert_string_equal(f->client.got, "down|");
	assert_true(relay_client_got_end(&f->relay));
	assert_int_equal(relay_status(&f->relay), RELAY_OVER);
	fixture_free(f);
}

static void
what_came_before_a_cut_is_delivered_to_a_slow_side(void **state)
{
	struct fixture *f =
		fixture_of((struct fake_read){STREAM_CUT, "last words"},
			(struct fake_read){STREAM_WANT_READ, NULL});

	(void)state;
	f->backend.write_answer = STREAM_WANT_WRITE;
	read_client(f);
	assert_int_equal(relay_status(&f->relay), RELAY_CUT);
	write_backend(f);
	assert_string_equal(f->backend.got, "last words");
	assert_int_equal(relay_status(&f->relay), RELAY_OVER);
	assert_false(relay_backend_got_end(&f->relay));
	fixture_free(f);
}

/* What a backend had said before it closed may still wait in the kernel. */
static void
a_sink_that_has_gone_is_still_read_to_its_end(void **state)
{
	static const struct fake_read down[] = {
		{STREAM_MOVED, "413 too "}, {STREAM_ENDED, "large"}};
	static const struct fake_read up[] = {
		{STREAM_WANT_READ, "a large body"}};
	struct fixture *f = fixture_new(up, 1, down, 2);

	(void)state;
	f->backend.write_answer = STREAM_CUT;
	read_client(f);
	assert_int_equal(relay_status(&f->relay), RELAY_CUT);
	assert_false(pump_wants_source(&f->relay.up));
	assert_true(pump_wants_source(&f->relay.down));
	read_backend(f);
	assert_string_equal(f->client.got, "413 too large|");
	assert_int_equal(relay_status(&f->relay), RELAY_OVER);
	assert_false(relay_backend_got_end(&f->relay));
	assert_true(relay_client_got_end(&f->relay));
	fixture_free(f);
}

static void
a_flush_that_fails_gives_the_rest_up(void **state)
{
	static const enum stream_next gone[] = {STREAM_CUT, STREAM_FAILED};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fixture *f =
			fixture_of((struct fake_read){STREAM_CUT, "lost"},
				(struct fake_read){STREAM_WANT_READ, NULL});

		f->backend.write_answer = STREAM_WANT_WRITE;
		read_client(f);
		f->backend.flush_answer = gone[i];
		write_backend(f);
		assert_false(stream_has_rest(&f->backend.base));
		assert_int_equal(relay_status(&f->relay), RELAY_OVER);
		assert_false(relay_backend_got_end(&f->relay));
		fixture_free(f);
	}
}

static void
an_end_that_could_not_be_sent_is_no_end(void **state)
{
	struct fixture *f = fixture_of((struct fake_read){STREAM_ENDED, "up"},
		(struct fake_read){STREAM_ENDED, NULL});

	(void)state;
	f->backend.write_answer = STREAM_WANT_WRITE;
	read_client(f);
	f->backend.flush_answer = STREAM_CUT;
	write_backend(f);
	assert_int_equal(f->relay.up.state, PUMP_SINK_CUT);
	assert_false(relay_backend_got_end(&f->relay));
	read_backend(f);
	assert_int_equal(relay_status(&f->relay), RELAY_OVER);
	fixture_free(f);
}

static void
writable_without_a_rest_changes_nothing(void **state)
{
	struct fixture *f =
		fixture_of((struct fake_read){STREAM_WANT_READ, NULL},
			(struct fake_read){STREAM_WANT_READ, NULL});

	(void)state;
	write_client(f);
	write_backend(f);
	assert_int_equal(relay_status(&f->relay), RELAY_OPEN);
	assert_string_equal(f->client.got, "");
	assert_string_equal(f->backend.got, "");
	fixture_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			ends_and_cuts_combine_as_designed_when_the_client_is_first),
		cmocka_unit_test(
			ends_and_cuts_combine_as_designed_when_the_backend_is_first),
		cmocka_unit_test(each_way_is_moved_on_its_own),
		cmocka_unit_test(a_half_closed_relay_goes_on_the_other_way),
		cmocka_unit_test(a_way_that_has_ended_is_not_read_again),
		cmocka_unit_test(a_slow_side_stops_only_the_way_to_it),
		cmocka_unit_test(
			an_end_behind_a_rest_is_not_over_before_it_is_sent),
		cmocka_unit_test(
			what_came_before_a_cut_is_delivered_to_a_slow_side),
		cmocka_unit_test(a_sink_that_has_gone_is_still_read_to_its_end),
		cmocka_unit_test(a_flush_that_fails_gives_the_rest_up),
		cmocka_unit_test(an_end_that_could_not_be_sent_is_no_end),
		cmocka_unit_test(writable_without_a_rest_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
