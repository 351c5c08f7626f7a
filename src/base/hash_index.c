/* From a key to its place in somebody's array. */
#include "base/hash_index.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

#define FIRST_SLOTS 16

struct hash_slot {
	uint64_t hash;
	size_t taken; /* 0: free; else the place and one */
};

/* FNV-1a, 64 bits */
static uint64_t
hash(const void *key, size_t len)
{
	const unsigned char *bytes = key;
	uint64_t value = 0xcbf29ce484222325U;

	for (size_t i = 0; i < len; i++) {
		value ^= bytes[i];
		value *= 0x100000001b3U;
	}
	return value;
}

static void
put(struct hash_index *index, const struct hash_slot *slot)
{
	size_t at = (size_t)slot->hash & (index->n_slots - 1);

	while (index->slots[at].taken != 0)
		at = (at + 1) & (index->n_slots - 1);
	index->slots[at] = *slot;
}

static void
grow(struct hash_index *index)
{
	struct hash_index larger = {.n = index->n};

	larger.n_slots = index->n_slots == 0 ? FIRST_SLOTS : index->n_slots * 2;
	larger.slots = xcalloc(larger.n_slots, sizeof *larger.slots);
	for (size_t i = 0; i < index->n_slots; i++) {
		if (index->slots[i].taken != 0)
			put(&larger, &index->slots[i]);
	}
	free(index->slots);
	*index = larger;
}

void
hash_index_add(
	struct hash_index *index, const void *key, size_t len, size_t place)
{
	const struct hash_slot slot = {hash(key, len), place + 1};

	assert(place != HASH_INDEX_NONE);
	if ((index->n + 1) * 2 > index->n_slots)
		grow(index);
	put(index, &slot);
	index->n++;
}

size_t
hash_index_find(const struct hash_index *index, const void *key, size_t len,
	hash_index_same_fn same, const void *arg)
{
	uint64_t wanted = hash(key, len);

	for (size_t at = (size_t)wanted; index->n_slots > 0; at++) {
		const struct hash_slot *slot =
			&index->slots[at & (index->n_slots - 1)];

		if (slot->taken == 0)
			break;
		if (slot->hash == wanted && same(slot->taken - 1, arg))
			return slot->taken - 1;
	}
	return HASH_INDEX_NONE;
}

void
hash_index_done(struct hash_index *index)
{
	free(index->slots);
	*index = (struct hash_index){0};
}
