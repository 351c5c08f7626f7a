#pragma once

#include <stdbool.h>

struct ssl_st;
struct stream;
struct tls_failure;

/*
 * Watch over what a TLS client makes us do for nothing: messages that cost it
 * little and us work, with no byte of data among them. The storage is the
 * caller's, zeroed, and lives as long as SSL.
 */
struct tls_flood {
	unsigned key_updates; /* since the last byte of data */
};

/*
 * A KeyUpdate costs us two key derivations and a record, and the client
 * nothing. So many without a byte of data between them are an attack; real
 * clients send one in 2^24 records (RFC 8446 section 5.5).
 */
#define TLS_FLOOD_KEY_UPDATES_MAX 32

/* From now on FLOOD counts the messages of SSL's client. Takes SSL's message
 * callback. */
void tls_flood_watch(struct tls_flood *flood, struct ssl_st *ssl);

/* Has the client sent more messages than there is reason to? */
static inline bool
tls_flood_of_messages(const struct tls_flood *flood)
{
	return flood->key_updates > TLS_FLOOD_KEY_UPDATES_MAX;
}

/* Data came: the count begins anew. */
static inline void
tls_flood_ebb(struct tls_flood *flood)
{
	flood->key_updates = 0;
}

/* Has it made us answer more than STREAM's rest may hold? */
bool tls_flood_of_answers(const struct stream *stream);

/* What the log is told of either. Static. */
const struct tls_failure *tls_flood_failure(void);
