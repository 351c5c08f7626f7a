#include "config.h"

#include "ipc/channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include <cmocka.h>

#include "base/error.h"

/* One end under test; OTHER is the raw descriptor of the far end. */
struct fixture {
	struct event_base *base;
	struct channel *channel;
	int other;
	size_t fds_before;
	unsigned n_messages;
	unsigned n_closed;
	unsigned n_bad;
	uint64_t expected; /* next number in a MESSAGE_PING */
	int taken;         /* a descriptor that on_message took, or -1 */
	bool takes;
	bool frees_on_message;
	bool frees_on_closed;
};

static size_t
count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	assert_int_equal(closedir(dir), 0);
	return n;
}

/* Keeps the last one. */
static void
take(struct fixture *f, struct message *m)
{
	if (f->taken != -1)
		assert_int_equal(close(f->taken), 0);
	f->taken = message_take_fd(m);
	if (fcntl(f->taken, F_GETFD) < 0)
		f->n_bad++;
}

static void
on_message(struct message *m, void *arg)
{
	struct fixture *f = arg;

	f->n_messages++;
	if (m->type == MESSAGE_PING && message_get_u64(m) != f->expected++)
		f->n_bad++;
	if (f->takes)
		take(f, m);
	if (f->frees_on_message)
		channel_free(&f->channel);
}

static void
on_closed(void *arg)
{
	struct fixture *f = arg;

	f->n_closed++;
	if (f->frees_on_closed)
		channel_free(&f->channel);
}

static int
set_up(void **state)
{
	static struct fixture f;
	int fds[2];

	memset(&f, 0, sizeof f);
	f.taken = -1;
	f.fds_before = count_fds();
	f.base = event_base_new();
	assert_non_null(f.base);
	assert_int_equal(channel_pair(fds, NULL), 0);
	f.channel =
		channel_new(f.base, fds[0], on_message, on_closed, &f, NULL);
	assert_non_null(f.channel);
	f.other = fds[1];
	*state = &f;
	return 0;
}

/* Every test ends with as many descriptors as it began with. */
static int
tear_down(void **state)
{
	struct fixture *f = *state;

	channel_free(&f->channel);
	assert_null(f->channel);
	if (f->other != -1)
		assert_int_equal(close(f->other), 0);
	event_base_free(f->base);
	assert_int_equal(count_fds(), f->fds_before);
	return 0;
}

static void
turn(struct fixture *f)
{
	(void)event_base_loop(f->base, EVLOOP_NONBLOCK);
}

/* A descriptor that nobody else has: the reading end of a pipe. */
static int
some_fd(void)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(close(fds[1]), 0);
	return fds[0];
}

/* Sends raw bytes and N copies of a descriptor from the far end. */
static void
send_raw(struct fixture *f, const void *bytes, size_t len, size_t n_fds)
{
	uint8_t copy[2 * MESSAGE_WIRE_MAX];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 64)];
	} control;
	struct iovec iov = {.iov_base = copy, .iov_len = len};
	struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};
	int fds[64];
	int fd = some_fd();

	memcpy(copy, bytes, len);
	for (size_t i = 0; i < n_fds; i++)
		fds[i] = fd;
	if (n_fds > 0) {
		struct cmsghdr *c = &control.align;

		memset(&control, 0, sizeof control);
		header.msg_control = control.bytes;
		header.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	assert_int_equal(sendmsg(f->other, &header, 0), len);
	assert_int_equal(close(fd), 0);
}

static void
send_ping(struct fixture *f, uint64_t number, size_t n_fds)
{
	struct message m;
	uint8_t wire[MESSAGE_WIRE_MAX];

	message_init(&m, MESSAGE_PING);
	message_put_u64(&m, number);
	send_raw(f, wire, message_encode(&m, wire, sizeof wire), n_fds);
}

