#include "config.h"

#include "net/linger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include <cmocka.h>

#include "base/clock.h"

#define DEADLINE_MS 10000

struct fixture {
	struct event_base *base;
	struct linger_pool *pool;
	int peer;  /* the test's end */
	int local; /* the end that is to be closed */
};

/* A connection over loopback: only TCP has resets. */
static void
tcp_pair(int *peer_out, int *local_out)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof sin;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(
		getsockname(listener, (struct sockaddr *)&sin, &len), 0);
	*peer_out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(*peer_out >= 0);
	assert_int_equal(connect(*peer_out, (struct sockaddr *)&sin, len), 0);
	*local_out =
		accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(*local_out >= 0);
	assert_int_equal(close(listener), 0);
}

static int
set_up(void **state)
{
	static struct fixture f;

	f.base = event_base_new();
	assert_non_null(f.base);
	f.pool = linger_pool_new(f.base);
	tcp_pair(&f.peer, &f.local);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	linger_pool_free(&f->pool);
	assert_null(f->pool);
	assert_int_equal(close(f->peer), 0);
	event_base_free(f->base);
	return 0;
}

static void
run_until_none_is_left(struct fixture *f)
{
	uint64_t end = clock_monotonic_ms() + DEADLINE_MS;

	while (linger_count(f->pool) > 0 && clock_monotonic_ms() < end)
		assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
	assert_int_equal(linger_count(f->pool), 0);
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void
wait_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
}

static void
last_words_arrive_although_unread_bytes_wait(void **state)
{
	static char block[60000];
	struct fixture *f = *state;
	char got[8];

	assert_int_equal(send(f->peer, block, sizeof block, 0), sizeof block);
	wait_readable(f->local);
	assert_int_equal(send(f->local, "alert", 5, 0), 5);
	linger_close(f->pool, f->local);
	/* The peer is still talking: a plain close() would reset it now. */
	assert_int_equal(send(f->peer, block, sizeof block, 0), sizeof block);
	(void)event_base_loop(f->base, EVLOOP_NONBLOCK);
	assert_int_equal(linger_count(f->pool), 1);
	assert_int_equal(recv(f->peer, got, sizeof got, 0), 5);
	assert_memory_equal(got, "alert", 5);
	assert_int_equal(recv(f->peer, got, sizeof got, 0), 0);
	assert_int_equal(shutdown(f->peer, SHUT_WR), 0);
	run_until_none_is_left(f);
	assert_false(is_open(f->local));
}

static void
a_peer_that_has_ended_is_not_waited_for(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(send(f->peer, "rest", 4, 0), 4);
	assert_int_equal(shutdown(f->peer, SHUT_WR), 0);
	wait_readable(f->local);
	linger_close(f->pool, f->local);
	run_until_none_is_left(f);
	assert_false(is_open(f->local));
}

static void
a_peer_that_has_reset_is_not_waited_for(void **state)
{
	const struct linger reset = {.l_onoff = 1};
	struct fixture *f = *state;

	assert_int_equal(setsockopt(f->peer, SOL_SOCKET, SO_LINGER, &reset,
				 sizeof reset),
		0);
	assert_int_equal(close(f->peer), 0);
	f->peer = dup(STDERR_FILENO);
	wait_readable(f->local);
	linger_close(f->pool, f->local);
	assert_int_equal(linger_count(f->pool), 0);
	assert_false(is_open(f->local));
}

static void
a_peer_that_never_stops_is_cut_off(void **state)
{
	static char block[65536];
	struct fixture *f = *state;
	size_t sent = 0;
	ssize_t n = 0;

	linger_close(f->pool, f->local);
	assert_int_equal(linger_count(f->pool), 1);
	while (linger_count(f->pool) > 0 && sent < 64 * LINGER_BYTES_MAX) {
		n = send(f->peer, block, sizeof block,
			MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0)
			sent += (size_t)n;
		(void)event_base_loop(f->base, EVLOOP_NONBLOCK);
	}
	assert_int_equal(linger_count(f->pool), 0);
	assert_true(sent >= LINGER_BYTES_MAX);
	assert_false(is_open(f->local));
}

static void
trickle(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	(void)arg;
	(void)send(fd, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
a_peer_that_trickles_does_not_prolong_the_time(void **state)
{
	const struct timeval often = {.tv_usec = 50000};
	struct fixture *f = *state;
	struct event *timer =
		event_new(f->base, f->peer, EV_PERSIST, trickle, NULL);
	uint64_t start = clock_monotonic_ms();
	uint64_t took;

	assert_non_null(timer);
	assert_int_equal(event_add(timer, &often), 0);
	linger_close(f->pool, f->local);
	run_until_none_is_left(f);
	took = clock_monotonic_ms() - start;
	assert_true(took >= LINGER_MS - 100);
	assert_true(took < DEADLINE_MS);
	assert_false(is_open(f->local));
	event_free(timer);
}

static void
freeing_the_pool_closes_all(void **state)
{
	struct fixture *f = *state;
	int more_peer, more_local;

	tcp_pair(&more_peer, &more_local);
	linger_close(f->pool, f->local);
	linger_close(f->pool, more_local);
	assert_int_equal(linger_count(f->pool), 2);
	linger_pool_free(&f->pool);
	assert_false(is_open(f->local));
	assert_false(is_open(more_local));
	assert_int_equal(close(more_peer), 0);
}

static void
a_socket_that_was_never_connected_is_just_closed(void **state)
{
	struct fixture *f = *state;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	linger_close(f->pool, fd);
	assert_int_equal(linger_count(f->pool), 0);
	assert_false(is_open(fd));
	assert_int_equal(close(f->local), 0);
}

static void
freeing_nothing_is_allowed(void **state)
{
	struct linger_pool *pool = NULL;

	(void)state;
	linger_pool_free(&pool);
	assert_null(pool);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(last_words_arrive_although_unread_bytes_wait),
		TEST(a_peer_that_has_ended_is_not_waited_for),
		TEST(a_peer_that_has_reset_is_not_waited_for),
		TEST(a_peer_that_never_stops_is_cut_off),
		TEST(a_peer_that_trickles_does_not_prolong_the_time),
		TEST(freeing_the_pool_closes_all),
		TEST(a_socket_that_was_never_connected_is_just_closed),
		cmocka_unit_test(freeing_nothing_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
