#include "config.h"

#include "conf/file_source.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "conf/blob.h"
#include "conf/default_certs.h"
#include "conf/disk_file.h"
#include "conf/file_answer.h"
#include "conf/file_place.h"
#include "conf/file_record.h"
#include "conf/file_unpacker.h"

enum origin { FROM_DISK, FROM_BUNDLE };

struct output {
	char *path;
	int fd;
};

struct file_source {
	enum origin origin;
	struct file_place place;
	bool has_secrets;
	bool leaves_no_trace;
	struct file_answers answers;
	struct output *outputs;
	size_t n_outputs;
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

	file_place_in(&source->place, base_dir);
	return source;
}

struct file_source *
file_source_beside(const char *conf_path)
{
	struct file_source *source = source_new(FROM_DISK);

	file_place_beside(&source->place, conf_path);
	return source;
}

bool
file_source_free_some(struct file_source *source)
{
	return file_answers_free_last(&source->answers);
}

void
file_source_free(struct file_source **source)
{
	if (*source == NULL)
		return;
	file_answers_done(&(*source)->answers);
	for (size_t i = 0; i < (*source)->n_outputs; i++) {
		fd_close(&(*source)->outputs[i].fd);
		free((*source)->outputs[i].path);
	}
	free((*source)->outputs);
	file_place_done(&(*source)->place);
	free(*source);
	*source = NULL;
}

static int
refuse(const struct file_source *source, enum file_kind kind, struct error *err)
{
	return error_set(err, "%s",
		kind == FILE_SECRET && !source->has_secrets
			? "secrets are kept from this process"
			: "is not in the bundle of files");
}

/* A relative path means what it meant to whoever set the variable. */
static int
read_keylog_variable(char **bytes_out, size_t *len_out, struct error *err)
{
	const char *path = secure_getenv("SSLKEYLOGFILE");
	char *dir;

	if (path == NULL || *path == '\0')
		return error_set(err, "SSLKEYLOGFILE is not set");
	dir = *path == '/' ? NULL : getcwd(NULL, 0);
	*bytes_out =
		dir == NULL ? xstrdup(path) : xasprintf("%s/%s", dir, path);
	*len_out = strlen(*bytes_out);
	free(dir);
	return 0;
}

