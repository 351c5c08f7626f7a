#include "config.h"

#include "client.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>
#include <openssl/err.h>

#include "client_socket.h"
#include "order.h"

#define CHUNK ((size_t)64 * 1024)

/* Reads in one event before others get their turn. */
#define BUDGET 8

enum client_state {
	CLIENT_CONNECTING,
	CLIENT_HANDSHAKING,
	CLIENT_IDLE,
	CLIENT_UPLOADING,
	CLIENT_DOWNLOADING,
	CLIENT_CLOSING, /* close_notify is out, theirs is awaited */
	CLIENT_DONE
};

/* What the state machine does after a step. */
enum client_next {
	NEXT_AGAIN, /* step once more */
	NEXT_WAIT,  /* until the socket is ready, or the owner orders */
	NEXT_GONE   /* the last news is out: the client may be freed */
};

struct client {
	struct event event;
	struct client_params params;
	SSL *ssl;
	enum client_state state;
	short waiting_for; /* EV_READ, EV_WRITE */
	bool stepping;     /* we are below on_event() */
	struct order order;
	uint64_t moved; /* bytes of the present way */
	size_t number;
	unsigned char head[ORDER_SIZE];
	char error[256];
};

/* Sent from and read into: its content does not matter. */
static unsigned char chunk[CHUNK];

static void on_event(evutil_socket_t fd, short what, void *arg);

static enum client_next
wait_for(struct client *client, short what)
{
	evutil_socket_t fd = event_get_fd(&client->event);

	if (client->waiting_for == what)
		return NEXT_WAIT;
	(void)event_del(&client->event);
	(void)event_assign(&client->event, client->params.base, fd,
		what | EV_PERSIST, on_event, client);
	(void)event_add(&client->event, NULL);
	client->waiting_for = what;
	return NEXT_WAIT;
}

static void
tell(struct client *client, enum client_news news)
{
	client->params.on_news(client, news, client->params.arg);
}

static enum client_next __attribute__((format(printf, 2, 3)))
fail(struct client *client, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(client->error, sizeof client->error, fmt, args);
	va_end(args);
	client->state = CLIENT_DONE;
	tell(client, CLIENT_FAILED);
	return NEXT_GONE;
}

/* An SSL call of ACTION did not do it: wait, or give up. */
static enum client_next
blocked(struct client *client, int result, const char *action)
{
	int problem = SSL_get_error(client->ssl, result);
	int errnum = errno;
	unsigned long code = ERR_peek_error();

	if (problem == SSL_ERROR_WANT_READ)
		return wait_for(client, EV_READ);
	if (problem == SSL_ERROR_WANT_WRITE)
		return wait_for(client, EV_WRITE);
	if (problem == SSL_ERROR_ZERO_RETURN)
		return fail(client, "%s: the proxy closed", action);
	if (code != 0)
		return fail(client, "%s: %s", action,
			ERR_reason_error_string(code));
	return fail(client, "%s: %s", action,
		errnum != 0 ? strerror(errnum) : "the proxy cut us off");
}

static enum client_next
step_connecting(struct client *client)
{
	int errnum = 0;
	socklen_t len = sizeof errnum;

	if (getsockopt(SSL_get_fd(client->ssl), SOL_SOCKET, SO_ERROR, &errnum,
		    &len) < 0 ||
		errnum != 0)
		return fail(client, "connect: %s", strerror(errnum));
	client->state = CLIENT_HANDSHAKING;
	return NEXT_AGAIN;
}

static enum client_next
step_handshaking(struct client *client)
{
	int result = SSL_do_handshake(client->ssl);

	if (result != 1)
		return blocked(client, result, "handshake");
	client->state = CLIENT_IDLE;
	(void)wait_for(client, EV_READ);
	tell(client, CLIENT_OPEN);
	return client->state == CLIENT_IDLE ? NEXT_WAIT : NEXT_AGAIN;
}

/* Something is readable though nothing was ordered: tickets, or the end. */
static enum client_next
step_idle(struct client *client)
{
	int result = SSL_read(client->ssl, chunk, 1);

	if (result > 0)
		return fail(client, "a byte that nobody ordered");
	return blocked(client, result, "idle");
}

static enum client_next
step_uploading(struct client *client)
{
	uint64_t left = client->order.upload - client->moved;
	int result;

	if (client->moved == 0)
		order_encode(&client->order, chunk);
	result = SSL_write(
		client->ssl, chunk, (int)(left < CHUNK ? left : CHUNK));
	if (result <= 0)
		return blocked(client, result, "upload");
	client->moved += (uint64_t)result;
	if (client->moved == client->order.upload) {
		client->moved = 0;
		client->state = CLIENT_DOWNLOADING;
		(void)wait_for(client, EV_READ);
	}
	return NEXT_AGAIN;
}

/* Copies what of the download's head has come. */
static void
take_head(struct client *client, const unsigned char *bytes, size_t len)
{
	size_t have = (size_t)client->moved;

	if (client->moved >= ORDER_SIZE)
		return;
	if (len > ORDER_SIZE - have)
		len = ORDER_SIZE - have;
	memcpy(client->head + have, bytes, len);
}

