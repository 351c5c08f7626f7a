#include "config.h"

#include "stream/stream.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "sockets.h"
#include "stream/scratch.h"

/* More than any pair of shrunken socket buffers holds. */
#define MUCH ((size_t)256 * 1024)

struct fixture {
	struct scratch *scratch;
	struct stream stream;
	int peer;
};

static struct fixture *
fixture_new(void (*pair)(int *peer_out, int *local_out))
{
	static struct fixture f;
	int local;

	f.scratch = scratch_new();
	pair(&f.peer, &local);
	stream_init_plain(&f.stream, local);
	return &f;
}

static int
set_up_tcp(void **state)
{
	*state = fixture_new(tcp_pair);
	return 0;
}

static int
set_up_unix(void **state)
{
	*state = fixture_new(unix_pair);
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	int fd = f->stream.fd;

	stream_done(&f->stream);
	assert_int_equal(f->stream.fd, -1);
	assert_false(fd >= 0 && is_open(fd));
	assert_null(f->stream.rest.bytes);
	if (f->peer >= 0)
		assert_int_equal(close(f->peer), 0);
	scratch_free(&f->scratch);
	return 0;
}

static enum stream_next
read_max(struct fixture *f, size_t max, size_t *len_out)
{
	return f->stream.ops->read(&f->stream, f->scratch, max, len_out);
}

static enum stream_next
write_text(struct fixture *f, const char *text)
{
	return f->stream.ops->write(
		&f->stream, f->scratch, (const uint8_t *)text, strlen(text));
}

static enum stream_next
flush(struct fixture *f)
{
	return f->stream.ops->flush(&f->stream, f->scratch);
}

static enum stream_next
end(struct fixture *f)
{
	return f->stream.ops->end(&f->stream, f->scratch);
}

