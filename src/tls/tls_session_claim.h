#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ssl_session_st;
struct ssl_st;
struct tls_entrance;

/*
 * What a session says of itself, sealed with it: who may come in by the context
 * that it was made in (tls_entrance), and when the first certificate of its
 * client's chain, or the first CRL, expires. It is good only where and while
 * this still holds.
 */

/* Lets SESSION of SSL speak for itself, and not live for longer than it may.
 * False: it must not be used. */
bool tls_session_claim_write(
	struct ssl_st *ssl, struct ssl_session_st *session);

/* Ends SESSION's life at once. */
void tls_session_claim_nothing(struct ssl_session_st *session);

/* Unix time from which on OpenSSL takes SESSION no more: for it, the last
 * second of a life is a good one. */
int64_t tls_session_claim_over_s(const struct ssl_session_st *session);

/* What SESSION says of itself: does it still hold at UNIX_S, in ENTRANCE? */
bool tls_session_claim_holds(struct ssl_session_st *session,
	const struct tls_entrance *entrance, int64_t unix_s);

/* Unix time at which the first certificate in the verified chain of SSL's
 * client expires; of a resumed session, which has lost it, the client's own.
 * TLS_TIME_FOREVER without one. */
int64_t tls_session_claim_client_end(struct ssl_st *ssl);
