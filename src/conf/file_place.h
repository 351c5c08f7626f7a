#pragma once

struct error;

/*
 * Where the files that a configuration names are on the disk; for conf/ only.
 * Zero-initialised is the working directory.
 */
struct file_place {
	char *base_dir;  /* what relative paths are relative to */
	char *conf_path; /* NULL, or a path that is not */
};

/* The directory that CONF_PATH is in; CONF_PATH itself, as it stands here, is
 * relative to the working directory. */
void file_place_beside(struct file_place *place, const char *conf_path);
void file_place_in(struct file_place *place, const char *base_dir);
void file_place_done(struct file_place *place);

/*
 * PATH as the system wants it; the caller frees. "credential:NAME" is the file
 * NAME in $CREDENTIALS_DIRECTORY. NULL with ERR for what is no path: a bad
 * credential, or one of file_source's own names ('@').
 */
char *file_place_find(
	const struct file_place *place, const char *path, struct error *err);