static uint8_t
byte_at(size_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

/* MUCH that only fits in part. */
static enum stream_next
write_much(struct fixture *f)
{
	uint8_t *bytes = malloc(MUCH);
	enum stream_next next;

	assert_non_null(bytes);
	for (size_t i = 0; i < MUCH; i++)
		bytes[i] = byte_at(i);
	next = f->stream.ops->write(&f->stream, f->scratch, bytes, MUCH);
	free(bytes);
	return next;
}

/* The peer reads on while we flush, until it has MUCH. Returns what the last
 * flush said. */
static enum stream_next
flush_all(struct fixture *f)
{
	enum stream_next next = STREAM_WANT_WRITE;
	uint8_t got[1024];
	size_t at = 0;

	while (at < MUCH) {
		size_t want = MUCH - at < sizeof got ? MUCH - at : sizeof got;

		recv_all(f->peer, got, want);
		for (size_t i = 0; i < want; i++)
			assert_int_equal(got[i], byte_at(at + i));
		at += want;
		if (next == STREAM_WANT_WRITE)
			next = flush(f);
	}
	return next;
}

static void
nothing_there_wants_to_read(void **state)
{
	size_t len = 99;

	assert_int_equal(read_max(*state, 100, &len), STREAM_WANT_READ);
	assert_int_equal(len, 0);
}

static void
a_short_read_delivers_and_does_not_ask_again(void **state)
{
	struct fixture *f = *state;
	size_t len;

	assert_int_equal(send(f->peer, "hello", 5, 0), 5);
	wait_readable(f->stream.fd);
	assert_int_equal(read_max(f, 100, &len), STREAM_WANT_READ);
	assert_int_equal(len, 5);
	assert_memory_equal(f->scratch->plain, "hello", 5);
}

static void
a_full_read_says_that_there_may_be_more(void **state)
{
	struct fixture *f = *state;
	size_t len;

	assert_int_equal(send(f->peer, "hello", 5, 0), 5);
	wait_readable(f->stream.fd);
	assert_int_equal(read_max(f, 3, &len), STREAM_MOVED);
	assert_int_equal(len, 3);
	assert_int_equal(read_max(f, 3, &len), STREAM_WANT_READ);
	assert_int_equal(len, 2);
	assert_memory_equal(f->scratch->plain, "lo", 2);
}

static void
a_fin_is_an_end(void **state)
{
	struct fixture *f = *state;
	size_t len;

	assert_int_equal(send(f->peer, "bye", 3, 0), 3);
	assert_int_equal(shutdown(f->peer, SHUT_WR), 0);
	wait_readable(f->stream.fd);
	(void)read_max(f, 100, &len);
	assert_int_equal(len, 3);
	wait_readable(f->stream.fd);
	assert_int_equal(read_max(f, 100, &len), STREAM_ENDED);
	assert_int_equal(len, 0);
	/* The other way is still open. */
	assert_int_equal(write_text(f, "still here"), STREAM_MOVED);
}

static void
a_reset_is_a_cut_with_its_errno(void **state)
{
	struct fixture *f = *state;
	size_t len = 99;

	close_with_reset(f->peer);
	f->peer = -1;
	wait_readable(f->stream.fd);
	assert_int_equal(read_max(f, 100, &len), STREAM_CUT);
	assert_int_equal(len, 0);
	assert_int_equal(f->stream.error, ECONNRESET);
}

static void
writing_after_a_reset_is_a_cut(void **state)
{
	struct fixture *f = *state;

	close_with_reset(f->peer);
	f->peer = -1;
	wait_readable(f->stream.fd);
	assert_int_equal(write_text(f, "x"), STREAM_CUT);
	assert_int_equal(f->stream.error, ECONNRESET);
	assert_false(stream_has_rest(&f->stream));
}

/* The kernel tells of a reset only once: when a write has heard of it, the
 * next read would look like an orderly end. */
static void
a_reset_that_a_write_heard_of_is_no_end_for_the_reader(void **state)
{
	struct fixture *f = *state;
	size_t len = 99;

	close_with_reset(f->peer);
	f->peer = -1;
	wait_readable(f->stream.fd);
	assert_int_equal(write_text(f, "x"), STREAM_CUT);
	assert_int_equal(read_max(f, 100, &len), STREAM_CUT);
	assert_int_equal(len, 0);
	assert_int_equal(f->stream.error, ECONNRESET);
}

static void
an_end_before_a_failed_write_is_still_an_end(void **state)
{
	struct fixture *f = *state;
	enum stream_next next = STREAM_MOVED;
	size_t len;

	assert_int_equal(send(f->peer, "last", 4, 0), 4);
	assert_int_equal(close(f->peer), 0);
	f->peer = -1;
	/* The first one is answered by a reset, a later one fails. */
	for (int i = 0; i < 1000000 && next == STREAM_MOVED; i++)
		next = write_text(f, "x");
	assert_int_equal(next, STREAM_CUT);
	assert_int_equal(f->stream.error, EPIPE);
	(void)read_max(f, 100, &len);
	assert_int_equal(len, 4);
	assert_int_equal(read_max(f, 100, &len), STREAM_ENDED);
}

static void
writing_to_a_closed_unix_peer_is_a_cut_and_no_signal(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(close(f->peer), 0);
	f->peer = -1;
	assert_int_equal(write_text(f, "x"), STREAM_CUT);
	assert_int_equal(f->stream.error, EPIPE);
}

static void
what_fits_is_in_the_kernel_at_once(void **state)
{
	struct fixture *f = *state;
	char got[5];

	assert_int_equal(write_text(f, "hello"), STREAM_MOVED);
	assert_false(stream_has_rest(&f->stream));
	assert_null(f->stream.rest.bytes);
	recv_all(f->peer, got, sizeof got);
	assert_memory_equal(got, "hello", 5);
}

static void
writing_nothing_is_moved(void **state)
{
	assert_int_equal(write_text(*state, ""), STREAM_MOVED);
}

static void
a_slow_peer_makes_a_rest_and_loses_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(write_much(f), STREAM_WANT_WRITE);
	assert_true(stream_has_rest(&f->stream));
	assert_int_equal(flush(f), STREAM_WANT_WRITE);
	assert_int_equal(flush_all(f), STREAM_MOVED);
	assert_false(stream_has_rest(&f->stream));
}

static void
a_rest_that_is_gone_owns_no_memory(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(write_much(f), STREAM_WANT_WRITE);
	assert_non_null(f->stream.rest.bytes);
	/* No more than what was not taken. */
	assert_true(f->stream.rest.size < MUCH);
	(void)flush_all(f);
	assert_null(f->stream.rest.bytes);
	assert_int_equal(f->stream.rest.size, 0);
}

static void
what_is_written_beside_a_rest_comes_behind_it(void **state)
{
	struct fixture *f = *state;
	char got[4];

	assert_int_equal(write_much(f), STREAM_WANT_WRITE);
	assert_int_equal(write_text(f, "tail"), STREAM_WANT_WRITE);
	(void)flush_all(f);
	assert_int_equal(flush(f), STREAM_MOVED);
	recv_all(f->peer, got, sizeof got);
	assert_memory_equal(got, "tail", 4);
}

static void
kept_bytes_wait_for_a_flush(void **state)
{
	struct fixture *f = *state;
	char got[8];

	assert_true(stream_keep(&f->stream, NULL, 0));
	assert_false(stream_has_rest(&f->stream));
	assert_true(stream_keep(&f->stream, (const uint8_t *)"kept", 4));
	assert_int_equal(recv(f->peer, got, sizeof got, MSG_DONTWAIT), -1);
	assert_int_equal(flush(f), STREAM_MOVED);
	recv_all(f->peer, got, 4);
	assert_memory_equal(got, "kept", 4);
}

