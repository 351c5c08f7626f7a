/* The worker process. */
#include "worker/worker.h"

#include <assert.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "conf/report.h"
#include "ipc/channel.h"
#include "proxy/proxy.h"
#include "stats/stats.h"
#include "tls/tls_ctx.h"
#include "tls/tls_session_cache.h"
#include "worker/conn_room.h"
#include "worker/event_memory.h"
#include "worker/generations.h"

struct worker {
	struct event_base *base;
	struct channel *channel;
	struct proxy *proxy;
	struct stats *stats;
	struct tls_session_cache *sessions; /* NULL: not shared */
	struct generations generations;
	struct event *drain_timer;
	struct conn_room room;
	bool over;
};

static void
send_plain(struct worker *worker, enum message_type type)
{
	struct message m;

	message_init(&m, type);
	(void)channel_send(worker->channel, &m);
}

/* ---- generations ---- */

/* OK, and all that was found, good or bad. */
static void
on_built(uint64_t number, bool ok, const struct report *report, void *arg)
{
	struct worker *worker = arg;
	struct error err;
	struct message m;
	int fd = report_to_fd(report, &err);

	message_init(&m, MESSAGE_STAGED);
	message_put_u64(&m, number);
	message_put_u8(&m, ok && fd >= 0);
	if (fd >= 0)
		message_put_fd(&m, fd);
	(void)channel_send(worker->channel, &m);
	fd_close(&fd);
}

static bool
readmit(struct conn *conn, void *arg)
{
	const struct worker *worker = arg;

	return generations_readmit(&worker->generations, conn);
}

/* ---- other news ---- */

static void
on_ping(struct worker *worker, struct message *m)
{
	struct message pong;

	message_init(&pong, MESSAGE_PONG);
	message_put_u64(&pong, message_get_u64(m));
	message_put_u64(&pong, worker->proxy->n_conns);
	(void)channel_send(worker->channel, &pong);
}

static void
finish_if_empty(void *arg)
{
	struct worker *worker = arg;

	if (!worker->generations.is_stopped || worker->proxy->n_conns > 0 ||
		worker->over)
		return;
	worker->over = true;
	send_plain(worker, MESSAGE_DRAINED);
}

static void
on_drain_timer(int fd, short what, void *arg)
{
	struct worker *worker = arg;

	(void)fd;
	(void)what;
	proxy_close_all(worker->proxy, CONN_DRAINED);
	finish_if_empty(worker);
}

/* Its connections live on, under the rules of every generation to come. */
static void
on_leave(struct worker *worker)
{
	generations_stop(&worker->generations);
	finish_if_empty(worker);
}

/* Once more with less time makes haste; zero means at once. */
static void
on_drain(struct worker *worker, struct message *m)
{
	uint64_t ms = message_get_u64(m);
	struct timeval tv = clock_tv_of_ms(ms);

	generations_stop(&worker->generations);
	if (ms == 0)
		proxy_close_all(worker->proxy, CONN_STOPPED);
	else
		(void)evtimer_add(worker->drain_timer, &tv);
	finish_if_empty(worker);
}

static void
on_message(struct message *m, void *arg)
{
	struct worker *worker = arg;

	if (generations_take(&worker->generations, m))
		return;
	switch (m->type) {
	case MESSAGE_DRAIN:
		on_drain(worker, m);
		return;
	case MESSAGE_LEAVE:
		on_leave(worker);
		return;
	case MESSAGE_PING:
		on_ping(worker, m);
		return;
	case MESSAGE_NONE:
	case MESSAGE_STAGE:
	case MESSAGE_SOCKET:
	case MESSAGE_OUTPUT:
	case MESSAGE_STAGE_END:
	case MESSAGE_COMMIT:
	case MESSAGE_ABORT:
	case MESSAGE_RESOLVED:
	case MESSAGE_READY:
	case MESSAGE_STAGED:
	case MESSAGE_PONG:
	case MESSAGE_DRAINED:
	case MESSAGE_RESOLVE:
	case MESSAGE_N_TYPES:
		log_msg(LOG_LEVEL_ERROR, "unexpected message %s",
			message_type_name(m->type));
		return;
	}
}

