#include "net/linger.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/fd.h"
#include "base/mem.h"

/* Dropped at a time; and how often in one turn, so that a fast sender starves
 * nobody. */
#define READ_SIZE   16384
#define READ_BUDGET 4

struct lingering {
	LIST_ENTRY(lingering) next;
	struct linger_pool *pool;
	size_t dropped;
	int fd;
	struct event on_readable;
	struct event on_deadline;
};

struct linger_pool {
	struct event_base *base;
	const struct timeval *timeout; /* common: constant cost for each */
	unsigned count;
	LIST_HEAD(lingering_list, lingering) all;
};

static const struct timeval linger_time = {
	.tv_sec = LINGER_MS / 1000, .tv_usec = LINGER_MS % 1000 * 1000L};

struct linger_pool *
linger_pool_new(struct event_base *base)
{
	struct linger_pool *pool = xcalloc(1, sizeof *pool);

	LIST_INIT(&pool->all);
	pool->base = base;
	pool->timeout = event_base_init_common_timeout(base, &linger_time);
	if (pool->timeout == NULL)
		pool->timeout = &linger_time;
	return pool;
}

static void
finish(struct lingering *l)
{
	(void)event_del(&l->on_readable);
	(void)event_del(&l->on_deadline);
	fd_close(&l->fd);
	LIST_REMOVE(l, next);
	l->pool->count--;
	free(l);
}

void
linger_pool_free(struct linger_pool **pool)
{
	struct lingering *l, *next;

	if (*pool == NULL)
		return;
	for (l = LIST_FIRST(&(*pool)->all); l != NULL; l = next) {
		next = LIST_NEXT(l, next);
		finish(l);
	}
	free(*pool);
	*pool = NULL;
}

/* Reads and drops. True when there is nothing left to wait for. */
static bool
is_drained(int fd, size_t *dropped)
{
	char sink[READ_SIZE];

	for (int i = 0; i < READ_BUDGET; i++) {
		ssize_t n = recv(fd, sink, sizeof sink, MSG_DONTWAIT);

		if (n < 0)
			return errno != EAGAIN && errno != EINTR;
		if (n == 0)
			return true;
		*dropped += (size_t)n;
		if (*dropped >= LINGER_BYTES_MAX)
			return true;
	}
	return false;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct lingering *l = arg;

	(void)what;
	if (is_drained(fd, &l->dropped))
		finish(l);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct lingering *l = arg;

	(void)fd;
	(void)what;
	finish(l);
}

void
linger_close(struct linger_pool *pool, int fd)
{
	struct lingering *l;
	size_t dropped = 0;

	/* ENOTCONN: a reset came; nobody is there to wait for. */
	if (shutdown(fd, SHUT_WR) < 0 || is_drained(fd, &dropped)) {
		fd_close(&fd);
		return;
	}
	l = calloc(1, sizeof *l);
	if (l == NULL) {
		fd_close(&fd);
		return;
	}
	l->pool = pool;
	l->fd = fd;
	l->dropped = dropped;
	LIST_INSERT_HEAD(&pool->all, l, next);
	pool->count++;
	(void)event_assign(&l->on_readable, pool->base, fd,
		EV_READ | EV_PERSIST, on_readable, l);
	(void)event_assign(&l->on_deadline, pool->base, -1, 0, on_deadline, l);
	/* The deadline is an event of its own: one that came with EV_READ
	 * would start again with every byte. */
	if (event_add(&l->on_deadline, pool->timeout) < 0 ||
		event_add(&l->on_readable, NULL) < 0)
		finish(l);
}

unsigned
linger_count(const struct linger_pool *pool)
{
	return pool->count;
}
