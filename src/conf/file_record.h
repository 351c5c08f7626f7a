#pragma once

struct file_answers;
struct file_place;
struct file_source;
struct text_list;

/*
 * What a file source was asked for, and a fingerprint of each answer: enough
 * to say later whether the files are still what they were, without keeping
 * what is in them. Made by file_source_record(). Const once made.
 *
 * Contents count, and refusals; times and inodes do not. So a file that was
 * touched, or replaced by an equal one, has not changed.
 */
struct file_record;

/* For file_source. Answers that are in no file are left out, and so are files
 * that we write ourselves. */
struct file_record *file_record_new(
	const struct file_answers *answers, const struct file_place *place);
void file_record_free(struct file_record **record);

/* Adds every path on disk that was looked at, there or not: files, and the
 * directories that were listed. */
void file_record_paths(
	const struct file_record *record, struct text_list *paths);

/*
 * Asks NOW, a source from disk that has not been asked yet, the same again,
 * and adds to CHANGED what it answers differently: as written in the
 * configuration, each once, and load_default_certs for the system's CAs.
 */
void file_record_compare(const struct file_record *record,
	struct file_source *now, struct text_list *changed);