static void
on_channel_closed(void *arg)
{
	struct worker *worker = arg;

	worker->over = true;
}

/* ---- life ---- */

static struct event_base *
new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config == NULL)
		return NULL;
	(void)event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	/* Not PRECISE_TIMER: libevent then sets a timerfd before every wait,
	 * and none of our timers needs more than epoll's milliseconds. */
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

static int
confine(bool wanted, struct error *err)
{
	const char *lacking = NULL;

	if (!wanted)
		return 0;
	if (sandbox_confine(SANDBOX_WORKER, &lacking, err) < 0)
		return error_prefix(err, "cannot confine the worker");
	if (lacking != NULL)
		log_msg(LOG_LEVEL_NOTICE, "sandbox without %s", lacking);
	return 0;
}

/* Takes FD. */
static int
share_sessions(struct worker *worker, int fd, struct error *err)
{
	if (fd < 0)
		return 0;
	worker->sessions = tls_session_cache_map(fd, err);
	fd_close(&fd);
	tls_session_cache_share(worker->sessions);
	return worker->sessions == NULL ? -1 : 0;
}

static int
open_worker(struct worker *worker, const struct worker_options *options,
	struct error *err)
{
	int stats_fd = options->stats_fd;

	conn_room_init(&worker->room, options->max_conns);
	event_memory_init(worker->room.descriptors);
	worker->base = new_base();
	if (worker->base == NULL)
		return error_set(err, "no event base");
	worker->stats = stats_map(stats_fd, err);
	fd_close(&stats_fd);
	if (worker->stats == NULL ||
		share_sessions(worker, options->sessions_fd, err) < 0)
		return -1;
	worker->proxy = proxy_new(
		worker->base, worker->stats, conn_room_size(&worker->room, 0));
	generations_init(&worker->generations, worker->proxy, &worker->room,
		on_built, worker);
	worker->proxy->on_conn_closed = finish_if_empty;
	worker->proxy->readmit = readmit;
	worker->proxy->arg = worker;
	worker->drain_timer = evtimer_new(worker->base, on_drain_timer, worker);
	worker->channel = channel_new(worker->base, options->channel_fd,
		on_message, on_channel_closed, worker, err);
	return worker->channel == NULL ? -1 : 0;
}

static void
close_worker(struct worker *worker)
{
	channel_free(&worker->channel);
	if (worker->proxy != NULL) {
		worker->proxy->on_conn_closed = NULL;
		generations_done(&worker->generations);
		proxy_free(&worker->proxy);
	}
	tls_session_cache_share(NULL);
	tls_session_cache_unmap(&worker->sessions);
	stats_unmap(&worker->stats);
	if (worker->drain_timer != NULL)
		event_free(worker->drain_timer);
	if (worker->base != NULL)
		event_base_free(worker->base);
}

int
worker_main(const struct worker_options *options)
{
	struct worker worker = {0};
	struct error err;
	int status = EXIT_FAILURE;

	/* A terminal's Ctrl-C goes to the whole group; the supervisor alone
	 * decides what it means. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	tls_init();
	if (open_worker(&worker, options, &err) < 0 ||
		confine(options->sandbox, &err) < 0) {
		log_msg(LOG_LEVEL_ERROR, "%s", err.text);
		goto out;
	}
	send_plain(&worker, MESSAGE_READY);
	while (!worker.over)
		if (proxy_turn(worker.proxy) < 0) {
			log_msg(LOG_LEVEL_ERROR, "event loop failed");
			goto out;
		}
	status = EXIT_SUCCESS;
out:
	close_worker(&worker);
	return status;
}
