#include "config.h"

#include "conf/file_answer.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "conf/blob.h"

static const uint32_t magic[] = {
	[FILE_PUBLIC] = 0x32627570U,
	[FILE_SECRET] = 0x32636573U,
};

static void
forget_bytes(struct file_answer *answer)
{
	if (answer->kind == FILE_SECRET)
		mem_wipe(answer->bytes, answer->len);
	free(answer->bytes);
	answer->bytes = NULL;
	answer->len = 0;
}

static void
answer_done(struct file_answer *answer)
{
	forget_bytes(answer);
	if (answer->names != NULL)
		text_list_done(answer->names);
	free(answer->names);
	free(answer->path);
	free(answer->error);
}

bool
file_answers_free_last(struct file_answers *answers)
{
	if (answers->n == 0)
		return false;
	answer_done(&answers->items[--answers->n]);
	return true;
}

void
file_answers_done(struct file_answers *answers)
{
	while (file_answers_free_last(answers))
		continue;
	free(answers->items);
	hash_index_done(&answers->by_path);
	*answers = (struct file_answers){0};
}

struct file_answer *
file_answers_add(struct file_answers *answers, enum answer_type type,
	enum file_kind kind, const char *path)
{
	struct file_answer *answer;

	if (answers->n == answers->size) {
		answers->size = answers->size == 0 ? 16 : answers->size * 2;
		answers->items = xreallocarray(
			answers->items, answers->size, sizeof *answers->items);
	}
	hash_index_add(&answers->by_path, path, strlen(path), answers->n);
	answer = &answers->items[answers->n++];
	*answer = (struct file_answer){
		.type = type, .kind = kind, .path = xstrdup(path)};
	return answer;
}

/* What is looked for. */
struct wanted {
	const struct file_answers *answers;
	enum answer_type type;
	enum file_kind kind;
	const char *path;
};

static bool
is_wanted(size_t place, const void *arg)
{
	const struct wanted *wanted = arg;
	const struct file_answer *answer = &wanted->answers->items[place];

	return answer->type == wanted->type && answer->kind == wanted->kind &&
	       strcmp(answer->path, wanted->path) == 0;
}

struct file_answer *
file_answers_find(const struct file_answers *answers, enum answer_type type,
	enum file_kind kind, const char *path)
{
	const struct wanted wanted = {answers, type, kind, path};
	size_t place = hash_index_find(
		&answers->by_path, path, strlen(path), is_wanted, &wanted);

	return place == HASH_INDEX_NONE ? NULL : &answers->items[place];
}

void
file_answer_set(struct file_answer *answer, const void *bytes, size_t len)
{
	forget_bytes(answer);
	free(answer->error);
	answer->error = NULL;
	answer->bytes = xcalloc(1, len + 1);
	if (len > 0)
		memcpy(answer->bytes, bytes, len);
	answer->len = len;
}

static void
put_names(struct blob *blob, const struct text_list *names)
{
	blob_put_u32(blob, (uint32_t)names->n);
	for (size_t i = 0; i < names->n; i++)
		blob_put_text(blob, names->items[i]);
}

/* Type, path, whether it was refused, and the contents or the error. */
static void
put_answer(struct blob *blob, const struct file_answer *answer)
{
	blob_put_u32(blob, answer->type);
	blob_put_text(blob, answer->path);
	blob_put_u32(blob, answer->error != NULL);
	if (answer->error != NULL)
		blob_put_text(blob, answer->error);
	else if (answer->names != NULL)
		put_names(blob, answer->names);
	else
		blob_put_bytes(blob, answer->bytes, answer->len);
}

void
file_answers_put(const struct file_answers *answers, enum file_kind kind,
	struct blob *blob)
{
	uint32_t n = 0;

	for (size_t i = 0; i < answers->n; i++)
		n += answers->items[i].kind == kind;
	blob_put_u32(blob, magic[kind]);
	blob_put_u32(blob, n);
	for (size_t i = 0; i < answers->n; i++) {
		if (answers->items[i].kind == kind)
			put_answer(blob, &answers->items[i]);
	}
}

static void
get_names(struct file_answer *answer, struct blob_reader *reader)
{
	uint32_t n = blob_get_u32(reader);

	answer->names = xcalloc(1, sizeof *answer->names);
	for (uint32_t i = 0; i < n && !reader->bad; i++) {
		char *name = blob_get_text(reader);

		text_list_add(answer->names, name);
		free(name);
	}
}

static void
get_bytes(struct file_answer *answer, struct blob_reader *reader)
{
	size_t len = 0;
	const char *bytes = blob_get_bytes(reader, &len);

	if (len > FILE_SOURCE_MAX) {
		reader->bad = true;
		len = 0;
	}
	file_answer_set(answer, bytes, len);
}

void
file_answers_get_one(struct file_answers *answers, enum file_kind kind,
	struct blob_reader *reader)
{
	uint32_t type = blob_get_u32(reader);
	char *path = blob_get_text(reader);
	uint32_t is_refused = blob_get_u32(reader);
	struct file_answer *answer =
		file_answers_add(answers, ANSWER_FILE, kind, path);

	free(path);
	if (is_refused > 1 || type > ANSWER_OUTPUT ||
		(type == ANSWER_OUTPUT && is_refused == 0))
		reader->bad = true;
	else
		answer->type = (enum answer_type)type;
	if (is_refused == 1)
		answer->error = blob_get_text(reader);
	else if (answer->type == ANSWER_DIR)
		get_names(answer, reader);
	else
		get_bytes(answer, reader);
}

uint32_t
file_answers_get_count(enum file_kind kind, struct blob_reader *reader)
{
	if (blob_get_u32(reader) != magic[kind])
		reader->bad = true;
	return blob_get_u32(reader);
}
