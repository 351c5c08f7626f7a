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
	char cipher[64];
	char group[32];       /* of the key exchange, as OpenSSL calls it */
	char alpn[32];        /* "": none */
	char server_cn[64];   /* of the certificate that the client saw */
	char server_name[64]; /* that the server took; "": none */
	int n_ca_names;       /* in the CertificateRequest */
	char ca_name[64];     /* CN of the first; "": none */
	struct tls_failure failure; /* when the server failed */
	char *subject;              /* of the identity; NULL: none */
	SSL_SESSION *session;       /* that the client may come back with */
};

/* A client's context that trusts everybody and shows CERT (may be NULL). */
SSL_CTX *client_ctx_new(const struct cert *cert, int version);

/* OpenSSL's own are macros that cast const away. */
void ctx_set_groups(SSL_CTX *ctx, const char *names);
void ask_for_name(SSL *client, const char *server_name);

/* SESSION may be NULL. */
struct outcome handshake(
	SSL_CTX *server, SSL_CTX *client, SSL_SESSION *session);
/* The client asks for SERVER_NAME; NULL: it names nobody. */
struct outcome handshake_for(SSL_CTX *server, SSL_CTX *client,
	SSL_SESSION *session, const char *server_name);
/* With a server of this context, which may share its SSL_CTX. */
struct outcome handshake_in(struct tls_ctx *server, SSL_CTX *client,
	SSL_SESSION *session, const char *server_name);
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
