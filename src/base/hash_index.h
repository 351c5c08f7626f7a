#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * From a key to a number, in the same time for ten keys and for ten thousand.
 * Whoever uses it has the keys in an array of its own and compares them; the
 * numbers are the places in that array. Zero-initialised is empty.
 *
 * The keys are from whoever writes the configuration, so the hash needs no
 * secret.
 */
struct hash_index {
	struct hash_slot *slots; /* open addressing, at most half full */
	size_t n_slots;          /* a power of two */
	size_t n;
};

#define HASH_INDEX_NONE SIZE_MAX

/* Is the key at PLACE the one that ARG describes? */
typedef bool (*hash_index_same_fn)(size_t place, const void *arg);

/* Nothing is compared: the same key may have several places. */
void hash_index_add(
	struct hash_index *index, const void *key, size_t len, size_t place);

/* A place that was added for KEY and that SAME agrees to; HASH_INDEX_NONE if
 * there is none. */
size_t hash_index_find(const struct hash_index *index, const void *key,
	size_t len, hash_index_same_fn same, const void *arg);

/* It is empty afterwards. */
void hash_index_done(struct hash_index *index);
