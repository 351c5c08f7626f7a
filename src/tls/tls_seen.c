/* Client chains that were found good a moment ago. */
#include "tls/tls_seen.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "tls/tls_digest.h"

/* A chain has a few places where it may stand, so that finding one is a few
 * comparisons however many there are. */
#define WAYS   4
#define N_SETS (TLS_SEEN_MAX / WAYS)

/* Longer chains are not worth it. */
#define SENT_MAX 8

struct entry {
	struct tls_seen_key key;
	STACK_OF(X509) * chain; /* NULL: the place is free */
	int64_t from_s, until_s;
	uint64_t used;
};

struct tls_seen {
	uint64_t clock; /* counts the uses */
	size_t count;
	struct entry entries[N_SETS][WAYS];
};

struct tls_seen *
tls_seen_new(void)
{
	struct tls_seen *seen = calloc(1, sizeof *seen);

	if (seen == NULL)
		return NULL;
	if (tls_digest_sha256() == NULL)
		tls_seen_free(&seen);
	ERR_clear_error();
	return seen;
}

static void
drop(struct tls_seen *seen, struct entry *entry)
{
	if (entry->chain == NULL)
		return;
	sk_X509_pop_free(entry->chain, X509_free);
	*entry = (struct entry){.chain = NULL};
	seen->count--;
}

/* All of OWNER's; NULL: everybody's. */
static void
drop_all(struct tls_seen *seen, const void *owner)
{
	for (size_t i = 0; i < N_SETS; i++) {
		for (size_t k = 0; k < WAYS; k++) {
			struct entry *entry = &seen->entries[i][k];

			if (owner == NULL || entry->key.owner == owner)
				drop(seen, entry);
		}
	}
}

void
tls_seen_free(struct tls_seen **seen)
{
	struct tls_seen *it = *seen;

	*seen = NULL;
	if (it == NULL)
		return;
	drop_all(it, NULL);
	free(it);
}

bool
tls_seen_key(const void *owner, const struct stack_st_X509 *sent,
	struct tls_seen_key *out)
{
	const EVP_MD *sha256 = tls_digest_sha256();
	unsigned char digests[SENT_MAX][sizeof out->digest];
	int n = sk_X509_num(sent);

	/* -1 for NULL. */
	if (n < 1 || n > SENT_MAX)
		return false;
	for (int i = 0; i < n; i++) {
		if (X509_digest(sk_X509_value(sent, i), sha256, digests[i],
			    NULL) != 1)
			return false;
	}
	out->owner = owner;
	return EVP_Digest(digests, (size_t)n * sizeof digests[0], out->digest,
		       NULL, sha256, NULL) == 1;
}

static struct entry *
set_of(struct tls_seen *seen, const struct tls_seen_key *key)
{
	size_t number = (size_t)key->digest[0] << 8 | key->digest[1];

	return seen->entries[number % N_SETS];
}

static struct entry *
find(struct tls_seen *seen, const struct tls_seen_key *key)
{
	struct entry *set = set_of(seen, key);

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].chain != NULL && set[i].key.owner == key->owner &&
			memcmp(set[i].key.digest, key->digest,
				sizeof key->digest) == 0)
			return &set[i];
	}
	return NULL;
}

struct stack_st_X509 *
tls_seen_find(
	struct tls_seen *seen, const struct tls_seen_key *key, int64_t unix_s)
{
	struct entry *entry = find(seen, key);

	if (entry == NULL)
		return NULL;
	if (unix_s < entry->from_s || unix_s >= entry->until_s) {
		drop(seen, entry);
		return NULL;
	}
	entry->used = ++seen->clock;
	return entry->chain;
}

/* Free places were used never. */
static struct entry *
longest_unused(struct entry *set)
{
	struct entry *found = &set[0];

	for (size_t i = 1; i < WAYS; i++) {
		if (set[i].used < found->used)
			found = &set[i];
	}
	return found;
}

void
tls_seen_add(struct tls_seen *seen, const struct tls_seen_key *key,
	struct stack_st_X509 *chain, int64_t unix_s, int64_t until_s)
{
	struct entry *entry = find(seen, key);

	if (entry == NULL)
		entry = longest_unused(set_of(seen, key));
	drop(seen, entry);
	if (until_s > unix_s + TLS_SEEN_LIFE_S)
		until_s = unix_s + TLS_SEEN_LIFE_S;
	*entry = (struct entry){.key = *key,
		.chain = chain,
		.from_s = unix_s,
		.until_s = until_s,
		.used = ++seen->clock};
	seen->count++;
}

void
tls_seen_forget(struct tls_seen *seen, const void *owner)
{
	if (seen->count > 0)
		drop_all(seen, owner);
}

size_t
tls_seen_count(const struct tls_seen *seen)
{
	return seen->count;
}
