/* What all connections of one worker share. */
#include "proxy/proxy.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/linger.h"
#include "proxy/conn.h"
#include "proxy/listener.h"
#include "proxy/timeout.h"
#include "stats/stats.h"
#include "stream/scratch.h"

/* How long accepting rests when the system ran out of something. */
#define PAUSE_MS 100

/* Memory of a wave of connections goes back to the system this long after
 * half of them have gone: later, so that a busy worker need not refault. */
#define TRIM_MS 5000

/*
 * A pass over all ready I/O that took less than a handshake step (0.4 ms with
 * RSA-2048) is followed by another one before that step: a backend that is
 * near has answered by then, and its answer need not wait for one more step.
 * After a longer pass, beside bulk transfers, handshakes have waited enough.
 * (Measured, p50 of an established ping-pong beside an RSA-2048 storm, with the
 * backend on the worker's CPU: 567 us with one pass, 303 us with two, and as
 * many handshakes per second; with the backend on another CPU some 5 % less.)
 */
#define SHORT_PASS_US 500

/* Live connections asked in one turn of the loop after a reload: a chain costs
 * as much to verify as a handshake. */
#define RECHECKS_PER_TURN 4

/*
 * What is in the background gets as much of each turn as everybody else had: it
 * takes twice its time at worst, and so do they. But not less than makes the
 * look at idle connections cheap, nor more than the longest turns that there
 * are beside bulk transfers.
 */
#define BACKGROUND_MIN_US 200
#define BACKGROUND_MAX_US 10000

/* Below this a wave is not worth looking for memory to give back. */
#define TRIM_MIN_CONNS 64

/* Nor is what was done in the background. */
#define TRIM_MIN_PIECES 64

static void
rearm_resume_timer(struct proxy *proxy)
{
	struct timeval tv = clock_tv_of_ms(PAUSE_MS);

	(void)evtimer_add(proxy->resume_timer, &tv);
}

static void
resume_accepts(struct proxy *proxy)
{
	struct listener *listener;

	if (!proxy->accepts_paused || !proxy_has_room(proxy))
		return;
	proxy->accepts_paused = false;
	(void)event_del(proxy->resume_timer);
	TAILQ_FOREACH (listener, &proxy->listeners, entry)
		listener_resume(listener);
}

static void
on_resume_timer(int fd, short what, void *arg)
{
	struct proxy *proxy = arg;

	(void)fd;
	(void)what;
	resume_accepts(proxy);
	if (proxy->accepts_paused)
		rearm_resume_timer(proxy);
}

static void
on_trim_timer(int fd, short what, void *arg)
{
	struct proxy *proxy = arg;

	(void)fd;
	(void)what;
	mem_give_back();
	proxy->peak_conns = proxy->n_conns;
}

struct proxy *
proxy_new(struct event_base *base, struct stats *stats, size_t max_conns)
{
	struct proxy *proxy = xcalloc(1, sizeof *proxy);

	proxy->base = base;
	proxy->stats = stats;
	proxy->max_conns = max_conns;
	proxy->scratch = scratch_new();
	proxy->lingering = linger_pool_new(base);
	handshake_queue_init(&proxy->handshakes);
	background_init(&proxy->background);
	TAILQ_INIT(&proxy->conns);
	TAILQ_INIT(&proxy->closed);
	TAILQ_INIT(&proxy->listeners);
	proxy->resume_timer = evtimer_new(base, on_resume_timer, proxy);
	proxy->trim_timer = evtimer_new(base, on_trim_timer, proxy);
	if (getrandom(&proxy->id_prefix, sizeof proxy->id_prefix, 0) < 0)
		proxy->id_prefix = (uint32_t)(uintptr_t)proxy;
	return proxy;
}

static void
free_closed(struct proxy *proxy)
{
	struct conn *conn;

	while ((conn = TAILQ_FIRST(&proxy->closed)) != NULL) {
		TAILQ_REMOVE(&proxy->closed, conn, entry);
		conn_free(&conn);
	}
}

void
proxy_free(struct proxy **proxy)
{
	if (*proxy == NULL)
		return;
	proxy_close_all(*proxy, CONN_STOPPED);
	free_closed(*proxy);
	background_finish(&(*proxy)->background);
	linger_pool_free(&(*proxy)->lingering);
	scratch_free(&(*proxy)->scratch);
	event_free((*proxy)->resume_timer);
	event_free((*proxy)->trim_timer);
	free(*proxy);
	*proxy = NULL;
}

bool
proxy_recheck(struct proxy *proxy, struct conn *conn)
{
	conn->recheck_later = false;
	return proxy->readmit == NULL || proxy->readmit(conn, proxy->arg);
}

/*
 * The list holds those that were not asked in front of those that were, and
 * new ones come at the end: so the first one tells whether all are done.
 */
