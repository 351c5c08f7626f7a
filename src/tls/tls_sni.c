/* Server names of one listener -> TLS context. */
#include "tls/tls_sni.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tls/tls_ctx.h"

/* The longest name that DNS knows, as text (RFC 1035 section 2.3.4). */
#define NAME_MAX_BYTES 253

/* A power of two. */
#define FIRST_SLOTS 16

struct entry {
	char *name; /* normalised; NULL: the slot is free */
	size_t len;
	struct tls_ctx *ctx;
};

/* A hash table with open addressing, at most half full. Who may put names in
 * is who writes the configuration, so the hash needs no secret. */
struct tls_sni {
	struct entry *slots;
	size_t n_slots;
	size_t n;
};

/* FNV-1a */
static uint64_t
hash(const char *name, size_t len)
{
	uint64_t value = 0xcbf29ce484222325U;

	for (size_t i = 0; i < len; i++) {
		value ^= (unsigned char)name[i];
		value *= 0x100000001b3U;
	}
	return value;
}

/* Not tolower(): it asks the locale. */
static char
to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The length of what is written to OUT; 0 for what cannot be a name. */
static size_t
normalise(const char *name, size_t len, char out[NAME_MAX_BYTES])
{
	if (len > 0 && name[len - 1] == '.')
		len--;
	if (len > NAME_MAX_BYTES)
		return 0;
	for (size_t i = 0; i < len; i++)
		out[i] = to_lower(name[i]);
	return len;
}

/* Where NAME is, or where it would go. */
static struct entry *
slot_of(const struct tls_sni *sni, const char *name, size_t len)
{
	size_t at = (size_t)hash(name, len) & (sni->n_slots - 1);

	while (sni->slots[at].name != NULL &&
		(sni->slots[at].len != len ||
			memcmp(sni->slots[at].name, name, len) != 0))
		at = (at + 1) & (sni->n_slots - 1);
	return &sni->slots[at];
}

static void
grow(struct tls_sni *sni)
{
	struct tls_sni larger = {.n_slots = sni->n_slots * 2, .n = sni->n};

	larger.slots = xcalloc(larger.n_slots, sizeof *larger.slots);
	for (size_t i = 0; i < sni->n_slots; i++) {
		const struct entry *entry = &sni->slots[i];

		if (entry->name != NULL)
			*slot_of(&larger, entry->name, entry->len) = *entry;
	}
	free(sni->slots);
	*sni = larger;
}

struct tls_sni *
tls_sni_new(void)
{
	struct tls_sni *sni = xcalloc(1, sizeof *sni);

	sni->n_slots = FIRST_SLOTS;
	sni->slots = xcalloc(sni->n_slots, sizeof *sni->slots);
	return sni;
}

void
tls_sni_free(struct tls_sni **sni)
{
	struct tls_sni *it = *sni;

	*sni = NULL;
	if (it == NULL)
		return;
	for (size_t i = 0; i < it->n_slots; i++) {
		if (it->slots[i].name == NULL)
			continue;
		free(it->slots[i].name);
		tls_ctx_unref(&it->slots[i].ctx);
	}
	free(it->slots);
	free(it);
}

bool
tls_sni_add(struct tls_sni *sni, const char *name, struct tls_ctx *ctx)
{
	char key[NAME_MAX_BYTES];
	size_t len = normalise(name, strlen(name), key);
	struct entry *entry;

	if (len == 0)
		return false;
	if ((sni->n + 1) * 2 > sni->n_slots)
		grow(sni);
	entry = slot_of(sni, key, len);
	if (entry->name != NULL)
		return false;
	*entry = (struct entry){xstrndup(key, len), len, tls_ctx_ref(ctx)};
	sni->n++;
	return true;
}

/* KEY as "*" and what follows its first label; NULL if no wildcard fits. */
static struct tls_ctx *
find_wildcard(const struct tls_sni *sni, const char *key, size_t len)
{
	char wildcard[NAME_MAX_BYTES + 1];
	const char *dot = memchr(key, '.', len);
	size_t rest;

	if (dot == NULL || dot == key)
		return NULL;
	rest = len - (size_t)(dot - key);
	wildcard[0] = '*';
	memcpy(wildcard + 1, dot, rest);
	return slot_of(sni, wildcard, rest + 1)->ctx;
}

struct tls_ctx *
tls_sni_find(const struct tls_sni *sni, const char *name, size_t len)
{
	char key[NAME_MAX_BYTES];
	const struct entry *entry;

	len = normalise(name, len, key);
	if (len == 0)
		return NULL;
	entry = slot_of(sni, key, len);
	if (entry->name != NULL)
		return entry->ctx;
	return find_wildcard(sni, key, len);
}
