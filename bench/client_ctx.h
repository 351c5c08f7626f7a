#pragma once

#include <openssl/ssl.h>

struct plan;
struct tally;

/* What all clients of one process have in common, the last session included. */
struct client_ctx;

/*
 * One protocol, one suite, one group, and the signatures of ECDSA P-256 and RSA
 * alone: so the work is the same whichever proxy is asked. Counts
 * tickets in TALLY, which outlives it. NULL after a line on stderr. Lives as
 * long as the process.
 */
struct client_ctx *client_ctx_new(const struct plan *plan, struct tally *tally);

SSL_CTX *client_ctx_ssl_ctx(struct client_ctx *ctx);

/* A copy of the last session that a proxy gave, or NULL when there is none or
 * the plan does not resume. The caller frees. */
SSL_SESSION *client_ctx_session(const struct client_ctx *ctx);
