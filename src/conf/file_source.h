#pragma once

#include <stdbool.h>
#include <stddef.h>

struct error;

/*
 * Where the contents of named files come from: the disk (supervisor, check),
 * or a bundle that somebody else has read (workers, which have no files).
 * Both answer alike, errors included, so that the code above does not know.
 *
 * A source remembers every answer, refusals too: asking again gives the same
 * one, and file_source_to_bundle() packs all that was asked for. So the
 * supervisor asks for every file that the settings name and hands the bundle
 * on.
 */
struct file_source;

/* Public files and secret ones travel in two bundles, because a later process
 * (the signer) gets the second and the workers do not. */
enum file_kind {
	FILE_PUBLIC, /* certificates, CAs */
	FILE_SECRET  /* keys, passwords: must not be readable by others */
};

/* Larger files are refused. */
#define FILE_SOURCE_MAX ((size_t)16 * 1024 * 1024)

/* BASE_DIR: what relative paths are relative to (the directory of the
 * configuration file). Copied. */
struct file_source *file_source_disk(const char *base_dir);

/* The same for the directory that CONF_PATH is in; CONF_PATH itself, asked
 * for as it stands here, is relative to the working directory. */
struct file_source *file_source_beside(const char *conf_path);

/*
 * Takes what file_source_to_bundle() made. The descriptors are read and left
 * open. SECRET_FD may be -1: then every secret is answered with an error.
 */
struct file_source *file_source_bundle(
	int public_fd, int secret_fd, struct error *err);

/* Wipes secrets. Accepts NULL. */
void file_source_free(struct file_source **source);

/*
 * The contents of PATH. "credential:NAME" (secrets and files alike) is the
 * file NAME in $CREDENTIALS_DIRECTORY. BYTES_OUT is borrowed from SOURCE, NUL
 * terminated beyond LEN_OUT. Errors: the system's words ("No such file or
 * directory"), not a regular file, too large; for FILE_SECRET on disk also a
 * file that others can read or write (mode & 007). ERR does not name the
 * path: the caller does. PATH is remembered as written: two spellings of one
 * file are two answers.
 */
int file_source_read(struct file_source *source, const char *path,
	enum file_kind kind, const char **bytes_out, size_t *len_out,
	struct error *err);

/* All answers of KIND so far, as a sealed memfd that the caller owns. */
int file_source_to_bundle(const struct file_source *source, enum file_kind kind,
	struct error *err);