/* The ping of that NUMBER, as large as can be. */
static void
fill_big_ping(struct message *m, uint64_t number)
{
	static const uint8_t padding[MESSAGE_MAX - 10];

	message_init(m, MESSAGE_PING);
	message_put_u64(m, number);
	message_put_bytes(m, padding, sizeof padding);
	assert_int_equal(m->len, MESSAGE_MAX);
}

static void
both_ends_of_a_pair_are_private_and_do_not_block(void **state)
{
	struct fixture *f = *state;
	char byte;

	assert_int_equal(fcntl(f->other, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(recv(f->other, &byte, 1, 0), -1);
	assert_int_equal(errno, EAGAIN);
}

static void
a_message_and_its_descriptor_arrive(void **state)
{
	struct fixture *f = *state;
	struct stat sent, got;
	struct message m;
	int fd = some_fd();
	int fds[2];
	struct fixture far = {.taken = -1, .takes = true};
	struct channel *channel;

	assert_int_equal(channel_pair(fds, NULL), 0);
	channel =
		channel_new(f->base, fds[0], on_message, on_closed, &far, NULL);
	far.channel =
		channel_new(f->base, fds[1], on_message, on_closed, &far, NULL);
	message_init(&m, MESSAGE_SOCKET);
	message_put_fd(&m, fd);
	assert_int_equal(channel_send(channel, &m), 0);
	turn(f);
	assert_int_equal(far.n_messages, 1);
	assert_int_equal(fstat(fd, &sent), 0);
	assert_int_equal(fstat(far.taken, &got), 0);
	assert_int_equal(sent.st_ino, got.st_ino);
	assert_int_equal(fcntl(far.taken, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(close(far.taken), 0);
	assert_int_equal(close(fd), 0);
	channel_free(&channel);
	channel_free(&far.channel);
}

static void
descriptors_that_the_callback_leaves_are_closed(void **state)
{
	struct fixture *f = *state;
	size_t before = count_fds();

	send_ping(f, 0, MESSAGE_FDS_MAX);
	turn(f);
	assert_int_equal(f->n_messages, 1);
	assert_int_equal(count_fds(), before);
	assert_int_equal(f->n_closed, 0);
}

static void
too_many_descriptors_close_the_channel(void **state)
{
	struct fixture *f = *state;

	send_ping(f, 0, MESSAGE_FDS_MAX + 1);
	turn(f);
	assert_int_equal(f->n_messages, 0);
	assert_int_equal(f->n_closed, 1);
	turn(f);
	assert_int_equal(f->n_closed, 1);
}

static void
descriptors_for_which_there_is_no_room_close_the_channel(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, low;

	send_ping(f, 0, 3);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = (rlim_t)f->other + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	turn(f);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(f->n_messages, 0);
	assert_int_equal(f->n_closed, 1);
}

static void
a_message_that_is_too_long_closes_the_channel(void **state)
{
	static const uint8_t bytes[MESSAGE_WIRE_MAX + 1] = {MESSAGE_READY};
	struct fixture *f = *state;

	send_raw(f, bytes, sizeof bytes, 2);
	turn(f);
	assert_int_equal(f->n_messages, 0);
	assert_int_equal(f->n_closed, 1);
}

static void
what_is_no_message_closes_the_channel(void **state)
{
	struct fixture *f = *state;

	send_raw(f, "\xff\xff\xff", 3, 1);
	turn(f);
	assert_int_equal(f->n_messages, 0);
	assert_int_equal(f->n_closed, 1);
}

static void
an_empty_message_with_descriptors_closes_the_channel(void **state)
{
	struct fixture *f = *state;

	send_raw(f, "", 0, 2);
	turn(f);
	assert_int_equal(f->n_messages, 0);
	assert_int_equal(f->n_closed, 1);
}

static void
random_bytes_only_ever_close_the_channel(void **state)
{
	struct fixture *f = *state;
	uint32_t seed = 4711;

	for (int round = 0; round < 500; round++) {
		uint8_t bytes[40];
		int fds[2];

		for (size_t i = 0; i < sizeof bytes; i++) {
			seed = seed * 1664525U + 1013904223U;
			bytes[i] = (uint8_t)(seed >> 24);
		}
		bytes[1] &= 1;
		send_raw(f, bytes, 1 + bytes[2] % (sizeof bytes - 1),
			bytes[3] % (MESSAGE_FDS_MAX + 2));
		turn(f);
		if (f->n_closed == 0)
			continue;
		channel_free(&f->channel);
		assert_int_equal(close(f->other), 0);
		assert_int_equal(channel_pair(fds, NULL), 0);
		f->channel = channel_new(
			f->base, fds[0], on_message, on_closed, f, NULL);
		f->other = fds[1];
		f->n_closed = 0;
	}
}

static void
the_end_of_the_other_side_is_told_once(void **state)
{
	struct fixture *f = *state;
	struct message m;

	assert_int_equal(close(f->other), 0);
	f->other = -1;
	turn(f);
	turn(f);
	assert_int_equal(f->n_closed, 1);
	message_init(&m, MESSAGE_READY);
	assert_int_equal(channel_send(f->channel, &m), -1);
	turn(f);
	assert_int_equal(f->n_closed, 1);
}

static void
last_words_arrive_before_the_end_is_told(void **state)
{
	struct fixture *f = *state;
	struct message m;

	/* Unread by the other side when it goes: that resets the socket. */
	message_init(&m, MESSAGE_READY);
	assert_int_equal(channel_send(f->channel, &m), 0);
	send_ping(f, 0, 0);
	send_ping(f, 1, 0);
	assert_int_equal(close(f->other), 0);
	f->other = -1;
	assert_int_equal(channel_send(f->channel, &m), -1);
	assert_int_equal(f->n_closed, 0);
	turn(f);
	assert_int_equal(f->n_messages, 2);
	assert_int_equal(f->n_bad, 0);
	turn(f);
	assert_int_equal(f->n_closed, 1);
}

static void
thousands_of_queued_messages_arrive_in_order(void **state)
{
	enum { N = 3000 };
	struct fixture *f = *state;
	struct fixture far = {.taken = -1};

	for (uint64_t i = 0; i < N; i++) {
		struct message m;

		fill_big_ping(&m, i);
		assert_int_equal(channel_send(f->channel, &m), 0);
	}
	assert_false(channel_is_flushed(f->channel));
	far.channel = channel_new(
		f->base, f->other, on_message, on_closed, &far, NULL);
	assert_int_equal(channel_fd(far.channel), f->other);
	f->other = -1;
	for (int i = 0; i < N && far.n_messages < N; i++)
		(void)event_base_loop(f->base, EVLOOP_ONCE);
	assert_int_equal(far.n_messages, N);
	assert_int_equal(far.n_bad, 0);
	assert_int_equal(far.n_closed, 0);
	assert_true(channel_is_flushed(f->channel));
	channel_free(&far.channel);
}

static void
descriptors_of_queued_messages_are_not_the_senders(void **state)
{
	enum { N = 60 };
	struct fixture *f = *state;
	struct fixture far = {.taken = -1, .takes = true};

	for (uint64_t i = 0; i < N; i++) {
		struct message m;
		int fd = some_fd();

		fill_big_ping(&m, i);
		message_put_fd(&m, fd);
		assert_int_equal(channel_send(f->channel, &m), 0);
		assert_int_equal(close(fd), 0);
	}
	/* That is: more than the socket holds. */
	assert_true(count_fds() > f->fds_before + 10);
	far.channel = channel_new(
		f->base, f->other, on_message, on_closed, &far, NULL);
	f->other = -1;
	for (int i = 0; i < N && far.n_messages < N; i++)
		(void)event_base_loop(f->base, EVLOOP_ONCE);
	assert_int_equal(far.n_messages, N);
	assert_int_equal(far.n_bad, 0);
	assert_int_equal(close(far.taken), 0);
	channel_free(&far.channel);
}

static void
a_queue_is_dropped_with_its_descriptors_when_freed(void **state)
{
	struct fixture *f = *state;

	for (uint64_t i = 0; i < 100; i++) {
		struct message m;
		int fd = some_fd();

		fill_big_ping(&m, i);
		message_put_fd(&m, fd);
		assert_int_equal(channel_send(f->channel, &m), 0);
		assert_int_equal(close(fd), 0);
	}
	channel_free(&f->channel);
	/* What is in the kernel's queue is the other side's. */
}

static void
a_queue_is_dropped_when_the_other_side_goes(void **state)
{
	struct fixture *f = *state;

	for (uint64_t i = 0; i < 100; i++) {
		struct message m;
		int fd = some_fd();

		fill_big_ping(&m, i);
		message_put_fd(&m, fd);
		assert_int_equal(channel_send(f->channel, &m), 0);
		assert_int_equal(close(fd), 0);
	}
	assert_int_equal(close(f->other), 0);
	f->other = -1;
	for (int i = 0; i < 10 && f->n_closed == 0; i++)
		turn(f);
	assert_int_equal(f->n_closed, 1);
}

static void
a_queue_that_nobody_reads_ends_the_channel(void **state)
{
	struct fixture *f = *state;
	struct message m;
	int rc = 0;
	uint64_t n;

	fill_big_ping(&m, 0);
	for (n = 0; n < 20000 && rc == 0; n++)
		rc = channel_send(f->channel, &m);
	assert_int_equal(rc, -1);
	assert_true(n > 8000);
	assert_int_equal(f->n_closed, 0);
	turn(f);
	assert_int_equal(f->n_closed, 1);
}

static void
a_callback_for_a_message_may_free_the_channel(void **state)
{
	struct fixture *f = *state;

	f->frees_on_message = true;
	send_ping(f, 0, 2);
	send_ping(f, 1, 2);
	turn(f);
	turn(f);
	assert_null(f->channel);
	assert_int_equal(f->n_messages, 1);
	assert_int_equal(f->n_closed, 0);
}

static void
a_callback_for_the_end_may_free_the_channel(void **state)
{
	struct fixture *f = *state;

	f->frees_on_closed = true;
	assert_int_equal(close(f->other), 0);
	f->other = -1;
	turn(f);
	assert_null(f->channel);
	assert_int_equal(f->n_closed, 1);
}

static void
a_channel_on_no_descriptor_is_refused(void **state)
{
	struct fixture *f = *state;
	struct error err;
	int fd = some_fd();

	assert_int_equal(close(fd), 0);
	assert_null(channel_new(f->base, fd, on_message, on_closed, f, &err));
	assert_non_null(strstr(err.text, "cannot set up a channel: "));
}

static void
freeing_nothing_is_allowed(void **state)
{
	struct channel *channel = NULL;

	(void)state;
	channel_free(&channel);
	assert_null(channel);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_ends_of_a_pair_are_private_and_do_not_block),
		TEST(a_message_and_its_descriptor_arrive),
		TEST(descriptors_that_the_callback_leaves_are_closed),
		TEST(too_many_descriptors_close_the_channel),
		TEST(descriptors_for_which_there_is_no_room_close_the_channel),
		TEST(a_message_that_is_too_long_closes_the_channel),
		TEST(what_is_no_message_closes_the_channel),
		TEST(an_empty_message_with_descriptors_closes_the_channel),
		TEST(random_bytes_only_ever_close_the_channel),
		TEST(the_end_of_the_other_side_is_told_once),
		TEST(last_words_arrive_before_the_end_is_told),
		TEST(thousands_of_queued_messages_arrive_in_order),
		TEST(descriptors_of_queued_messages_are_not_the_senders),
		TEST(a_queue_is_dropped_with_its_descriptors_when_freed),
		TEST(a_queue_is_dropped_when_the_other_side_goes),
		TEST(a_queue_that_nobody_reads_ends_the_channel),
		TEST(a_callback_for_a_message_may_free_the_channel),
		TEST(a_callback_for_the_end_may_free_the_channel),
		TEST(a_channel_on_no_descriptor_is_refused),
		cmocka_unit_test(freeing_nothing_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
