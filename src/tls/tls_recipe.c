/* What a context is made of, as one digest. */
#include "tls/tls_recipe.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash_index.h"
#include "base/mem.h"
#include "conf/file_source.h"
#include "conf/options.h"
#include "conf/settings.h"

/* A file that was digested; its contents stay where they are. */
struct known_file {
	const char *bytes;
	unsigned char digest[TLS_DIGEST_SIZE];
};

struct tls_recipe_taker {
	struct file_source *files;
	struct known_file *known;
	size_t n, size;
	struct hash_index by_bytes;
};

/* One recipe being taken. */
struct taking {
	struct tls_recipe_taker *taker;
	struct tls_digest *digest;
};

struct tls_recipe_taker *
tls_recipe_taker_new(struct file_source *files)
{
	struct tls_recipe_taker *taker = xcalloc(1, sizeof *taker);

	taker->files = files;
	return taker;
}

void
tls_recipe_taker_free(struct tls_recipe_taker **taker)
{
	struct tls_recipe_taker *gone = *taker;

	*taker = NULL;
	if (gone == NULL)
		return;
	/* Those of short passwords could be guessed from. */
	mem_wipe(gone->known, gone->n * sizeof *gone->known);
	free(gone->known);
	hash_index_done(&gone->by_bytes);
	free(gone);
}

/* ---- files ---- */

struct wanted {
	const struct tls_recipe_taker *taker;
	const char *bytes;
};

static bool
is_wanted(size_t place, const void *arg)
{
	const struct wanted *wanted = arg;

	return wanted->taker->known[place].bytes == wanted->bytes;
}

static struct known_file *
add_known(struct tls_recipe_taker *taker, const char *bytes)
{
	struct known_file *known;

	if (taker->n == taker->size) {
		taker->size = taker->size == 0 ? 16 : taker->size * 2;
		taker->known = xreallocarray(
			taker->known, taker->size, sizeof *taker->known);
	}
	hash_index_add(&taker->by_bytes, &bytes, sizeof bytes, taker->n);
	known = &taker->known[taker->n++];
	*known = (struct known_file){.bytes = bytes};
	return known;
}

/* NULL: cannot be digested. Valid until the next call. */
static const struct known_file *
know_file(struct tls_recipe_taker *taker, const char *bytes, size_t len)
{
	const struct wanted wanted = {taker, bytes};
	size_t place = hash_index_find(
		&taker->by_bytes, &bytes, sizeof bytes, is_wanted, &wanted);
	unsigned char made[TLS_DIGEST_SIZE];
	struct tls_digest *digest;
	struct known_file *known;

	if (place != HASH_INDEX_NONE)
		return &taker->known[place];
	digest = tls_digest_new();
	tls_digest_bytes(digest, bytes, len);
	if (!tls_digest_end(&digest, made))
		return NULL;
	known = add_known(taker, bytes);
	memcpy(known->digest, made, sizeof made);
	return known;
}

static void
add_file(const char *path, enum file_kind kind, void *arg)
{
	const struct taking *taking = arg;
	const struct known_file *known = NULL;
	const char *bytes;
	size_t len;

	if (file_source_read(
		    taking->taker->files, path, kind, &bytes, &len, NULL) == 0)
		known = know_file(taking->taker, bytes, len);
	if (known == NULL) {
		tls_digest_fail(taking->digest);
		return;
	}
	tls_digest_text(taking->digest, path);
	tls_digest_number(taking->digest, (uint64_t)kind);
	tls_digest_bytes(taking->digest, known->digest, sizeof known->digest);
}

/* That of this start; `sallyport check` has none. */
static void
add_ticket_secret(struct taking *taking)
{
	const char *bytes;
	size_t len;
	bool is_there = file_source_read(taking->taker->files,
				FILE_SOURCE_TICKET_SECRET, FILE_SECRET, &bytes,
				&len, NULL) == 0;

	tls_digest_number(taking->digest, is_there);
	if (is_there)
		tls_digest_bytes(taking->digest, bytes, len);
}

/* ---- options ---- */

/* Every one has its place: a recipe is compared within one process, where the
 * table is always the same. */
static void
add_option(struct tls_digest *digest, const struct option *option,
	const struct listener_settings *section)
{
	const void *field = (const char *)section + option->offset;

	switch (option->type) {
	case OPT_BOOL:
		tls_digest_number(digest, *(const bool *)field);
		return;
	case OPT_INT:
		tls_digest_number(digest, (uint64_t) * (const int64_t *)field);
		return;
	case OPT_CHOICE:
		tls_digest_number(digest, (uint64_t) * (const int *)field);
		return;
	case OPT_DURATION_MS:
	case OPT_FLAGS:
	case OPT_SET:
		tls_digest_number(digest, *(const uint64_t *)field);
		return;
	case OPT_TEXT:
	case OPT_SECRET:
	case OPT_PATH:
	case OPT_COLON_LIST:
	case OPT_PEM:
		tls_digest_text(digest, *(char *const *)field);
		return;
	case OPT_PATH_LIST:
	case OPT_SECRET_LIST:
	case OPT_WORD_LIST:
	case OPT_NAME_LIST:
	case OPT_RULE_LIST:
	case OPT_RULE_TEXT:
	case OPT_SERIAL_LIST:
		tls_digest_list(digest, field);
		return;
	case OPT_CIDR_LIST:
	case OPT_LISTEN_LIST:
	case OPT_BACKEND:
		return; /* TLS knows no addresses */
	}
}

/* Whichever of them the section names. */
static void
add_policies(struct tls_digest *digest, const struct listener_settings *section)
{
	size_t n = section->rules.authorize.n > 0 ? section->n_policies : 0;

	tls_digest_number(digest, n);
	for (size_t i = 0; i < n; i++) {
		const struct policy_settings *policy = &section->policies[i];

		tls_digest_text(digest, policy->name);
		for (size_t k = 0; k < RULE_N_KINDS; k++)
			tls_digest_list(digest, &policy->allow[k]);
	}
}

bool
tls_recipe_take(struct tls_recipe_taker *taker,
	const struct listener_settings *section, struct tls_recipe *out)
{
	struct taking taking = {taker, tls_digest_new()};

	for (const struct option *o = listener_options; o->name != NULL; o++)
		add_option(taking.digest, o, section);
	add_policies(taking.digest, section);
	add_ticket_secret(&taking);
	settings_visit_files(&section->tls, taker->files, add_file, &taking);
	return tls_digest_end(&taking.digest, out->digest);
}
