#include "config.h"

#include "conf/settings.h"

#include <stdlib.h>

#include "base/mem.h"
#include "conf/file_source.h"
#include "conf/hash_link.h"

/* Whom the files of a section are named to. */
struct visit {
	struct file_source *source;
	settings_file_fn visitor;
	void *arg;
};

static void
visit_file(const struct visit *visit, const char *path, enum file_kind kind)
{
	if (path != NULL)
		visit->visitor(path, kind, visit->arg);
}

static void
visit_all(const struct visit *visit, const struct text_list *paths,
	enum file_kind kind)
{
	for (size_t i = 0; i < paths->n; i++)
		visit_file(visit, paths->items[i], kind);
}

char *
settings_hash_link(const char *capath, const char *name)
{
	if (hash_link_of(name) == HASH_LINK_NONE)
		return NULL;
	return xasprintf("%s/%s", capath, name);
}

const char *
settings_default_cafile(void)
{
	return FILE_SOURCE_DEFAULT_CERTS;
}

static void
visit_dir(const struct visit *visit, const char *dir)
{
	const struct text_list *names;

	if (file_source_read_dir(visit->source, dir, &names, NULL) < 0)
		return;
	for (size_t i = 0; i < names->n; i++) {
		char *path = settings_hash_link(dir, names->items[i]);

		visit_file(visit, path, FILE_PUBLIC);
		free(path);
	}
}

void
settings_visit_files(const struct tls_settings *tls, struct file_source *source,
	settings_file_fn visitor, void *arg)
{
	const struct visit visit = {source, visitor, arg};

	visit_all(&visit, &tls->certfile, FILE_PUBLIC);
	visit_all(&visit, tls->keyfile.n > 0 ? &tls->keyfile : &tls->certfile,
		FILE_SECRET);
	visit_file(&visit, tls->password_file, FILE_SECRET);
	visit_all(&visit, &tls->cafile, FILE_PUBLIC);
	if (tls->capath != NULL)
		visit_dir(&visit, tls->capath);
	if (tls->load_default_certs)
		visit_file(&visit, settings_default_cafile(), FILE_PUBLIC);
	visit_all(&visit, &tls->crlfile, FILE_PUBLIC);
	visit_file(&visit, tls->ticket_secret_file, FILE_SECRET);
}

static void
ask(const char *path, enum file_kind kind, void *source)
{
	const char *bytes;
	size_t len;

	(void)file_source_read(source, path, kind, &bytes, &len, NULL);
}

static void
read_files(const struct tls_settings *tls, struct file_source *source)
{
	settings_visit_files(tls, source, ask, source);
	if (tls->keylog_filename != NULL)
		(void)file_source_output(source, tls->keylog_filename, NULL);
}

void
settings_read_files(const struct settings *settings, struct file_source *source)
{
	for (size_t i = 0; i < settings->n_listeners; i++) {
		const struct listener_settings *listener =
			&settings->listeners[i];

		read_files(&listener->tls, source);
		for (size_t k = 0; k < listener->n_overlays; k++)
			read_files(&listener->overlays[k].tls, source);
	}
}
