#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <netinet/in.h>
#include <openssl/ssl.h>

struct event_base;

/*
 * One TLS connection through the proxy, which makes exchanges with the backend
 * behind it: an upload, then the download that it ordered, every byte counted.
 */
struct client;

enum client_news {
	CLIENT_OPEN,      /* the handshake is done: may exchange or close */
	CLIENT_EXCHANGED, /* the download is complete: the same */
	CLIENT_CLOSED,    /* close_notify sent, and the other side's end seen */
	CLIENT_FAILED     /* client_error() tells; nothing but free is left */
};

/* Called from the loop. May start what comes next, and may free the client
 * if the news are its last (CLOSED, FAILED). */
typedef void (*client_news_fn)(
	struct client *client, enum client_news news, void *arg);

struct client_params {
	struct event_base *base;
	SSL_CTX *ctx;
	struct sockaddr_in source; /* port 0: any */
	struct sockaddr_in target;
	char *server_name;    /* NULL sends none; copied */
	SSL_SESSION *session; /* NULL for a full handshake; borrowed */
	client_news_fn on_news;
	void *arg;
};

/* Connects. Returns NULL with errno when it cannot even begin. */
struct client *client_new(const struct client_params *params);

/* Both in bytes, at least ORDER_SIZE. */
void client_exchange(struct client *client, uint64_t upload, uint64_t download);

/* An orderly end from our side; CLIENT_CLOSED follows. */
void client_close(struct client *client);

void client_free(struct client **client);

const char *client_error(const struct client *client);
SSL *client_ssl(struct client *client);

/* For whoever drives the client: a number of its own. */
void client_set_number(struct client *client, size_t number);
size_t client_number(const struct client *client);
