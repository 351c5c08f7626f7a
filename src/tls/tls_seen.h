#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stack_st_X509;

/*
 * Client chains that a worker has found good a moment ago.
 *
 * Verifying a chain costs as many public key operations as it has
 * certificates, and clients with a certificate are few and come often. What
 * is remembered is only that these very bytes were good in this very context;
 * that the client has the key is still proven by every handshake. For how long
 * it may be believed is up to the caller, but never for longer than
 * TLS_SEEN_LIFE_S, nor when the clock went back.
 *
 * The table is bounded: TLS_SEEN_MAX chains, each with its certificates, of
 * which the most a connection shares with its session. Where they crowd, those
 * that were not asked for the longest go. Nobody gets in without a good chain,
 * so that a stranger cannot push anybody out.
 */
struct tls_seen;

#define TLS_SEEN_LIFE_S 300
#define TLS_SEEN_MAX    1024

/* Whose chain, byte for byte, and in whose context. */
struct tls_seen_key {
	const void *owner;
	unsigned char digest[32];
};

/* NULL without memory. */
struct tls_seen *tls_seen_new(void);
/* Accepts NULL. */
void tls_seen_free(struct tls_seen **seen);

/* SENT is all that the client sent, in its order, the leaf first. False: there
 * is nothing to be remembered by. */
bool tls_seen_key(const void *owner, const struct stack_st_X509 *sent,
	struct tls_seen_key *out);

/* The chain that KEY was verified with; borrowed until the next call. NULL: not
 * known, or not any more at UNIX_S. */
struct stack_st_X509 *tls_seen_find(
	struct tls_seen *seen, const struct tls_seen_key *key, int64_t unix_s);

/* From UNIX_S on, and before UNTIL_S, KEY is good with CHAIN, which is taken.
 */
void tls_seen_add(struct tls_seen *seen, const struct tls_seen_key *key,
	struct stack_st_X509 *chain, int64_t unix_s, int64_t until_s);

/* All of OWNER's; NULL: everybody's. */
void tls_seen_forget(struct tls_seen *seen, const void *owner);

size_t tls_seen_count(const struct tls_seen *seen);
