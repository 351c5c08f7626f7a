#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

#include "certs.h"

/*
 * A client of OpenSSL's own over a socket, for tests. It never blocks: its
 * callers turn the server's crank in between.
 */
struct tls_client {
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;
	bool is_done;   /* the handshake, as the client sees it */
	int got_alert;  /* -1: none */
	bool got_close; /* close_notify */
};

/* Takes FD. CERT may be NULL. VERSION as OpenSSL has it. */
void tls_client_init(struct tls_client *client, int fd, const struct cert *cert,
	int version);
void tls_client_done(struct tls_client *client);

/* As far as the handshake goes now. */
void tls_client_step(struct tls_client *client);

/* Returns how many bytes came; 0: none now, or no more for ever. */
size_t tls_client_read(struct tls_client *client, void *out, size_t size);

/* Returns how many bytes went; 0: none now, or no more for ever. */
size_t tls_client_write(
	struct tls_client *client, const void *bytes, size_t len);

/* close_notify; the socket stays as it is. */
void tls_client_end(struct tls_client *client);
