#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * `sallyport authorize`: would this certificate get in, by which rule, or why
 * not? Asked of the configuration, without a connection, as the user who calls
 * it.
 */
#define AUTHORIZE_CHAIN_MAX 16

struct authorize_options {
	const char *path;
	const char *listener;
	const char *server_name; /* that the client asks for; NULL: none */
	const char *cert;        /* PEM: its own one, then its chain */
	const char *chain[AUTHORIZE_CHAIN_MAX]; /* PEM: what it sends, too */
	size_t n_chain;
	bool json; /* the verdict as one JSON object */
};

/*
 * Prints the verdict on stdout. Returns the exit status: 0 allowed, 1 refused,
 * or no verdict for what stderr then says: a configuration with errors, a file
 * that cannot be read. (JSON: findings of a configuration are on stdout as
 * `check` prints them.)
 */
int authorize_main(const struct authorize_options *options);
