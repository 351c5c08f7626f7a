#include "config.h"

#include "conf/file_record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "conf/default_certs.h"
#include "conf/file_answer.h"
#include "conf/file_place.h"
#include "conf/file_source.h"
#include "conf/hash_link.h"

struct entry {
	enum answer_type type;
	enum file_kind kind;
	char *path; /* as written */
	char *full; /* NULL: several, of the system's CAs */
	uint64_t print;
};

struct file_record {
	struct entry *entries;
	size_t n;
};

/* FNV-1a, 64 bits: against accidents. Whoever can choose what is in these
 * files needs no collision. */
#define FNV_START 0xcbf29ce484222325U
#define FNV_PRIME 0x100000001b3U

static uint64_t
mix(uint64_t print, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		print = (print ^ (uint8_t)bytes[i]) * FNV_PRIME;
	return print;
}

static uint64_t
print_file(const char *bytes, size_t len)
{
	return mix(FNV_START, bytes, len);
}

/* Different from that of a file which holds just this text. */
static uint64_t
print_refusal(const char *text)
{
	return ~mix(FNV_START, text, strlen(text));
}

/* Nobody reads the other files of a capath. */
static uint64_t
print_names(const struct text_list *names)
{
	uint64_t print = FNV_START;

	for (size_t i = 0; i < names->n; i++) {
		if (hash_link_of(names->items[i]) != HASH_LINK_NONE)
			print = mix(print, names->items[i],
				strlen(names->items[i]) + 1);
	}
	return print;
}

static uint64_t
print_answer(const struct file_answer *answer)
{
	if (answer->error != NULL)
		return print_refusal(answer->error);
	if (answer->type == ANSWER_DIR)
		return print_names(answer->names);
	return print_file(answer->bytes, answer->len);
}

static void
add(struct file_record *record, const struct file_answer *answer,
	const struct file_place *place)
{
	bool is_system = strcmp(answer->path, FILE_SOURCE_DEFAULT_CERTS) == 0;
	char *full = file_place_find(place, answer->path, NULL);

	if (answer->type == ANSWER_OUTPUT || (full == NULL && !is_system)) {
		free(full);
		return;
	}
	record->entries = xreallocarray(
		record->entries, record->n + 1, sizeof *record->entries);
	record->entries[record->n++] = (struct entry){
		.type = answer->type,
		.kind = answer->kind,
		.path = xstrdup(answer->path),
		.full = full,
		.print = print_answer(answer),
	};
}

struct file_record *
file_record_new(
	const struct file_answers *answers, const struct file_place *place)
{
	struct file_record *record = xcalloc(1, sizeof *record);

	for (size_t i = 0; i < answers->n; i++)
		add(record, &answers->items[i], place);
	return record;
}

void
file_record_free(struct file_record **record)
{
	if (*record == NULL)
		return;
	for (size_t i = 0; i < (*record)->n; i++) {
		free((*record)->entries[i].path);
		free((*record)->entries[i].full);
	}
	free((*record)->entries);
	free(*record);
	*record = NULL;
}

void
file_record_paths(const struct file_record *record, struct text_list *paths)
{
	for (size_t i = 0; i < record->n; i++) {
		if (record->entries[i].full != NULL)
			text_list_add(paths, record->entries[i].full);
		else
			default_certs_paths(paths);
	}
}

static uint64_t
print_now(const struct entry *entry, struct file_source *now)
{
	const struct text_list *names;
	const char *bytes;
	size_t len;
	struct error err;

	if (entry->type == ANSWER_DIR)
		return file_source_read_dir(now, entry->path, &names, &err) < 0
			       ? print_refusal(err.text)
			       : print_names(names);
	return file_source_read(
		       now, entry->path, entry->kind, &bytes, &len, &err) < 0
		       ? print_refusal(err.text)
		       : print_file(bytes, len);
}

void
file_record_compare(const struct file_record *record, struct file_source *now,
	struct text_list *changed)
{
	for (size_t i = 0; i < record->n; i++) {
		const struct entry *entry = &record->entries[i];
		const char *name = entry->full == NULL ? "load_default_certs"
						       : entry->path;

		if (print_now(entry, now) != entry->print &&
			!text_list_has(changed, name))
			text_list_add(changed, name);
	}
}