static enum client_next
check_download(struct client *client)
{
	struct order echoed;

	if (!order_decode(client->head, &echoed) ||
		echoed.upload != client->order.upload ||
		echoed.download != client->order.download)
		return fail(client, "not the download that was ordered");
	client->moved = 0;
	client->state = CLIENT_IDLE;
	tell(client, CLIENT_EXCHANGED);
	return client->state == CLIENT_IDLE ? NEXT_WAIT : NEXT_AGAIN;
}

static enum client_next
step_downloading(struct client *client)
{
	uint64_t left = client->order.download - client->moved;
	int result = SSL_read(client->ssl, chunk, (int)CHUNK);

	if (result <= 0)
		return blocked(client, result, "download");
	if ((uint64_t)result > left)
		return fail(client, "more bytes than were ordered");
	take_head(client, chunk, (size_t)result);
	client->moved += (uint64_t)result;
	if (client->moved == client->order.download)
		return check_download(client);
	return NEXT_AGAIN;
}

/* Waits for the other side's end; how it says it is not our business here:
 * some close_notify and FIN, some FIN or RST alone. */
static enum client_next
step_closing(struct client *client)
{
	int result = SSL_read(client->ssl, chunk, (int)CHUNK);

	if (result > 0)
		return fail(client, "bytes after the last download");
	if (SSL_get_error(client->ssl, result) == SSL_ERROR_WANT_READ)
		return wait_for(client, EV_READ);
	client->state = CLIENT_DONE;
	tell(client, CLIENT_CLOSED);
	return NEXT_GONE;
}

static enum client_next
step(struct client *client)
{
	ERR_clear_error();
	errno = 0;
	switch (client->state) {
	case CLIENT_CONNECTING:
		return step_connecting(client);
	case CLIENT_HANDSHAKING:
		return step_handshaking(client);
	case CLIENT_IDLE:
		return step_idle(client);
	case CLIENT_UPLOADING:
		return step_uploading(client);
	case CLIENT_DOWNLOADING:
		return step_downloading(client);
	case CLIENT_CLOSING:
		return step_closing(client);
	case CLIENT_DONE:
		return NEXT_WAIT;
	}
	return NEXT_WAIT;
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct client *client = arg;
	enum client_next next = NEXT_AGAIN;

	(void)fd;
	(void)what;
	client->stepping = true;
	for (int i = 0; i < BUDGET && next == NEXT_AGAIN; i++)
		next = step(client);
	if (next == NEXT_GONE)
		return;
	client->stepping = false;
	/* What OpenSSL has buffered makes no socket readable. */
	if (next == NEXT_AGAIN)
		event_active(&client->event, client->waiting_for, 0);
}

static SSL *
make_ssl(const struct client_params *params, int fd)
{
	SSL *ssl = SSL_new(params->ctx);

	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 ||
		(params->server_name != NULL &&
			SSL_set_tlsext_host_name(ssl, params->server_name) !=
				1) ||
		(params->session != NULL &&
			SSL_set_session(ssl, params->session) != 1)) {
		SSL_free(ssl);
		errno = ENOMEM;
		return NULL;
	}
	SSL_set_connect_state(ssl);
	return ssl;
}

struct client *
client_new(const struct client_params *params)
{
	struct client *client = calloc(1, sizeof *client);
	int fd;

	if (client == NULL)
		return NULL;
	fd = client_socket_open(&params->source, &params->target);
	if (fd < 0)
		goto fail;
	client->params = *params;
	client->params.server_name = NULL; /* the caller's; OpenSSL copies */
	client->params.session = NULL;
	client->ssl = make_ssl(params, fd);
	if (client->ssl == NULL)
		goto fail;
	client->state = CLIENT_CONNECTING;
	client->waiting_for = EV_WRITE;
	(void)event_assign(&client->event, params->base, fd,
		EV_WRITE | EV_PERSIST, on_event, client);
	(void)event_add(&client->event, NULL);
	return client;

fail:
	if (fd >= 0)
		(void)close(fd);
	free(client);
	return NULL;
}

void
client_exchange(struct client *client, uint64_t upload, uint64_t download)
{
	assert(client->state == CLIENT_IDLE);
	assert(upload >= ORDER_SIZE && download >= ORDER_SIZE);

	client->order.upload = upload;
	client->order.download = download;
	client->moved = 0;
	client->state = CLIENT_UPLOADING;
	if (!client->stepping)
		event_active(&client->event, EV_WRITE, 0);
}

void
client_close(struct client *client)
{
	assert(client->state == CLIENT_IDLE);

	client->state = CLIENT_CLOSING;
	(void)SSL_shutdown(client->ssl);
	(void)wait_for(client, EV_READ);
	if (!client->stepping)
		event_active(&client->event, EV_READ, 0);
}

void
client_free(struct client **client)
{
	if (*client == NULL)
		return;
	(void)event_del(&(*client)->event);
	(void)close(SSL_get_fd((*client)->ssl));
	SSL_free((*client)->ssl);
	free(*client);
	*client = NULL;
}

const char *
client_error(const struct client *client)
{
	return client->error;
}

SSL *
client_ssl(struct client *client)
{
	return client->ssl;
}

void
client_set_number(struct client *client, size_t number)
{
	client->number = number;
}

size_t
client_number(const struct client *client)
{
	return client->number;
}