static void
recheck_some(struct proxy *proxy)
{
	struct conn *conn;
	int n;

	for (n = 0; n < RECHECKS_PER_TURN; n++) {
		conn = TAILQ_FIRST(&proxy->conns);
		if (conn == NULL || conn->checked == proxy->recheck_number) {
			proxy->rechecking = false;
			return;
		}
		TAILQ_REMOVE(&proxy->conns, conn, entry);
		TAILQ_INSERT_TAIL(&proxy->conns, conn, entry);
		conn->checked = proxy->recheck_number;
		if (conn->state == CONN_HANDSHAKING)
			conn->recheck_later = true;
		else
			(void)proxy_recheck(proxy, conn);
	}
}

void
proxy_recheck_all(struct proxy *proxy)
{
	proxy->recheck_number++;
	proxy->rechecking = true;
}

/*
 * While work of our own waits. ONCE in any case: NONBLOCK alone goes on as long
 * as anything is ready, and one bulk transfer would keep all handshakes out.
 */
static int
serve_ready(struct proxy *proxy)
{
	const int flags = EVLOOP_ONCE | EVLOOP_NONBLOCK;
	uint64_t began_us = clock_monotonic_us();

	if (event_base_loop(proxy->base, flags) < 0)
		return -1;
	if (clock_monotonic_us() - began_us >= SHORT_PASS_US)
		return 0;
	return event_base_loop(proxy->base, flags);
}

/* BEGAN_US: this turn. */
static void
work_in_background(struct proxy *proxy, uint64_t began_us)
{
	uint64_t us = clock_monotonic_us() - began_us;

	if (us < BACKGROUND_MIN_US)
		us = BACKGROUND_MIN_US;
	if (us > BACKGROUND_MAX_US)
		us = BACKGROUND_MAX_US;
	background_run(&proxy->background, us);
	if (!background_is_empty(&proxy->background))
		return;
	/* A reload builds the new behind the old: malloc would keep the holes,
	 * and reload by reload the heap would come to hold two of each. */
	if (proxy->background.n_pieces >= TRIM_MIN_PIECES)
		mem_give_back();
	proxy->background.n_pieces = 0;
}

int
proxy_turn(struct proxy *proxy)
{
	/* What comes into the background in this turn waits for the next. */
	bool has_background = !background_is_empty(&proxy->background);
	uint64_t began_us = has_background ? clock_monotonic_us() : 0;
	int result;

	/* With work of our own we do not wait for somebody else's: idle
	 * connections that are to be asked wake nobody. */
	if (handshake_queue_is_empty(&proxy->handshakes) &&
		!proxy->rechecking && !has_background)
		result = event_base_loop(proxy->base, EVLOOP_ONCE);
	else
		result = serve_ready(proxy);
	if (result < 0)
		return -1;
	handshake_queue_step(&proxy->handshakes);
	if (proxy->rechecking)
		recheck_some(proxy);
	free_closed(proxy);
	if (has_background)
		work_in_background(proxy, began_us);
	return 0;
}

void
proxy_close_all(struct proxy *proxy, enum conn_reason reason)
{
	struct conn *conn;

	while ((conn = TAILQ_FIRST(&proxy->conns)) != NULL)
		conn_close(conn, reason, NULL);
}

bool
proxy_has_room(const struct proxy *proxy)
{
	/* A lingering socket holds a descriptor like half a connection. */
	return proxy->n_conns + linger_count(proxy->lingering) <
	       proxy->max_conns;
}

void
proxy_pause_accepts(struct proxy *proxy)
{
	struct listener *listener;

	if (proxy->accepts_paused)
		return;
	proxy->accepts_paused = true;
	stats_count(proxy->stats, STATS_ACCEPT_PAUSED, 1);
	TAILQ_FOREACH (listener, &proxy->listeners, entry)
		listener_pause(listener);
	rearm_resume_timer(proxy);
}

uint64_t
proxy_next_id(struct proxy *proxy)
{
	return (uint64_t)proxy->id_prefix << 32 | proxy->id_next++;
}

void
proxy_add_conn(struct proxy *proxy, struct conn *conn)
{
	TAILQ_INSERT_TAIL(&proxy->conns, conn, entry);
	conn->checked = proxy->recheck_number;
	proxy->n_conns++;
	if (proxy->n_conns > proxy->peak_conns)
		proxy->peak_conns = proxy->n_conns;
	stats_set(proxy->stats, STATS_CONNECTIONS, proxy->n_conns);
}

static void
give_memory_back_later(struct proxy *proxy)
{
	struct timeval tv = clock_tv_of_ms(TRIM_MS);

	if (proxy->peak_conns < TRIM_MIN_CONNS ||
		proxy->n_conns > proxy->peak_conns / 2 ||
		evtimer_pending(proxy->trim_timer, NULL))
		return;
	(void)evtimer_add(proxy->trim_timer, &tv);
}

void
proxy_conn_closed(struct proxy *proxy, struct conn *conn)
{
	TAILQ_REMOVE(&proxy->conns, conn, entry);
	TAILQ_INSERT_TAIL(&proxy->closed, conn, entry);
	proxy->n_conns--;
	stats_set(proxy->stats, STATS_CONNECTIONS, proxy->n_conns);
	give_memory_back_later(proxy);
	resume_accepts(proxy);
	if (proxy->on_conn_closed != NULL)
		proxy->on_conn_closed(proxy->arg);
}
