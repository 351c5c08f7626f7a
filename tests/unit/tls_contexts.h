#pragma once

#include <openssl/ssl.h>

#include "tls_fixture.h"

/* Contexts of several listeners beside each other, for tests. */
struct tls_ctx;

/* The context of a [listener NAME] that says LINES; it must be possible. Files
 * are read anew, and those in the directory of IT are meant. */
struct tls_ctx *context_make(
	struct fixture *it, const char *name, const char *lines);

/* There is none, and TEXT is among the findings. */
void context_fails(struct fixture *it, const char *lines, const char *text);

/* There is one, and TEXT is among the findings. */
void context_warns(struct fixture *it, const char *lines, const char *text);

/* There is one, and nothing was found. */
void context_is_fine(struct fixture *it, const char *lines);

/* A secret for tickets in secret.bin; every text makes another one. */
void context_write_secret(struct fixture *it, const char *text);