static int
fetch(const struct file_source *source, const char *path, enum file_kind kind,
	char **bytes_out, size_t *len_out, struct error *err)
{
	char *full;
	int rc;

	if (source->origin == FROM_BUNDLE)
		return refuse(source, kind, err);
	if (strcmp(path, FILE_SOURCE_KEYLOG) == 0)
		return read_keylog_variable(bytes_out, len_out, err);
	if (strcmp(path, FILE_SOURCE_DEFAULT_CERTS) == 0)
		return default_certs_read(
			FILE_SOURCE_MAX, bytes_out, len_out, err);
	full = file_place_find(&source->place, path, err);
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
	const struct file_answer *known =
		file_answers_find(&source->answers, ANSWER_FILE, kind, path);

	if (known == NULL) {
		struct file_answer *answer = file_answers_add(
			&source->answers, ANSWER_FILE, kind, path);
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

static int
list(const struct file_source *source, const char *path,
	struct text_list *names, struct error *err)
{
	char *full;
	int rc;

	if (source->origin == FROM_BUNDLE)
		return refuse(source, FILE_PUBLIC, err);
	full = file_place_find(&source->place, path, err);
	if (full == NULL)
		return -1;
	rc = disk_file_list(full, names, err);
	free(full);
	return rc;
}

int
file_source_read_dir(struct file_source *source, const char *path,
	const struct text_list **names_out, struct error *err)
{
	struct file_answer *answer = file_answers_find(
		&source->answers, ANSWER_DIR, FILE_PUBLIC, path);

	if (answer == NULL) {
		struct error why;

		answer = file_answers_add(
			&source->answers, ANSWER_DIR, FILE_PUBLIC, path);
		answer->names = xcalloc(1, sizeof *answer->names);
		if (list(source, path, answer->names, &why) < 0)
			answer->error = xstrdup(why.text);
	}
	if (answer->error != NULL)
		return error_set(err, "%s", answer->error);
	*names_out = answer->names;
	return 0;
}

void
file_source_add_secret(struct file_source *source, const char *name,
	const void *bytes, size_t len)
{
	struct file_answer *answer = file_answers_find(
		&source->answers, ANSWER_FILE, FILE_SECRET, name);

	if (answer == NULL)
		answer = file_answers_add(
			&source->answers, ANSWER_FILE, FILE_SECRET, name);
	file_answer_set(answer, bytes, len);
}

static struct output *
find_output(const struct file_source *source, const char *path)
{
	for (size_t i = 0; i < source->n_outputs; i++) {
		if (strcmp(source->outputs[i].path, path) == 0)
			return &source->outputs[i];
	}
	return NULL;
}

void
file_source_add_output(struct file_source *source, const char *path, int fd)
{
	struct output *output = find_output(source, path);

	if (output != NULL) {
		fd_close(&output->fd);
		output->fd = fd;
		return;
	}
	source->outputs = xreallocarray(source->outputs, source->n_outputs + 1,
		sizeof *source->outputs);
	source->outputs[source->n_outputs++] =
		(struct output){.path = xstrdup(path), .fd = fd};
}

void
file_source_leave_no_trace(struct file_source *source)
{
	source->leaves_no_trace = true;
}

static int
open_output(
	const struct file_source *source, const char *path, struct error *err)
{
	char *full;
	int fd;

	if (source->origin == FROM_BUNDLE)
		return refuse(source, FILE_PUBLIC, err);
	full = file_place_find(&source->place, path, err);
	if (full == NULL)
		return -1;
	fd = source->leaves_no_trace && disk_file_is_missing(full)
		     ? disk_file_try_append(full, err)
		     : disk_file_append(full, err);
	free(full);
	return fd;
}

int
file_source_output(
	struct file_source *source, const char *path, struct error *err)
{
	const struct output *output = find_output(source, path);
	const struct file_answer *refusal = file_answers_find(
		&source->answers, ANSWER_OUTPUT, FILE_PUBLIC, path);
	struct error why;
	int fd;

	if (output != NULL)
		return output->fd;
	if (refusal != NULL)
		return error_set(err, "%s", refusal->error);
	fd = open_output(source, path, &why);
	if (fd < 0) {
		file_answers_add(
			&source->answers, ANSWER_OUTPUT, FILE_PUBLIC, path)
			->error = xstrdup(why.text);
		return error_set(err, "%s", why.text);
	}
	file_source_add_output(source, path, fd);
	return fd;
}

const char *
file_source_output_at(
	const struct file_source *source, size_t index, int *fd_out)
{
	if (index >= source->n_outputs)
		return NULL;
	*fd_out = source->outputs[index].fd;
	return source->outputs[index].path;
}

struct file_record *
file_source_record(const struct file_source *source)
{
	return file_record_new(&source->answers, &source->place);
}

int
file_source_to_bundle(const struct file_source *source, enum file_kind kind,
	struct error *err)
{
	struct blob blob = {0};
	int fd;

	file_answers_put(&source->answers, kind, &blob);
	if (blob.len > FILE_BUNDLE_MAX)
		fd = error_set(err,
			"all files together are larger than %zu bytes",
			FILE_BUNDLE_MAX);
	else
		fd = fd_sealed_memfd(
			"sallyport-files", blob.bytes, blob.len, err);
	blob_done(&blob);
	return fd;
}

struct file_source *
file_source_of(struct file_answers *answers, bool has_secrets)
{
	struct file_source *source = source_new(FROM_BUNDLE);

	source->answers = *answers;
	source->has_secrets = has_secrets;
	*answers = (struct file_answers){0};
	return source;
}

struct file_source *
file_source_bundle(int public_fd, int secret_fd, struct error *err)
{
	struct file_unpacker *unpacker =
		file_unpacker_new(public_fd, secret_fd);

	while (file_unpacker_step(unpacker))
		continue;
	return file_unpacker_end(&unpacker, err);
}
