#pragma once

#include <stdbool.h>
#include <stddef.h>

struct error;

/*
 * One regular file from the disk, whole, as one malloc'd block that ends with
 * an extra NUL. Cannot hang (a FIFO) nor be talked into reading a device.
 * With PRIVATE a file that others may read or write is refused. More than
 * LIMIT bytes is an error. Errors are plain words without the path.
 */
int disk_file_read(const char *path, bool private, size_t limit,
	char **bytes_out, size_t *len_out, struct error *err);
