#include "config.h"

#include "conf/default_certs.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "conf/disk_file.h"
#include "conf/hash_link.h"

/* Debian, Alpine, Arch; Fedora; openSUSE. OpenSSL's own default is a directory
 * or a file that most of them do not have. */
static const char *const known_files[] = {
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	NULL,
};

struct pem {
	char *bytes;
	size_t len;
	size_t limit;
};

static int
add_file(struct pem *pem, const char *path, struct error *err)
{
	char *more = NULL;
	size_t len = 0;

	if (disk_file_read(path, false, pem->limit, &more, &len, err) < 0)
		return error_prefix(err, "%s", path);
	if (len >= pem->limit - pem->len) {
		free(more);
		return error_set(err,
			"the CAs of the system take more than "
			"%zu bytes",
			pem->limit);
	}
	/* A newline between the two and a NUL at the end. */
	pem->bytes = xreallocarray(pem->bytes, pem->len + len + 2, 1);
	memcpy(pem->bytes + pem->len, more, len);
	pem->len += len;
	pem->bytes[pem->len++] = '\n';
	pem->bytes[pem->len] = '\0';
	free(more);
	return 0;
}

static int
add_dir(struct pem *pem, const char *dir, struct error *err)
{
	struct text_list names = {0};
	int rc = disk_file_list(dir, &names, err);

	if (rc < 0)
		rc = error_prefix(err, "%s", dir);
	for (size_t i = 0; rc == 0 && i < names.n; i++) {
		char *path;

		if (hash_link_of(names.items[i]) != HASH_LINK_CERT)
			continue;
		path = xasprintf("%s/%s", dir, names.items[i]);
		rc = add_file(pem, path, err);
		free(path);
	}
	text_list_done(&names);
	return rc;
}

static int
add_dirs(struct pem *pem, const char *dirs, struct error *err)
{
	char *copy = xstrdup(dirs);
	char *rest = copy;
	int rc = 0;

	for (char *dir; rc == 0 && (dir = strsep(&rest, ":")) != NULL;) {
		if (*dir != '\0')
			rc = add_dir(pem, dir, err);
	}
	free(copy);
	return rc;
}

static const char *
variable(const char *name)
{
	const char *value = secure_getenv(name);

	return value == NULL || *value == '\0' ? NULL : value;
}

static const char *
known_file(void)
{
	size_t i = 0;

	while (known_files[i] != NULL && access(known_files[i], R_OK) < 0)
		i++;
	return known_files[i];
}

static int
add_all(struct pem *pem, struct error *err)
{
	const char *file = variable("SSL_CERT_FILE");
	const char *dirs = variable("SSL_CERT_DIR");

	if (file == NULL && dirs == NULL)
		file = known_file();
	if (file == NULL && dirs == NULL)
		return error_set(err, "this system has no file of CAs; "
				      "SSL_CERT_FILE may name one");
	if (file != NULL && add_file(pem, file, err) < 0)
		return -1;
	if (dirs != NULL && add_dirs(pem, dirs, err) < 0)
		return -1;
	return pem->len > 0 ? 0
			    : error_set(err, "%s: holds no hash links", dirs);
}

int
default_certs_read(
	size_t limit, char **bytes_out, size_t *len_out, struct error *err)
{
	struct pem pem = {.limit = limit};

	if (add_all(&pem, err) < 0) {
		free(pem.bytes);
		return -1;
	}
	*bytes_out = pem.bytes;
	*len_out = pem.len;
	return 0;
}

static void
dir_paths(const char *dir, struct text_list *paths)
{
	struct text_list names = {0};

	text_list_add(paths, dir);
	(void)disk_file_list(dir, &names, NULL);
	for (size_t i = 0; i < names.n; i++) {
		char *path;

		if (hash_link_of(names.items[i]) != HASH_LINK_CERT)
			continue;
		path = xasprintf("%s/%s", dir, names.items[i]);
		text_list_add(paths, path);
		free(path);
	}
	text_list_done(&names);
}

void
default_certs_paths(struct text_list *paths)
{
	const char *file = variable("SSL_CERT_FILE");
	const char *dirs = variable("SSL_CERT_DIR");
	char *copy = dirs == NULL ? NULL : xstrdup(dirs);
	char *rest = copy;

	if (file != NULL)
		text_list_add(paths, file);
	for (char *dir; (dir = strsep(&rest, ":")) != NULL;) {
		if (*dir != '\0')
			dir_paths(dir, paths);
	}
	for (size_t i = 0; known_files[i] != NULL; i++) {
		if (file == NULL && dirs == NULL)
			text_list_add(paths, known_files[i]);
	}
	free(copy);
}
