#include "config.h"

#include "driver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "client.h"
#include "client_ctx.h"
#include "driver_results.h"
#include "plan.h"
#include "route.h"

enum driver_phase {
	DRIVER_WARMING, /* until ready is said */
	DRIVER_WAITING, /* for the word to go */
	DRIVER_WORKING,
	DRIVER_RESTING /* done is said */
};

/* One place for a connection. */
struct slot {
	struct driver *driver;
	struct client *client;
	struct event *timer; /* of the next exchange; NULL without interval */
	size_t exchanges;    /* made since the word to go */
	uint64_t began_us;
	uint64_t due_us; /* with an interval: when the next one begins */
};

struct driver {
	const struct plan *plan;
	struct driver_results *results;
	struct event_base *base;
	struct client_ctx *ctx;
	struct slot *slots;
	size_t n_slots;
	struct route route;
	size_t number;
	int control;
	enum driver_phase phase;
	bool ending;     /* told so while endless */
	size_t opened;   /* in this phase */
	size_t open;     /* of them: not closed */
	size_t finished; /* slots (steady) or connections done in this phase */
	int status;
};

static void on_news(struct client *client, enum client_news news, void *arg);

static void
give_up(struct driver *driver, const char *what, const char *why)
{
	(void)fprintf(stderr, "load: %s: %s\n", what, why);
	driver->status = 1;
	(void)event_base_loopbreak(driver->base);
}

static void
say(struct driver *driver, char word)
{
	if (write(driver->control, &word, 1) != 1)
		give_up(driver, "the parent", "gone");
}

static void
open_client(struct driver *driver, size_t place)
{
	struct client_params params = {.base = driver->base,
		.ctx = client_ctx_ssl_ctx(driver->ctx),
		.session = client_ctx_session(driver->ctx),
		.on_news = on_news,
		.arg = driver};
	struct slot *slot = &driver->slots[place];

	route_next(&driver->route, &params.source, &params.target,
		&params.server_name);
	driver->opened++;
	driver->open++;
	slot->began_us = clock_monotonic_us();
	slot->client = client_new(&params);
	SSL_SESSION_free(params.session);
	if (slot->client == NULL) {
		give_up(driver, "connect", strerror(errno));
		return;
	}
	client_set_number(slot->client, place);
}

static void
set_phase(struct driver *driver, enum driver_phase phase)
{
	driver->phase = phase;
	driver->opened = 0;
	driver->finished = 0;
}

/* Turnover: how many connections this phase is to make. */
static size_t
wanted(const struct driver *driver)
{
	const struct plan *plan = driver->plan;

	if (driver->phase == DRIVER_WARMING)
		return plan_share(plan, plan->warm_up, driver->number);
	if (driver->phase != DRIVER_WORKING || driver->ending)
		return 0;
	if (plan->endless)
		return SIZE_MAX;
	return plan_share(plan, plan->connections, driver->number);
}

static void
finish_phase(struct driver *driver)
{
	if (driver->phase == DRIVER_WARMING) {
		set_phase(driver, DRIVER_WAITING);
		say(driver, DRIVER_READY);
		return;
	}
	set_phase(driver, DRIVER_RESTING);
	say(driver, DRIVER_DONE);
}

/* Turnover: the place is free. */
static void
turn_over(struct driver *driver, size_t place)
{
	if (driver->opened < wanted(driver))
		open_client(driver, place);
	else if (driver->open == 0)
		finish_phase(driver);
}

static void
start_turnover(struct driver *driver)
{
	size_t n = wanted(driver);

	if (n == 0)
		finish_phase(driver);
	for (size_t i = 0; i < driver->n_slots && driver->opened < n; i++)
		open_client(driver, i);
}

/* Steady: the slot's next exchange, or none is left. */
static void
go_on(struct slot *slot)
{
	struct driver *driver = slot->driver;
	const struct plan *plan = driver->plan;

	if (slot->exchanges == plan->exchanges) {
		if (++driver->finished == driver->n_slots)
			finish_phase(driver);
		return;
	}
	slot->exchanges++;
	slot->began_us = clock_monotonic_us();
	client_exchange(slot->client, plan->upload, plan->download);
}

static void
on_interval(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	go_on(arg);
}

/*
 * Until its next exchange is due, which does not depend on when the last one
 * was over: else all of them would gather behind whatever delayed one, and
 * come at once for ever, and a slower proxy would have less to do.
 */
static int
await_due(struct slot *slot)
{
	uint64_t now_us = clock_monotonic_us();
	uint64_t left_us = slot->due_us > now_us ? slot->due_us - now_us : 0;
	struct timeval left = {.tv_sec = (time_t)(left_us / 1000000),
		.tv_usec = (suseconds_t)(left_us % 1000000)};

	return event_add(slot->timer, &left);
}

