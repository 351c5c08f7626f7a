#pragma once

#include <stddef.h>

/*
 * Memory for starts and reloads: these die (one line to stderr, abort) where
 * calloc would return NULL. What a peer can cause uses plain calloc.
 * Results are owned by the caller and freed with free().
 */
void *xcalloc(size_t n, size_t size);
void *xreallocarray(void *old, size_t n, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t len);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Zeroes BYTES in a way that the compiler keeps. NULL with 0 is allowed. */
void mem_wipe(void *bytes, size_t len);

/*
 * Gives free memory back to the system: after much was freed, because malloc
 * keeps what lies between other things. Takes as long as there is to give back,
 * some 2 ms for each 10 MiB.
 */
void mem_give_back(void);
