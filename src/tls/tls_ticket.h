#pragma once

#include <stdbool.h>
#include <stdint.h>

struct file_source;
struct listener_settings;
struct report;
struct ssl_session_st;
struct ssl_st;
struct tls_ctx;
struct tls_entrance;

/*
 * Who may come back without showing a certificate again, and for how long:
 * num_tickets, session_timeout and ticket_secret_file into CTX.
 *
 * A session says who may come in by the context it was made in (tls_entrance),
 * and when the first certificate of its client's chain, or the first CRL,
 * expires. It is good only where and while this still holds; else there is a
 * full handshake, which refuses by name what it does not like.
 *
 * Sessions are tickets, sealed with keys that all workers share. Only clients
 * of TLS 1.2 that know no tickets are remembered, by this worker. Returns 0,
 * or -1 after reporting a secret that cannot be read or is too short.
 */
int tls_ticket_set(struct tls_ctx *ctx,
	const struct listener_settings *listener, struct file_source *files,
	struct report *report);

/* Unix time at which the first certificate in the verified chain of SSL's
 * client expires; of a resumed session, which has lost it, the client's own.
 * TLS_ENTRANCE_FOREVER without one. */
int64_t tls_ticket_client_end(struct ssl_st *ssl);

/* What SESSION says of itself: does it still hold at UNIX_S, in ENTRANCE? */
bool tls_ticket_holds(struct ssl_session_st *session,
	const struct tls_entrance *entrance, int64_t unix_s);
