#pragma once

#include <stdbool.h>

struct ssl_ctx_st;
struct ssl_st;
struct tls_failure;

/* For tls_init(). */
void tls_hello_init(void);

/*
 * What the first message of a client decides: which context serves it.
 *
 * OpenSSL's own server name callback comes too late: by then the session of a
 * returning client has been looked up, in the context that the client should
 * not have met.
 */
void tls_hello_install(struct ssl_ctx_st *ssl_ctx);

/* Why the handshake of SSL was refused here. False: it was not. */
bool tls_hello_explain(struct ssl_st *ssl, struct tls_failure *out);
