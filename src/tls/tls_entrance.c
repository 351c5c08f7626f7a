/* Everything that decides who may come in, as one digest. */
#include "tls/tls_entrance.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "authz/policy.h"
#include "conf/file_source.h"
#include "conf/settings.h"

/* A change of what is digested, or how, changes this. */
#define FORMAT "sallyport entrance 1"

/* The first failure sticks. */
struct digest {
	EVP_MD_CTX *md;
	struct file_source *files;
	bool failed;
};

/* Big-endian: one digest on all machines of a fleet. */
static void
add_number(struct digest *digest, uint64_t number)
{
	unsigned char bytes[8];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(number >> (56 - 8 * i));
	if (EVP_DigestUpdate(digest->md, bytes, sizeof bytes) != 1)
		digest->failed = true;
}

/* With its length, so that no two lists of values look alike. */
static void
add_bytes(struct digest *digest, const void *bytes, size_t len)
{
	add_number(digest, len);
	if (EVP_DigestUpdate(digest->md, bytes, len) != 1)
		digest->failed = true;
}

static void
add_text(struct digest *digest, const char *text)
{
	add_number(digest, text != NULL);
	if (text != NULL)
		add_bytes(digest, text, strlen(text));
}

static void
add_list(struct digest *digest, const struct text_list *list)
{
	add_number(digest, list->n);
	for (size_t i = 0; i < list->n; i++)
		add_text(digest, list->items[i]);
}

/* What cannot be read was reported by whoever loaded it. */
static void
add_file(struct digest *digest, const char *path)
{
	const char *bytes;
	size_t len;

	if (file_source_read(
		    digest->files, path, FILE_PUBLIC, &bytes, &len, NULL) == 0)
		add_bytes(digest, bytes, len);
}

static void
add_files(struct digest *digest, const struct text_list *paths)
{
	add_number(digest, paths->n);
	for (size_t i = 0; i < paths->n; i++)
		add_file(digest, paths->items[i]);
}

static void
add_capath(struct digest *digest, const char *capath)
{
	const struct text_list *names;

	add_number(digest, capath != NULL);
	if (capath == NULL ||
		file_source_read_dir(digest->files, capath, &names, NULL) < 0)
		return;
	for (size_t i = 0; i < names->n; i++) {
		char *path = settings_hash_link(capath, names->items[i]);

		if (path == NULL)
			continue;
		add_text(digest, names->items[i]);
		add_file(digest, path);
		free(path);
	}
}

static void
add_keys(struct digest *digest, const struct tls_settings *tls)
{
	add_number(digest, (uint64_t)tls->verify_mode);
	add_number(digest, tls->verify_flags);
	add_number(digest, (uint64_t)tls->crl_check);
	add_number(digest, (uint64_t)tls->minimum_version);
	add_number(digest, (uint64_t)tls->maximum_version);
	add_text(digest, tls->ciphers);
	add_text(digest, tls->ciphersuites);
	add_text(digest, tls->groups);
}

static void
add_authorities(struct digest *digest, const struct tls_settings *tls)
{
	add_files(digest, &tls->cafile);
	add_capath(digest, tls->capath);
	add_text(digest, tls->cadata);
	add_number(digest, tls->load_default_certs);
	if (tls->load_default_certs)
		add_file(digest, settings_default_cafile());
	add_files(digest, &tls->crlfile);
}

static void
add_rules(struct digest *digest, const struct policy_rules *rules)
{
	char *text = policy_rules_text(rules);

	if (text == NULL)
		digest->failed = true;
	add_text(digest, text);
	free(text);
}

int
tls_entrance_digest(struct tls_entrance *entrance,
	const struct listener_settings *listener,
	const struct policy_rules *rules, struct file_source *files)
{
	struct digest digest = {.md = EVP_MD_CTX_new(), .files = files};

	if (digest.md == NULL)
		return -1;
	if (EVP_DigestInit_ex(digest.md, EVP_sha256(), NULL) != 1)
		digest.failed = true;
	add_text(&digest, FORMAT);
	add_text(&digest, listener->name);
	add_list(&digest, &listener->server_names);
	add_keys(&digest, &listener->tls);
	add_authorities(&digest, &listener->tls);
	add_rules(&digest, rules);
	if (EVP_DigestFinal_ex(digest.md, entrance->digest, NULL) != 1)
		digest.failed = true;
	EVP_MD_CTX_free(digest.md);
	return digest.failed ? -1 : 0;
}
