#pragma once

#include <stdbool.h>
#include <stddef.h>

struct error;
struct file_answers;
struct file_record;
struct text_list;

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

/* All files of one kind together: in a bundle. */
#define FILE_BUNDLE_MAX ((size_t)256 * 1024 * 1024)

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

/* For file_unpacker.h: one from a bundle that holds these. Takes what is in
 * ANSWERS. */
struct file_source *file_source_of(
	struct file_answers *answers, bool has_secrets);

/* Wipes secrets. Accepts NULL. */
void file_source_free(struct file_source **source);

/* The same piece by piece, for who has others to serve in between: SOURCE is
 * good for nothing any more. False: what is left is for file_source_free(). */
bool file_source_free_some(struct file_source *source);

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

/*
 * The names in directory PATH (hash links of a capath and others alike),
 * sorted. NAMES_OUT is borrowed from SOURCE. Answered and bundled like a file.
 */
int file_source_read_dir(struct file_source *source, const char *path,
	const struct text_list **names_out, struct error *err);

/*
 * Puts a secret into SOURCE that is in no file: it is then read, and bundled,
 * under NAME (which no path of the configuration can be: it starts with '@').
 * Takes the place of one that is there; what was borrowed of that is gone.
 */
void file_source_add_secret(struct file_source *source, const char *name,
	const void *bytes, size_t len);

/* The secret that session tickets are derived from where no
 * ticket_secret_file is set: 32 bytes, made by the supervisor per start. */
#define FILE_SOURCE_TICKET_SECRET "@ticket_secret"

/* Public files that are none, as a source from disk answers them: what the
 * variable SSLKEYLOGFILE says (a path), and all CAs of the system in PEM
 * (default_certs.h). Bundled like others, so that every process has the same.
 */
#define FILE_SOURCE_KEYLOG        "@keylogfile"
#define FILE_SOURCE_DEFAULT_CERTS "@default_certs"

/*
 * A file that is written, for keylog_filename. On disk: opened for appending,
 * made with mode 0600, not through a symbolic link; refused if others may read
 * it or somebody else owns it. From a bundle: what
 * file_source_add_output() gave (takes FD). Returns a descriptor that stays
 * SOURCE's (duplicate it to keep it), or -1 with ERR.
 */
int file_source_output(
	struct file_source *source, const char *path, struct error *err);
void file_source_add_output(
	struct file_source *source, const char *path, int fd);

/* From now on an output that is not on disk yet is not made, only tried: what
 * is written to it is lost. For `sallyport check`. */
void file_source_leave_no_trace(struct file_source *source);

/* The INDEXth output that was asked for and could be opened; NULL beyond the
 * last. Refusals are in the bundle of public files. */
const char *file_source_output_at(
	const struct file_source *source, size_t index, int *fd_out);

/* What a source from disk was asked for so far, to tell later whether it would
 * still answer alike (file_record.h). The caller frees. */
struct file_record *file_source_record(const struct file_source *source);

/* All answers of KIND so far, as a sealed memfd that the caller owns. */
int file_source_to_bundle(const struct file_source *source, enum file_kind kind,
	struct error *err);
