/* Everything that decides who may come in, as one digest. */
#include "tls/tls_entrance.h"

#include <stddef.h>
#include <stdlib.h>

#include "authz/policy.h"
#include "conf/file_source.h"
#include "conf/settings.h"
#include "tls/tls_digest.h"

/* A change of what is digested, or how, changes this; and so does one of what
 * rules mean, for a session may come from the release before. */
#define FORMAT "sallyport entrance 3"

struct entrance {
	struct tls_digest *digest;
	struct file_source *files;
};

/* What cannot be read was reported by whoever loaded it. */
static void
add_file(struct entrance *it, const char *path)
{
	const char *bytes;
	size_t len;

	if (file_source_read(
		    it->files, path, FILE_PUBLIC, &bytes, &len, NULL) == 0)
		tls_digest_bytes(it->digest, bytes, len);
}

static void
add_files(struct entrance *it, const struct text_list *paths)
{
	tls_digest_number(it->digest, paths->n);
	for (size_t i = 0; i < paths->n; i++)
		add_file(it, paths->items[i]);
}

static void
add_capath(struct entrance *it, const char *capath)
{
	const struct text_list *names;

	tls_digest_number(it->digest, capath != NULL);
	if (capath == NULL ||
		file_source_read_dir(it->files, capath, &names, NULL) < 0)
		return;
	for (size_t i = 0; i < names->n; i++) {
		char *path = settings_hash_link(capath, names->items[i]);

		if (path == NULL)
			continue;
		tls_digest_text(it->digest, names->items[i]);
		add_file(it, path);
		free(path);
	}
}

static void
add_keys(struct entrance *it, const struct tls_settings *tls)
{
	tls_digest_number(it->digest, (uint64_t)tls->verify_mode);
	tls_digest_number(it->digest, tls->verify_flags);
	tls_digest_number(it->digest, (uint64_t)tls->crl_check);
	tls_digest_number(it->digest, (uint64_t)tls->minimum_version);
	tls_digest_number(it->digest, (uint64_t)tls->maximum_version);
	tls_digest_text(it->digest, tls->ciphers);
	tls_digest_text(it->digest, tls->ciphersuites);
	tls_digest_text(it->digest, tls->groups);
}

static void
add_authorities(struct entrance *it, const struct tls_settings *tls)
{
	add_files(it, &tls->cafile);
	add_capath(it, tls->capath);
	tls_digest_text(it->digest, tls->cadata);
	tls_digest_number(it->digest, tls->load_default_certs);
	if (tls->load_default_certs)
		add_file(it, settings_default_cafile());
	add_files(it, &tls->crlfile);
}

static void
add_rules(struct entrance *it, const struct policy_rules *rules)
{
	char *text = policy_rules_text(rules);

	if (text == NULL)
		tls_digest_fail(it->digest);
	tls_digest_text(it->digest, text);
	free(text);
}

int
tls_entrance_rename(
	struct tls_entrance *entrance, const struct listener_settings *listener)
{
	struct tls_digest *digest = tls_digest_new();

	tls_digest_text(digest, FORMAT);
	tls_digest_text(digest, listener->name);
	tls_digest_list(digest, &listener->server_names);
	tls_digest_bytes(digest, entrance->terms, sizeof entrance->terms);
	return tls_digest_end(&digest, entrance->digest) ? 0 : -1;
}

int
tls_entrance_digest(struct tls_entrance *entrance,
	const struct listener_settings *listener,
	const struct policy_rules *rules, struct file_source *files)
{
	struct tls_digest *digest = tls_digest_new();
	struct entrance it = {digest, files};

	add_keys(&it, &listener->tls);
	add_authorities(&it, &listener->tls);
	add_rules(&it, rules);
	if (!tls_digest_end(&digest, entrance->terms))
		return -1;
	return tls_entrance_rename(entrance, listener);
}
