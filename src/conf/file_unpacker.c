/* From bundles to the files in them. */
#include "config.h"

#include "conf/file_unpacker.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/mem.h"
#include "conf/blob.h"
#include "conf/file_answer.h"
#include "conf/file_source.h"

/* The public bundle, then the secret one. */
#define BUNDLES 2

struct file_unpacker {
	struct file_answers answers;
	int fds[BUNDLES];
	unsigned at; /* the bundle at hand */
	bool failed;
	struct error why;
	/* Of that one: */
	char *bytes; /* NULL: not read yet */
	size_t len;
	struct blob_reader reader;
	uint32_t n_left; /* files */
};

struct file_unpacker *
file_unpacker_new(int public_fd, int secret_fd)
{
	struct file_unpacker *unpacker = xcalloc(1, sizeof *unpacker);

	unpacker->fds[FILE_PUBLIC] = public_fd;
	unpacker->fds[FILE_SECRET] = secret_fd;
	return unpacker;
}

static void
forget_bytes(struct file_unpacker *unpacker)
{
	mem_wipe(unpacker->bytes, unpacker->len);
	free(unpacker->bytes);
	unpacker->bytes = NULL;
	unpacker->len = 0;
}

static bool
read_bundle(struct file_unpacker *unpacker)
{
	if (fd_read_all(unpacker->fds[unpacker->at], FILE_BUNDLE_MAX,
		    &unpacker->bytes, &unpacker->len, &unpacker->why) < 0) {
		unpacker->failed = true;
		return false;
	}
	unpacker->reader = (struct blob_reader){
		.next = unpacker->bytes, .left = unpacker->len};
	unpacker->n_left = file_answers_get_count(
		(enum file_kind)unpacker->at, &unpacker->reader);
	return true;
}

/* Is there another one to be read? */
static bool
end_bundle(struct file_unpacker *unpacker)
{
	const struct blob_reader *reader = &unpacker->reader;

	if (reader->bad || reader->left > 0) {
		unpacker->failed = true;
		(void)error_set(
			&unpacker->why, "the bundle of files is damaged");
		return false;
	}
	forget_bytes(unpacker);
	unpacker->at++;
	return unpacker->at < BUNDLES && unpacker->fds[unpacker->at] >= 0;
}

bool
file_unpacker_step(struct file_unpacker *unpacker)
{
	if (unpacker->failed)
		return false;
	if (unpacker->bytes == NULL)
		return read_bundle(unpacker);
	if (unpacker->n_left == 0 || unpacker->reader.bad)
		return end_bundle(unpacker);
	unpacker->n_left--;
	file_answers_get_one(&unpacker->answers, (enum file_kind)unpacker->at,
		&unpacker->reader);
	return true;
}

struct file_source *
file_unpacker_end(struct file_unpacker **unpacker, struct error *err)
{
	struct file_unpacker *gone = *unpacker;
	bool has_secrets = gone->fds[FILE_SECRET] >= 0;
	struct file_source *source = NULL;

	*unpacker = NULL;
	if (gone->failed)
		(void)error_set(err, "%s", gone->why.text);
	else if (gone->at <= (has_secrets ? FILE_SECRET : FILE_PUBLIC))
		(void)error_set(err, "the bundle of files was not read");
	else
		source = file_source_of(&gone->answers, has_secrets);
	file_answers_done(&gone->answers);
	forget_bytes(gone);
	free(gone);
	return source;
}