/* Spread over the interval. */
static void
start_steady(struct driver *driver)
{
	uint64_t interval_us = driver->plan->interval_us;
	uint64_t now_us = clock_monotonic_us();

	for (size_t i = 0; i < driver->n_slots; i++) {
		struct slot *slot = &driver->slots[i];

		if (interval_us == 0) {
			go_on(slot);
			continue;
		}
		slot->due_us = now_us + interval_us * i / driver->n_slots;
		slot->timer = event_new(driver->base, -1, 0, on_interval, slot);
		if (slot->timer == NULL || await_due(slot) < 0) {
			give_up(driver, "timer", "no memory");
			return;
		}
	}
}

static void
on_steady_exchanged(struct slot *slot)
{
	struct driver *driver = slot->driver;
	uint64_t interval_us = driver->plan->interval_us;

	if (driver->phase == DRIVER_WARMING) {
		driver_results_exchange(driver->results, 64, 64);
		if (++driver->finished == driver->n_slots)
			finish_phase(driver);
		else if (driver->opened < driver->n_slots)
			open_client(driver, driver->opened);
		return;
	}
	driver_results_exchange(
		driver->results, driver->plan->upload, driver->plan->download);
	driver_results_sample(
		driver->results, clock_monotonic_us() - slot->began_us);
	if (interval_us == 0 || slot->exchanges == driver->plan->exchanges) {
		go_on(slot);
		return;
	}
	slot->due_us += interval_us;
	(void)await_due(slot);
}

static void
on_exchanged(struct slot *slot)
{
	struct driver *driver = slot->driver;

	if (driver->plan->shape == PLAN_STEADY) {
		on_steady_exchanged(slot);
		return;
	}
	driver_results_exchange(
		driver->results, driver->plan->upload, driver->plan->download);
	if (driver->phase == DRIVER_WORKING)
		driver_results_sample(
			driver->results, clock_monotonic_us() - slot->began_us);
	client_close(slot->client);
}

static void
on_closed(struct slot *slot)
{
	struct driver *driver = slot->driver;

	client_free(&slot->client);
	driver->open--;
	driver->finished++;
	turn_over(driver, (size_t)(slot - driver->slots));
}

static void
on_open(struct slot *slot)
{
	struct driver *driver = slot->driver;
	const struct plan *plan = driver->plan;

	driver_results_handshake(driver->results, client_ssl(slot->client));
	if (plan->shape == PLAN_STEADY)
		client_exchange(slot->client, 64, 64);
	else
		client_exchange(slot->client, plan->upload, plan->download);
}

static void
on_news(struct client *client, enum client_news news, void *arg)
{
	struct driver *driver = arg;
	struct slot *slot = &driver->slots[client_number(client)];

	switch (news) {
	case CLIENT_OPEN:
		on_open(slot);
		return;
	case CLIENT_EXCHANGED:
		on_exchanged(slot);
		return;
	case CLIENT_CLOSED:
		on_closed(slot);
		return;
	case CLIENT_FAILED:
		give_up(driver, "connection", client_error(client));
		return;
	}
}

static void
start_phase(struct driver *driver)
{
	if (driver->plan->shape == PLAN_TURNOVER)
		start_turnover(driver);
	else if (driver->phase == DRIVER_WORKING)
		start_steady(driver);
	else
		for (size_t i = 0;
			i < driver->n_slots && i < driver->plan->concurrency;
			i++)
			open_client(driver, i);
}

static void
on_word(evutil_socket_t fd, short what, void *arg)
{
	struct driver *driver = arg;
	char word = '\0';

	(void)what;
	if (read(fd, &word, 1) != 1) {
		give_up(driver, "the parent", "gone");
		return;
	}
	if (word == DRIVER_GO) {
		set_phase(driver, DRIVER_WORKING);
		start_phase(driver);
	} else if (driver->phase == DRIVER_RESTING) {
		(void)event_base_loopbreak(driver->base);
	} else {
		driver->ending = true;
	}
}

static void
make_slots(struct driver *driver)
{
	const struct plan *plan = driver->plan;
	uint64_t n = plan->shape == PLAN_STEADY ? plan->connections
						: plan->concurrency;

	driver->n_slots = plan_share(plan, n, driver->number);
	driver->slots = xcalloc(driver->n_slots + 1, sizeof *driver->slots);
	for (size_t i = 0; i < driver->n_slots; i++)
		driver->slots[i].driver = driver;
}

/* Whose timers fire at their microsecond, not at epoll's next millisecond. */
static struct event_base *
new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config == NULL)
		return NULL;
	(void)event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

int
driver_run(const struct plan *plan, size_t number, int control,
	struct driver_results *results)
{
	struct driver driver = {.plan = plan,
		.results = results,
		.route = {.plan = plan, .number = number},
		.number = number,
		.control = control};
	struct event *words;

	(void)fd_raise_limit();
	driver.base = new_base();
	driver.ctx = client_ctx_new(plan, results->tally);
	if (driver.base == NULL || driver.ctx == NULL)
		return 1;
	words = event_new(
		driver.base, control, EV_READ | EV_PERSIST, on_word, &driver);
	if (words == NULL || event_add(words, NULL) < 0)
		return 1;
	make_slots(&driver);
	start_phase(&driver);
	(void)event_base_dispatch(driver.base);
	/* The process ends now, and its sockets and memory with it. */
	return driver.status;
}
