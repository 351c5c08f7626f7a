#include "config.h"

#include "conf/file_source.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "conf/blob.h"
#include "conf/disk_file.h"

#define BUNDLE_BYTES_MAX  ((size_t)256 * 1024 * 1024)
#define CREDENTIAL_PREFIX "credential:"

enum origin { FROM_DISK, FROM_BUNDLE };

struct answer {
	enum file_kind kind;
	char *path;
	char *bytes;
	size_t len;
	char *error; /* NULL: bytes count */
};

struct file_source {
	enum origin origin;
	char *base_dir;
	char *conf_path; /* NULL: none is special */
	bool has_secrets;
	struct answer *answers;
	size_t n;
};

static const uint32_t bundle_magic[] = {
	[FILE_PUBLIC] = 0x31627570U,
	[FILE_SECRET] = 0x31636573U,
};

static struct file_source *
source_new(enum origin origin)
{
	struct file_source *source = xcalloc(1, sizeof *source);

	source->origin = origin;
	source->has_secrets = origin == FROM_DISK;
	return source;
}

struct file_source *
file_source_disk(const char *base_dir)
{
	struct file_source *source = source_new(FROM_DISK);

	source->base_dir = xstrdup(base_dir);
	return source;
}

struct file_source *
file_source_beside(const char *conf_path)
{
	struct file_source *source = source_new(FROM_DISK);
	const char *slash = strrchr(conf_path, '/');

	source->conf_path = xstrdup(conf_path);
	if (slash == NULL)
		source->base_dir = xstrdup(".");
	else
		source->base_dir =
			xstrndup(conf_path, (size_t)(slash - conf_path) + 1);
	return source;
}

static void
answer_done(struct answer *answer)
{
	if (answer->kind == FILE_SECRET)
		mem_wipe(answer->bytes, answer->len);
	free(answer->bytes);
	free(answer->path);
	free(answer->error);
}

void
file_source_free(struct file_source **source)
{
	if (*source == NULL)
		return;
	for (size_t i = 0; i < (*source)->n; i++)
		answer_done(&(*source)->answers[i]);
	free((*source)->answers);
	free((*source)->base_dir);
	free((*source)->conf_path);
	free(*source);
	*source = NULL;
}

/* Valid until the next one is added; what it points to stays. */
static struct answer *
add_answer(struct file_source *source, enum file_kind kind, char *path)
{
	struct answer *answer;

	source->answers = xreallocarray(
		source->answers, source->n + 1, sizeof *source->answers);
	answer = &source->answers[source->n++];
	*answer = (struct answer){.kind = kind, .path = path};
	return answer;
}

