#include "resolver/resolver.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "ipc/channel.h"
#include "net/resolve.h"

struct resolver {
	struct event_base *base;
	struct channel *channel;
	bool has_failed;
};

static void
fill_answer(struct message *answer, const char *host, uint16_t port)
{
	struct addr addrs[MESSAGE_RESOLVED_MAX];
	struct error err;
	int n = resolve_host(host, port, addrs, MESSAGE_RESOLVED_MAX, &err);

	message_init(answer, MESSAGE_RESOLVED);
	message_put_text(answer, host);
	message_put_u16(answer, port);
	message_put_u32(answer, n > 0 ? (uint32_t)n : 0);
	for (int i = 0; i < n; i++)
		message_put_bytes(answer, &addrs[i].sa, addrs[i].sa_len);
	message_put_text(answer, n > 0 ? "" : err.text);
}

static void
stop(struct resolver *resolver, const struct message *m)
{
	log_msg(LOG_LEVEL_ERROR, "not understood: %s message of %zu bytes",
		message_type_name(m->type), m->len);
	resolver->has_failed = true;
	(void)event_base_loopbreak(resolver->base);
	channel_free(&resolver->channel);
}

static void
on_message(struct message *m, void *arg)
{
	struct resolver *resolver = arg;
	struct message answer;
	char host[ADDR_NAME_MAX + 1];
	uint16_t port;

	if (m->type != MESSAGE_RESOLVE) {
		stop(resolver, m);
		return;
	}
	message_get_text(m, host, sizeof host);
	port = message_get_u16(m);
	if (!message_is_done(m)) {
		stop(resolver, m);
		return;
	}
	fill_answer(&answer, host, port);
	/* A supervisor that is gone shows as the end of the channel. */
	(void)channel_send(resolver->channel, &answer);
}

static void
on_closed(void *arg)
{
	struct resolver *resolver = arg;

	(void)event_base_loopbreak(resolver->base);
}

static struct event_base *
new_base(struct error *err)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config != NULL) {
		(void)event_config_set_flag(config,
			EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
		base = event_base_new_with_config(config);
		event_config_free(config);
	}
	if (base == NULL)
		error_set(err, "cannot create an event loop");
	return base;
}

static int
confine(struct error *err)
{
	struct addr addr;
	const char *lacking = NULL;

	/* Makes the C library read nsswitch.conf and load its modules while
	 * it may still do as it likes. What comes out does not matter. */
	(void)resolve_host("localhost", 0, &addr, 1, NULL);
	if (sandbox_confine(SANDBOX_RESOLVER, &lacking, err) < 0)
		return -1;
	if (lacking != NULL)
		log_msg(LOG_LEVEL_NOTICE, "sandbox without %s", lacking);
	return 0;
}

static int
start(struct resolver *resolver, int fd, bool sandbox, struct error *err)
{
	struct message ready;

	resolver->base = new_base(err);
	if (resolver->base == NULL) {
		fd_close(&fd);
		return -1;
	}
	resolver->channel = channel_new(
		resolver->base, fd, on_message, on_closed, resolver, err);
	if (resolver->channel == NULL || (sandbox && confine(err) < 0))
		return -1;
	message_init(&ready, MESSAGE_READY);
	/* Failure shows as the end of the channel. */
	(void)channel_send(resolver->channel, &ready);
	return 0;
}

int
resolver_main(int channel_fd, bool sandbox)
{
	struct resolver resolver = {0};
	struct error err;

	/* What a terminal sends to all is for the supervisor to act on. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	if (start(&resolver, channel_fd, sandbox, &err) < 0) {
		log_msg(LOG_LEVEL_ERROR, "cannot start: %s", err.text);
		resolver.has_failed = true;
	} else {
		(void)event_base_dispatch(resolver.base);
	}
	channel_free(&resolver.channel);
	if (resolver.base != NULL)
		event_base_free(resolver.base);
	return resolver.has_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
