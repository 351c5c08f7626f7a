#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_index.h"
#include "conf/file_source.h"

struct blob;
struct blob_reader;
struct text_list;

/*
 * What a file source was asked for and what it answered; for conf/ only.
 * Packed into a blob and back without knowing where an answer came from.
 */
enum answer_type {
	ANSWER_FILE,  /* bytes */
	ANSWER_DIR,   /* names */
	ANSWER_OUTPUT /* refusals only: descriptors travel by themselves */
};

struct file_answer {
	enum answer_type type;
	enum file_kind kind;
	char *path;
	char *bytes; /* NUL terminated beyond LEN */
	size_t len;
	struct text_list *names;
	char *error; /* NULL: the rest counts */
};

/* Zero-initialised is empty. */
struct file_answers {
	struct file_answer *items;
	size_t n;
	size_t size;               /* of items */
	struct hash_index by_path; /* of whatever type and kind */
};

/* Wipes secrets. */
void file_answers_done(struct file_answers *answers);

/* The same piece by piece: false if none is left. Nobody finds anything any
 * more. */
bool file_answers_free_last(struct file_answers *answers);

/* Valid until the next one is added; what it points to stays. */
struct file_answer *file_answers_add(struct file_answers *answers,
	enum answer_type type, enum file_kind kind, const char *path);

/* NULL: not asked for yet. */
struct file_answer *file_answers_find(const struct file_answers *answers,
	enum answer_type type, enum file_kind kind, const char *path);

/* A copy of BYTES as the contents of ANSWER, in place of what was there. */
void file_answer_set(struct file_answer *answer, const void *bytes, size_t len);

/* All of KIND. */
void file_answers_put(const struct file_answers *answers, enum file_kind kind,
	struct blob *blob);

/* How many were put there; READER says whether it was bad. */
uint32_t file_answers_get_count(
	enum file_kind kind, struct blob_reader *reader);

/* Adds the next one of them; READER says whether it was bad. */
void file_answers_get_one(struct file_answers *answers, enum file_kind kind,
	struct blob_reader *reader);
