#pragma once

#include <stdbool.h>

struct error;
struct file_source;

/* Takes apart what file_source_to_bundle() made, file by file, for who has
 * others to serve in between: file_source_bundle() in pieces. */
struct file_unpacker;

/* The descriptors, which are borrowed; SECRET_FD may be -1. */
struct file_unpacker *file_unpacker_new(int public_fd, int secret_fd);

/* One file more, or reads what is to be taken apart; false: there is no more,
 * or it is damaged. */
bool file_unpacker_step(struct file_unpacker *unpacker);

/* The source with all files, the caller's; NULL and ERR if that was not the
 * end yet, or cannot be had. Wipes what is left. */
struct file_source *file_unpacker_end(
	struct file_unpacker **unpacker, struct error *err);