static void
flushing_without_a_rest_is_moved(void **state)
{
	assert_int_equal(flush(*state), STREAM_MOVED);
}

static void
an_end_is_a_fin_at_once(void **state)
{
	struct fixture *f = *state;
	char got;

	assert_int_equal(end(f), STREAM_MOVED);
	assert_true(f->stream.ended);
	wait_readable(f->peer);
	assert_int_equal(recv(f->peer, &got, 1, 0), 0);
}

static unsigned
segments_to(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof info;

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info.tcpi_segs_in;
}

/* As close_notify is. */
static void
what_stands_before_the_fin_travels_with_it(void **state)
{
	struct fixture *f = *state;
	unsigned before = segments_to(f->peer);
	char got[8];

	f->stream.ending = true;
	assert_int_equal(write_text(f, "goodbye"), STREAM_MOVED);
	assert_int_equal(stream_shut(&f->stream), STREAM_MOVED);
	recv_all(f->peer, got, 7);
	assert_memory_equal(got, "goodbye", 7);
	wait_readable(f->peer);
	assert_int_equal(recv(f->peer, got, 1, 0), 0);
	assert_int_equal(segments_to(f->peer) - before, 1);
}

static void
ending_twice_is_ending_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(end(f), STREAM_MOVED);
	assert_int_equal(end(f), STREAM_MOVED);
	assert_int_equal(flush(f), STREAM_MOVED);
}

static void
an_end_waits_behind_the_rest(void **state)
{
	struct fixture *f = *state;
	char got;

	assert_int_equal(write_much(f), STREAM_WANT_WRITE);
	assert_int_equal(end(f), STREAM_WANT_WRITE);
	assert_false(f->stream.ended);
	assert_int_equal(flush_all(f), STREAM_MOVED);
	assert_true(f->stream.ended);
	wait_readable(f->peer);
	assert_int_equal(recv(f->peer, &got, 1, 0), 0);
}

static void
ending_after_a_reset_is_a_cut(void **state)
{
	struct fixture *f = *state;

	close_with_reset(f->peer);
	f->peer = -1;
	wait_readable(f->stream.fd);
	assert_int_equal(end(f), STREAM_CUT);
}

static void
a_rest_whose_peer_has_gone_is_a_cut(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(write_much(f), STREAM_WANT_WRITE);
	assert_int_equal(close(f->peer), 0);
	f->peer = -1;
	assert_int_equal(flush(f), STREAM_CUT);
}

static void
a_descriptor_that_was_taken_stays_open(void **state)
{
	struct fixture *f = *state;
	int fd = f->stream.fd;

	f->stream.fd = -1;
	stream_done(&f->stream);
	assert_true(is_open(fd));
	assert_int_equal(close(fd), 0);
}

#define TCP(name)  cmocka_unit_test_setup_teardown(name, set_up_tcp, tear_down)
#define UNIX(name) cmocka_unit_test_setup_teardown(name, set_up_unix, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TCP(nothing_there_wants_to_read),
		UNIX(nothing_there_wants_to_read),
		TCP(a_short_read_delivers_and_does_not_ask_again),
		UNIX(a_short_read_delivers_and_does_not_ask_again),
		TCP(a_full_read_says_that_there_may_be_more),
		TCP(a_fin_is_an_end),
		UNIX(a_fin_is_an_end),
		TCP(a_reset_is_a_cut_with_its_errno),
		TCP(writing_after_a_reset_is_a_cut),
		TCP(a_reset_that_a_write_heard_of_is_no_end_for_the_reader),
		TCP(an_end_before_a_failed_write_is_still_an_end),
		UNIX(writing_to_a_closed_unix_peer_is_a_cut_and_no_signal),
		TCP(what_fits_is_in_the_kernel_at_once),
		TCP(writing_nothing_is_moved),
		UNIX(a_slow_peer_makes_a_rest_and_loses_nothing),
		UNIX(a_rest_that_is_gone_owns_no_memory),
		UNIX(what_is_written_beside_a_rest_comes_behind_it),
		TCP(kept_bytes_wait_for_a_flush),
		TCP(flushing_without_a_rest_is_moved),
		TCP(an_end_is_a_fin_at_once),
		TCP(what_stands_before_the_fin_travels_with_it),
		TCP(ending_twice_is_ending_once),
		UNIX(an_end_waits_behind_the_rest),
		TCP(ending_after_a_reset_is_a_cut),
		UNIX(a_rest_whose_peer_has_gone_is_a_cut),
		TCP(a_descriptor_that_was_taken_stays_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
