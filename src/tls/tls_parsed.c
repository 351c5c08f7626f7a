/* Certificates and keys that were parsed a moment ago. */
#include "tls/tls_parsed.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/hash_index.h"
#include "base/mem.h"

/* Where contents are. */
struct place {
	const char *bytes;
	const char *password; /* NULL of certificates */
};

/* One of both is NULL. */
struct item {
	struct place place;
	STACK_OF(X509) * certs;
	EVP_PKEY *key;
};

struct tls_parsed {
	struct item *items;
	size_t n, size;
	struct hash_index by_place;
};

static struct tls_parsed *in_use;

struct tls_parsed *
tls_parsed_new(void)
{
	return xcalloc(1, sizeof(struct tls_parsed));
}

bool
tls_parsed_free_some(struct tls_parsed *parsed)
{
	struct item *last;

	if (parsed->n == 0)
		return false;
	last = &parsed->items[--parsed->n];
	sk_X509_pop_free(last->certs, X509_free);
	EVP_PKEY_free(last->key);
	return true;
}

void
tls_parsed_free(struct tls_parsed **parsed)
{
	struct tls_parsed *gone = *parsed;

	*parsed = NULL;
	if (gone == NULL)
		return;
	if (in_use == gone)
		in_use = NULL;
	while (tls_parsed_free_some(gone))
		continue;
	free(gone->items);
	hash_index_done(&gone->by_place);
	free(gone);
}

void
tls_parsed_use(struct tls_parsed *parsed)
{
	in_use = parsed;
}

/* What is looked for. */
struct wanted {
	struct place place;
	bool is_key;
};

static bool
is_wanted(size_t at, const void *arg)
{
	const struct wanted *wanted = arg;
	const struct item *item = &in_use->items[at];

	return item->place.bytes == wanted->place.bytes &&
	       item->place.password == wanted->place.password &&
	       (item->key != NULL) == wanted->is_key;
}

static const struct item *
find(const struct place *place, bool is_key)
{
	const struct wanted wanted = {*place, is_key};
	size_t at;

	if (in_use == NULL)
		return NULL;
	at = hash_index_find(
		&in_use->by_place, place, sizeof *place, is_wanted, &wanted);
	return at == HASH_INDEX_NONE ? NULL : &in_use->items[at];
}

static void
add(const struct item *item)
{
	struct tls_parsed *parsed = in_use;

	if (parsed->n == parsed->size) {
		parsed->size = parsed->size == 0 ? 16 : parsed->size * 2;
		parsed->items = xreallocarray(
			parsed->items, parsed->size, sizeof *parsed->items);
	}
	hash_index_add(
		&parsed->by_place, &item->place, sizeof item->place, parsed->n);
	parsed->items[parsed->n++] = *item;
}

struct stack_st_X509 *
tls_parsed_certs(const char *bytes)
{
	const struct place place = {bytes, NULL};
	const struct item *item = find(&place, false);

	return item == NULL ? NULL : X509_chain_up_ref(item->certs);
}

void
tls_parsed_add_certs(const char *bytes, struct stack_st_X509 *certs)
{
	struct item item = {.place = {bytes, NULL}};

	if (in_use == NULL)
		return;
	item.certs = X509_chain_up_ref(certs);
	if (item.certs != NULL)
		add(&item);
}

struct evp_pkey_st *
tls_parsed_key(const char *bytes, const char *password)
{
	const struct place place = {bytes, password};
	const struct item *item = find(&place, true);

	return item != NULL && EVP_PKEY_up_ref(item->key) == 1 ? item->key
							       : NULL;
}

void
tls_parsed_add_key(
	const char *bytes, const char *password, struct evp_pkey_st *key)
{
	if (in_use != NULL && EVP_PKEY_up_ref(key) == 1)
		add(&(struct item){.place = {bytes, password}, .key = key});
}
