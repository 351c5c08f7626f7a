#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

#include "certs.h"
#include "tls/tls_error.h"

/* Handshakes in memory, for tests. */
struct fixture;
struct tls_ctx;

/* How a handshake ended, on both sides. */
struct outcome {
	bool server_done;
	bool client_done;
	bool resumed;
	int client_got_alert; /* -1: none */
	char version[16];
	struct tls_failure failure; /* when the server failed */
	char *subject;              /* of the identity; NULL: none */
	SSL_SESSION *session;       /* that the client may come back with */
};

/* A client's context that trusts everybody and shows CERT (may be NULL). */
SSL_CTX *client_ctx_new(const struct cert *cert, int version);

/* SESSION may be NULL. */
struct outcome handshake(
	SSL_CTX *server, SSL_CTX *client, SSL_SESSION *session);
/* The client's first bytes are TEXT, and nothing follows. */
struct outcome handshake_with_bytes(
	SSL_CTX *server, const char *text, size_t len);
void outcome_done(struct outcome *outcome);

/* A server that asks for certificates of CA. */
struct pki {
	struct cert ca;
	struct cert server;
	struct tls_ctx *ctx;
};

/* LINES are added to the listener's own. */
struct pki pki_make(struct fixture *it, const char *lines);
void pki_done(struct pki *pki);

/* CERT may be NULL. */
struct outcome connect_with(
	struct pki *pki, const struct cert *cert, int version);
