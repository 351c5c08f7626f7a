#pragma once

#include <stdbool.h>

#include "tls/tls_digest.h"

struct file_source;
struct listener_settings;
struct tls_recipe_taker;

/*
 * What a context is made of, in a form that can be compared: all options of a
 * section, whoever it has them from, and the contents of every file that they
 * name; not what it is called itself. Two sections with one recipe get the same
 * SSL_CTX (tls_ctx.h), apart from what the clock says and from files that are
 * written to.
 *
 * It may cover too much, and then a context is made anew without need; never
 * too little. So options are taken from the table, and files from the list by
 * which the supervisor packs them: what is not in there no worker can read.
 */
struct tls_recipe {
	unsigned char digest[TLS_DIGEST_SIZE];
};

/* Takes recipes from FILES (borrowed), each file digested once. */
struct tls_recipe_taker *tls_recipe_taker_new(struct file_source *files);
void tls_recipe_taker_free(struct tls_recipe_taker **taker);

/* False without memory, or when a file cannot be read. */
bool tls_recipe_take(struct tls_recipe_taker *taker,
	const struct listener_settings *section, struct tls_recipe *out);
