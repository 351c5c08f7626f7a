#pragma once

#include <stdbool.h>

struct listener_settings;
struct policy_decision;
struct report;
struct ssl_st;
struct tls_ctx;
struct x509_store_ctx_st;

/*
 * The rules of a section inside its handshakes. A full handshake asks them
 * when the chain has been found good. A resumed one need not: its session is
 * bound to the very text of the rules (tls_entrance), and the same certificate
 * under the same rules gets the same answer.
 */

/* Compiles the rules of LISTENER into CTX. Returns 0, or -1 after reporting
 * what makes no sense. */
int tls_admit_set(struct tls_ctx *ctx, const struct listener_settings *listener,
	struct report *report);

/* Does the client whose chain STORE_CTX has verified pass the rules of the
 * context that SSL has come to? */
bool tls_admit(struct ssl_st *ssl, struct x509_store_ctx_st *store_ctx,
	struct policy_decision *out);
