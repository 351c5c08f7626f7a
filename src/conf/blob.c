#include "config.h"

#include "conf/blob.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void
reserve(struct blob *blob, size_t more)
{
	size_t size = blob->size == 0 ? 512 : blob->size;
	char *bytes;

	if (more <= blob->size - blob->len)
		return;
	while (size - blob->len < more)
		size *= 2;
	/* Not realloc: it would leave a secret behind in the old block. */
	bytes = xcalloc(1, size);
	if (blob->len > 0)
		memcpy(bytes, blob->bytes, blob->len);
	mem_wipe(blob->bytes, blob->len);
	free(blob->bytes);
	blob->bytes = bytes;
	blob->size = size;
}

static void
append(struct blob *blob, const void *bytes, size_t len)
{
	reserve(blob, len);
	if (len > 0)
		memcpy(blob->bytes + blob->len, bytes, len);
	blob->len += len;
}

void
blob_put_u32(struct blob *blob, uint32_t value)
{
	append(blob, &value, sizeof value);
}

void
blob_put_bytes(struct blob *blob, const void *bytes, size_t len)
{
	assert(len <= UINT32_MAX);

	blob_put_u32(blob, (uint32_t)len);
	append(blob, bytes, len);
}

void
blob_put_text(struct blob *blob, const char *text)
{
	blob_put_bytes(blob, text, strlen(text));
}

void
blob_done(struct blob *blob)
{
	mem_wipe(blob->bytes, blob->len);
	free(blob->bytes);
	*blob = (struct blob){0};
}

static const char *
take(struct blob_reader *reader, size_t len)
{
	const char *bytes = reader->next;

	if (reader->bad || len > reader->left) {
		reader->bad = true;
		return NULL;
	}
	reader->next += len;
	reader->left -= len;
	return bytes;
}

uint32_t
blob_get_u32(struct blob_reader *reader)
{
	uint32_t value = 0;
	const char *bytes = take(reader, sizeof value);

	if (bytes != NULL)
		memcpy(&value, bytes, sizeof value);
	return value;
}

const char *
blob_get_bytes(struct blob_reader *reader, size_t *len_out)
{
	size_t len = blob_get_u32(reader);
	const char *bytes = take(reader, len);

	*len_out = bytes == NULL ? 0 : len;
	return bytes == NULL ? "" : bytes;
}

char *
blob_get_text(struct blob_reader *reader)
{
	size_t len = 0;
	const char *bytes = blob_get_bytes(reader, &len);

	if (memchr(bytes, '\0', len) != NULL) {
		reader->bad = true;
		len = 0;
	}
	return xstrndup(bytes, len);
}
