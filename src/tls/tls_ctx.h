#pragma once

#include <stdbool.h>

struct file_source;
struct listener_settings;
struct report;
struct ssl_ctx_st;
struct ssl_st;
struct tls_sni;

/*
 * One server-side SSL_CTX, built from one section's settings: what
 * ssl.SSLContext(PROTOCOL_TLS_SERVER) is in Python. Const once built and
 * counted: a generation holds one reference, each connection that was born in
 * it another. One without names knows nothing of its generation, so that the
 * next one may go on with it (tls_stock.h).
 *
 * Listeners that say the same of TLS may share an SSL_CTX, which is what takes
 * memory and time (tls_ctx_share): each has a context of its own nevertheless,
 * with its own server names, and sessions do not cross.
 */
struct tls_ctx;

/* Initialises OpenSSL for this process: loads openssl.cnf and the error
 * texts, so that nothing of it needs a file later. Call before confining. */
void tls_init(void);

/* "OpenSSL 3.0.22 25 Aug 2026": of the library that runs. */
const char *tls_library_version(void);

/*
 * Every finding, with its place, goes to REPORT; NULL when one of them is an
 * error. Certificates, keys, CAs, CRLs and the ticket secret come from FILES;
 * no other file is read. Never prompts for a password. LISTENER may be one
 * without certfile, for contexts that only hand over, and an overlay.
 */
struct tls_ctx *tls_ctx_new(const struct listener_settings *listener,
	struct file_source *files, struct report *report);

/*
 * A context for LISTENER that shares all that can be shared with OWNER, which
 * must have the same recipe (tls_recipe.h) and no names; refers to OWNER. NULL
 * without memory.
 */
struct tls_ctx *tls_ctx_share(
	struct tls_ctx *owner, const struct listener_settings *listener);

/*
 * The contexts that CTX hands over to by server name, from the client hello
 * callback: before a session is matched, so that no session crosses. Takes
 * NAMES. REJECT_UNKNOWN: a name that is not in NAMES, or none, ends the
 * handshake with unrecognized_name; else CTX itself serves it. CTX must not be
 * in NAMES. Call once, before the first connection.
 */
void tls_ctx_set_names(
	struct tls_ctx *ctx, struct tls_sni *names, bool reject_unknown);

/* The context that a client with this server name (NULL: none) gets; NULL:
 * it would be rejected. Borrowed. */
struct tls_ctx *tls_ctx_for_name(struct tls_ctx *ctx, const char *name);

/* Would both let in the very same clients? */
bool tls_ctx_same_entrance(const struct tls_ctx *a, const struct tls_ctx *b);

struct tls_ctx *tls_ctx_ref(struct tls_ctx *ctx);
void tls_ctx_unref(struct tls_ctx **ctx);

/* These for tls/ only. Borrowed: */
struct ssl_ctx_st *tls_ctx_ssl(struct tls_ctx *ctx);

/* An SSL that CTX serves, or NULL without memory; the caller's. */
struct ssl_st *tls_ctx_new_ssl(struct tls_ctx *ctx);

/* The context that serves SSL: after the ClientHello the one that the server
 * name has chosen. It must outlive SSL. NULL for an SSL of somebody else. */
struct tls_ctx *tls_ctx_of_ssl(const struct ssl_st *ssl);
