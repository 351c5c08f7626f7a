#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/*
 * What all workers of one start remember of sessions without tickets, in
 * memory that they share: a table of fixed size, by session id. The supervisor
 * only makes the descriptor; it never looks inside.
 *
 * An entry is opaque bytes (tls_session_seal) that prove by themselves to be
 * whole and of the id: the table tells ids apart by a part of them. A worker
 * may die at any moment, and one that was broken into may write anything:
 * whoever reads takes nothing for granted. Losing an entry costs one full
 * handshake, so nobody ever waits: what is just being written is not found, and
 * what finds no room, or a slot that is being written, is not stored.
 *
 * The memory has pages only where something was stored, apart from the marks of
 * all entries at its beginning: to look for an id that is not there, or to
 * remove it, touches no entry. (Even reading fills a hole of a memfd.)
 */
struct tls_session_cache;

#define TLS_SESSION_CACHE_ID_SIZE 32 /* of every id that OpenSSL makes */
#define TLS_SESSION_CACHE_N_SLOTS 1024
#define TLS_SESSION_CACHE_N_WAYS  4 /* slots that an id may be in */

/* Each mark begins with the lock of its slot, 64 bits: since when it is held,
 * on the clock of clock_monotonic_ms(); 0: free. A second is too long for a
 * live holder. The entries follow the marks, a page for each. */
#define TLS_SESSION_CACHE_MARK_SIZE 48
#define TLS_SESSION_CACHE_MARKS_SIZE                                           \
	(TLS_SESSION_CACHE_N_SLOTS * TLS_SESSION_CACHE_MARK_SIZE)
#define TLS_SESSION_CACHE_LOCK_MS 1000

/* No entry is longer. */
#define TLS_SESSION_CACHE_MAX 4096

/* Shared memory in a memfd that the caller owns. */
int tls_session_cache_create_fd(struct error *err);

/* Maps FD; the descriptor may be closed afterwards. NULL with ERR. */
struct tls_session_cache *tls_session_cache_map(int fd, struct error *err);
void tls_session_cache_unmap(struct tls_session_cache **cache);

/* Until UNIX_S. In the place of an expired entry, else of the oldest. False
 * when it was not stored. */
bool tls_session_cache_put(struct tls_session_cache *cache,
	const unsigned char id[TLS_SESSION_CACHE_ID_SIZE], const void *bytes,
	size_t len, int64_t until_s);

/* Copies the entry that has not expired at UNIX_S to OUT, unproven. Its length;
 * 0: there is none. */
size_t tls_session_cache_get(struct tls_session_cache *cache,
	const unsigned char id[TLS_SESSION_CACHE_ID_SIZE], int64_t unix_s,
	unsigned char out[TLS_SESSION_CACHE_MAX]);

void tls_session_cache_remove(struct tls_session_cache *cache,
	const unsigned char id[TLS_SESSION_CACHE_ID_SIZE]);

/* The cache that contexts of this process use from now on: OpenSSL's callback
 * for removal knows no connection to ask. NULL, as at first: each context has
 * one of its own. Borrowed. */
void tls_session_cache_share(struct tls_session_cache *cache);
struct tls_session_cache *tls_session_cache_shared(void);
