#pragma once

struct event_base;

/*
 * Closes a socket so that what was sent last still arrives: shuts the writing
 * side down, then reads and drops what the peer still sends until it ends,
 * LINGER_BYTES_MAX were dropped or LINGER_MS passed. A plain close() with
 * unread bytes in the kernel would turn into a reset, which can overtake a
 * fatal alert (RFC 9112 section 9.6 tells the same story for HTTP).
 *
 * Owned by the loop it runs on: linger_pool_free() closes all at once.
 */
#define LINGER_MS        2000
#define LINGER_BYTES_MAX (1024UL * 1024)

struct linger_pool;

struct linger_pool *linger_pool_new(struct event_base *base);
void linger_pool_free(struct linger_pool **pool);

/* Takes FD in every case. Without memory it is simply closed. */
void linger_close(struct linger_pool *pool, int fd);

/* How many are still open: they count as descriptors in use. */
unsigned linger_count(const struct linger_pool *pool);