static const struct answer *
find_answer(
	const struct file_source *source, enum file_kind kind, const char *path)
{
	for (size_t i = 0; i < source->n; i++) {
		const struct answer *answer = &source->answers[i];

		if (answer->kind == kind && strcmp(answer->path, path) == 0)
			return answer;
	}
	return NULL;
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

/* Where PATH is on the disk; the caller frees. */
static char *
disk_path(const struct file_source *source, const char *path, struct error *err)
{
	if (text_starts_with(path, CREDENTIAL_PREFIX))
		return credential_path(path + strlen(CREDENTIAL_PREFIX), err);
	if (source->conf_path != NULL && strcmp(path, source->conf_path) == 0)
		return xstrdup(path);
	if (path[0] == '/')
		return xstrdup(path);
	return xasprintf("%s/%s", source->base_dir, path);
}

static int
fetch(const struct file_source *source, const char *path, enum file_kind kind,
	char **bytes_out, size_t *len_out, struct error *err)
{
	char *full;
	int rc;

	if (source->origin == FROM_BUNDLE)
		return error_set(
			err, kind == FILE_SECRET && !source->has_secrets
				     ? "secrets are kept from this process"
				     : "is not in the bundle of files");
	full = disk_path(source, path, err);
	if (full == NULL)
		return -1;
	rc = disk_file_read(full, kind == FILE_SECRET, FILE_SOURCE_MAX,
		bytes_out, len_out, err);
	free(full);
	return rc;
}

int
file_source_read(struct file_source *source, const char *path,
	enum file_kind kind, const char **bytes_out, size_t *len_out,
	struct error *err)
{
	const struct answer *known = find_answer(source, kind, path);

	if (known == NULL) {
		struct answer *answer = add_answer(source, kind, xstrdup(path));
		struct error why;

		if (fetch(source, path, kind, &answer->bytes, &answer->len,
			    &why) < 0)
			answer->error = xstrdup(why.text);
		known = answer;
	}
	if (known->error != NULL)
		return error_set(err, "%s", known->error);
	*bytes_out = known->bytes;
	*len_out = known->len;
	return 0;
}

/* A count, and for each: path, whether it was refused, and the contents or
 * the error text. */
int
file_source_to_bundle(const struct file_source *source, enum file_kind kind,
	struct error *err)
{
	struct blob blob = {0};
	uint32_t n = 0;
	int fd;

	for (size_t i = 0; i < source->n; i++)
		n += source->answers[i].kind == kind;
	blob_put_u32(&blob, bundle_magic[kind]);
	blob_put_u32(&blob, n);
	for (size_t i = 0; i < source->n; i++) {
		const struct answer *a = &source->answers[i];

		if (a->kind != kind)
			continue;
		blob_put_text(&blob, a->path);
		blob_put_u32(&blob, a->error != NULL);
		if (a->error != NULL)
			blob_put_text(&blob, a->error);
		else
			blob_put_bytes(&blob, a->bytes, a->len);
	}
	if (blob.len > BUNDLE_BYTES_MAX)
		fd = error_set(err,
			"all files together are larger than %zu bytes",
			BUNDLE_BYTES_MAX);
	else
		fd = fd_sealed_memfd(
			"sallyport-files", blob.bytes, blob.len, err);
	blob_done(&blob);
	return fd;
}

static char *
copy_contents(const char *bytes, size_t len)
{
	char *copy = xcalloc(1, len + 1);

	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

static void
get_answer(struct file_source *source, enum file_kind kind,
	struct blob_reader *reader)
{
	struct answer *answer = add_answer(source, kind, blob_get_text(reader));
	uint32_t is_refused = blob_get_u32(reader);
	const char *bytes;

	if (is_refused > 1)
		reader->bad = true;
	if (is_refused == 1) {
		answer->error = blob_get_text(reader);
		return;
	}
	bytes = blob_get_bytes(reader, &answer->len);
	if (answer->len > FILE_SOURCE_MAX) {
		reader->bad = true;
		answer->len = 0;
	}
	answer->bytes = copy_contents(bytes, answer->len);
}

static int
unpack(struct file_source *source, enum file_kind kind, int fd,
	struct error *err)
{
	struct blob_reader reader = {0};
	char *bytes = NULL;
	size_t len = 0;
	uint32_t n;
	int rc = 0;

	if (fd_read_all(fd, BUNDLE_BYTES_MAX, &bytes, &len, err) < 0)
		return -1;
	reader.next = bytes;
	reader.left = len;
	if (blob_get_u32(&reader) != bundle_magic[kind])
		reader.bad = true;
	n = blob_get_u32(&reader);
	for (uint32_t i = 0; i < n && !reader.bad; i++)
		get_answer(source, kind, &reader);
	if (reader.bad || reader.left > 0)
		rc = error_set(err, "the bundle of files is damaged");
	mem_wipe(bytes, len);
	free(bytes);
	return rc;
}

struct file_source *
file_source_bundle(int public_fd, int secret_fd, struct error *err)
{
	struct file_source *source = source_new(FROM_BUNDLE);

	source->has_secrets = secret_fd >= 0;
	if (unpack(source, FILE_PUBLIC, public_fd, err) < 0)
		goto fail;
	if (secret_fd >= 0 && unpack(source, FILE_SECRET, secret_fd, err) < 0)
		goto fail;
	return source;

fail:
	file_source_free(&source);
	return NULL;
}
