#include "config.h"

#include "conf/settings.h"

#include <stdlib.h>

#include "base/mem.h"
#include "conf/file_source.h"
#include "conf/hash_link.h"

static void
ask(struct file_source *source, const char *path, enum file_kind kind)
{
	const char *bytes;
	size_t len;

	if (path != NULL)
		(void)file_source_read(source, path, kind, &bytes, &len, NULL);
}

static void
ask_all(struct file_source *source, const struct text_list *paths,
	enum file_kind kind)
{
	for (size_t i = 0; i < paths->n; i++)
		ask(source, paths->items[i], kind);
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
ask_dir(struct file_source *source, const char *dir)
{
	const struct text_list *names;

	if (file_source_read_dir(source, dir, &names, NULL) < 0)
		return;
	for (size_t i = 0; i < names->n; i++) {
		char *path = settings_hash_link(dir, names->items[i]);

		ask(source, path, FILE_PUBLIC);
		free(path);
	}
}

static void
read_files(const struct tls_settings *tls, struct file_source *source)
{
	ask_all(source, &tls->certfile, FILE_PUBLIC);
	ask_all(source, tls->keyfile.n > 0 ? &tls->keyfile : &tls->certfile,
		FILE_SECRET);
	ask(source, tls->password_file, FILE_SECRET);
	ask_all(source, &tls->cafile, FILE_PUBLIC);
	if (tls->capath != NULL)
		ask_dir(source, tls->capath);
	if (tls->load_default_certs)
		ask(source, settings_default_cafile(), FILE_PUBLIC);
	ask_all(source, &tls->crlfile, FILE_PUBLIC);
	ask(source, tls->ticket_secret_file, FILE_SECRET);
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
