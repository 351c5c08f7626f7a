#pragma once

#include <stdbool.h>
#include <stddef.h>

struct error;
struct text_list;

/* The disk, for file_source. Errors are plain words without the path. */

/*
 * One regular file, whole, as one malloc'd block that ends with an extra NUL.
 * Cannot hang (a FIFO) nor be talked into reading a device. With PRIVATE a
 * file that others may read or write is refused. More than LIMIT bytes is an
 * error.
 */
int disk_file_read(const char *path, bool private, size_t limit,
	char **bytes_out, size_t *len_out, struct error *err);

/* Adds the names in directory PATH but "." and "..", sorted by bytes, to
 * NAMES. */
int disk_file_list(
	const char *path, struct text_list *names, struct error *err);

/*
 * A descriptor that appends to PATH, made with mode 0600 if it is not there.
 * For secrets: refuses a symbolic link, what is no regular file, and a file
 * that somebody else owns or may read.
 */
int disk_file_append(const char *path, struct error *err);

bool disk_file_is_missing(const char *path);

/* The same for a PATH where nothing is, without making it: a descriptor whose
 * bytes are lost, or the error that making it would meet. */
int disk_file_try_append(const char *path, struct error *err);
