#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A run of numbers and strings in one block of memory, for what the rooms of
 * this level hand to another process of ours through a memfd. Host byte order
 * (same machine, same binary). A reader treats its input as hostile.
 *
 * Zero-initialised is empty; blob_done() wipes, because secrets travel so.
 */
struct blob {
	char *bytes;
	size_t len;
	size_t size; /* of the allocation */
};

void blob_put_u32(struct blob *blob, uint32_t value);
/* A length and LEN bytes (less than 4 GiB). */
void blob_put_bytes(struct blob *blob, const void *bytes, size_t len);
void blob_put_text(struct blob *blob, const char *text);
void blob_done(struct blob *blob);

/* Borrows the bytes it reads. Once BAD, everything else yields 0 and "". */
struct blob_reader {
	const char *next;
	size_t left;
	bool bad;
};

uint32_t blob_get_u32(struct blob_reader *reader);
/* Borrowed, not terminated. */
const char *blob_get_bytes(struct blob_reader *reader, size_t *len_out);
/* A copy that the caller frees; never NULL. A NUL inside makes it bad. */
char *blob_get_text(struct blob_reader *reader);
