#include "config.h"

#include "conf/file_place.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

#define CREDENTIAL_PREFIX "credential:"

void
file_place_in(struct file_place *place, const char *base_dir)
{
	*place = (struct file_place){.base_dir = xstrdup(base_dir)};
}

void
file_place_beside(struct file_place *place, const char *conf_path)
{
	const char *slash = strrchr(conf_path, '/');

	if (slash == NULL)
		file_place_in(place, ".");
	else
		place->base_dir =
			xstrndup(conf_path, (size_t)(slash - conf_path) + 1);
	place->conf_path = xstrdup(conf_path);
}

void
file_place_done(struct file_place *place)
{
	free(place->base_dir);
	free(place->conf_path);
	*place = (struct file_place){0};
}

static char *
credential_path(const char *name, struct error *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	if (name[0] == '\0' || strchr(name, '/') != NULL ||
		strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		(void)error_set(err, "is not the name of a credential");
		return NULL;
	}
	if (dir == NULL || dir[0] == '\0') {
		(void)error_set(err,
			"CREDENTIALS_DIRECTORY is not set (the service "
			"manager sets it for LoadCredential=)");
		return NULL;
	}
	return xasprintf("%s/%s", dir, name);
}

char *
file_place_find(
	const struct file_place *place, const char *path, struct error *err)
{
	if (path[0] == '@') {
		(void)error_set(err, "is not there");
		return NULL;
	}
	if (text_starts_with(path, CREDENTIAL_PREFIX))
		return credential_path(path + strlen(CREDENTIAL_PREFIX), err);
	if (place->conf_path != NULL && strcmp(path, place->conf_path) == 0)
		return xstrdup(path);
	if (path[0] == '/' || place->base_dir == NULL)
		return xstrdup(path);
	return xasprintf("%s/%s", place->base_dir, path);
}
