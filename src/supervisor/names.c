/* Host names of backends and what they mean now. */
#include "supervisor/names.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/settings.h"
#include "ipc/message.h"
#include "supervisor/child.h"

/* A resolver that died is started again after this long. */
#define RESTART_MS 1000

struct name {
	char host[ADDR_NAME_MAX + 1];
	uint16_t port;
	bool wanted; /* for names_keep() */
	bool answered;
	bool known; /* ANSWER has addresses */
	struct message answer;
};

struct names {
	struct event_base *base;
	const struct process_settings *process;
	names_answer_fn on_answer;
	void *arg;
	struct name *items;
	size_t n;
	struct child *resolver;
	bool ready;
	bool stopped;
	struct event *timer; /* asks again, and restarts */
};

static void
set_timer(struct names *names, unsigned ms)
{
	struct timeval tv = clock_tv_of_ms(ms);

	(void)evtimer_add(names->timer, &tv);
}

static void
ask(struct names *names, const struct name *name)
{
	struct message m;

	if (!names->ready)
		return;
	message_init(&m, MESSAGE_RESOLVE);
	message_put_text(&m, name->host);
	message_put_u16(&m, name->port);
	child_send(names->resolver, &m);
}

static struct name *
find(struct names *names, const char *host, uint16_t port)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		if (names->items[i].port == port &&
			strcmp(names->items[i].host, host) == 0)
			return &names->items[i];
	return NULL;
}

static void
log_unknown(const struct name *name, const char *why)
{
	const struct log_field fields[] = {
		{.key = "backend", .text = name->host},
		{.key = "detail", .text = why},
		{.key = "old_answer_used", .text = name->known ? "yes" : "no"},
	};

	log_event(LOG_LEVEL_WARN, "backend name does not resolve", fields,
		sizeof fields / sizeof fields[0]);
}

static void
on_resolved(struct names *names, struct message *m)
{
	char host[ADDR_NAME_MAX + 1], why[256];
	uint8_t address[sizeof(struct sockaddr_storage)];
	struct name *name;
	uint16_t port;
	uint32_t n, i;

	message_get_text(m, host, sizeof host);
	port = message_get_u16(m);
	n = message_get_u32(m);
	for (i = 0; i < n && !m->bad; i++)
		(void)message_get_bytes(m, address, sizeof address);
	message_get_text(m, why, sizeof why);
	name = find(names, host, port);
	if (m->bad || name == NULL)
		return;
	name->answered = true;
	if (n == 0) {
		log_unknown(name, why);
	} else {
		name->known = true;
		name->answer = *m;
		name->answer.at = 0;
	}
	names->on_answer(m, names->arg);
}

static void
on_message(struct message *m, void *arg)
{
	struct names *names = arg;
	size_t i;

	if (m->type == MESSAGE_RESOLVED)
		on_resolved(names, m);
	if (m->type != MESSAGE_READY)
		return;
	names->ready = true;
	for (i = 0; i < names->n; i++)
		ask(names, &names->items[i]);
}

static void
on_exit_of(struct child *child, int status, void *arg)
{
	struct names *names = arg;

	(void)child;
	names->resolver = NULL;
	names->ready = false;
	if (names->stopped)
		return;
	log_msg(LOG_LEVEL_ERROR, "resolver died, wait status %d", status);
	set_timer(names, RESTART_MS);
}

static void
start_resolver(struct names *names)
{
	static const struct child_callbacks callbacks = {
		.on_message = on_message, .on_exit = on_exit_of};
	struct child_args args = {
		.role = CHILD_RESOLVER,
		.stats_fd = -1,
		.sessions_fd = -1,
		.log_format = names->process->log_format,
		.log_level = names->process->log_level,
		.sandbox = names->process->sandbox != SANDBOX_OFF,
		.user = names->process->user,
		.group = names->process->group,
	};
	struct error err;

	names->resolver =
		child_start(names->base, &args, &callbacks, names, &err);
	if (names->resolver == NULL)
		log_msg(LOG_LEVEL_ERROR, "%s", err.text);
}

static void
on_timer(int fd, short what, void *arg)
{
	struct names *names = arg;
	size_t i;

	(void)fd;
	(void)what;
	if (names->n == 0 || names->stopped)
		return;
	if (names->resolver == NULL)
		start_resolver(names);
	for (i = 0; i < names->n; i++)
		ask(names, &names->items[i]);
	set_timer(names, NAMES_EVERY_MS);
}

struct names *
names_new(struct event_base *base, names_answer_fn on_answer, void *arg)
{
	struct names *names = xcalloc(1, sizeof *names);

	names->base = base;
	names->on_answer = on_answer;
	names->arg = arg;
	names->timer = evtimer_new(base, on_timer, names);
	return names;
}

void
names_free(struct names **names)
{
	if (*names == NULL)
		return;
	event_free((*names)->timer);
	free((*names)->items);
	free(*names);
	*names = NULL;
}

static void
add(struct names *names, const struct addr *addr)
{
	struct name *name;

	if (addr->kind != ADDR_HOST ||
		find(names, addr->name, addr->port) != NULL)
		return;
	names->items =
		xreallocarray(names->items, names->n + 1, sizeof *names->items);
	name = &names->items[names->n++];
	memset(name, 0, sizeof *name);
	memcpy(name->host, addr->name, sizeof name->host);
	name->port = addr->port;
	ask(names, name);
}

/* Calls WITH for every backend. */
static void
each_backend(struct names *names, const struct settings *settings,
	void (*with)(struct names *names, const struct addr *addr))
{
	const struct listener_settings *listener;
	size_t i, k;

	for (i = 0; i < settings->n_listeners; i++) {
		listener = &settings->listeners[i];
		with(names, &listener->backend);
		for (k = 0; k < listener->n_overlays; k++)
			with(names, &listener->overlays[k].backend);
	}
}

void
names_use(struct names *names, const struct settings *settings)
{
	if (names->process == NULL)
		names->process = &settings->process;
	each_backend(names, settings, add);
	if (names->n > 0 && names->resolver == NULL && !names->stopped)
		start_resolver(names);
	if (names->n > 0)
		set_timer(names, NAMES_EVERY_MS);
}

static void
want(struct names *names, const struct addr *addr)
{
	struct name *name = addr->kind != ADDR_HOST
				    ? NULL
				    : find(names, addr->name, addr->port);

	if (name != NULL)
		name->wanted = true;
}

void
names_keep(struct names *names, const struct settings *settings)
{
	size_t kept = 0, i;

	for (i = 0; i < names->n; i++)
		names->items[i].wanted = false;
	each_backend(names, settings, want);
	for (i = 0; i < names->n; i++)
		if (names->items[i].wanted)
			names->items[kept++] = names->items[i];
	names->n = kept;
}

void
names_set_process(struct names *names, const struct process_settings *process)
{
	names->process = process;
}

bool
names_all_answered(const struct names *names)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		if (!names->items[i].answered)
			return false;
	return true;
}

void
names_repeat(const struct names *names, names_answer_fn tell, void *arg)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		if (names->items[i].known)
			tell(&names->items[i].answer, arg);
}

void
names_stop(struct names *names)
{
	names->stopped = true;
	if (names->resolver != NULL)
		child_kill(names->resolver, SIGTERM);
}
