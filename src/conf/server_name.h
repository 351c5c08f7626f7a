#pragma once

#include <stdbool.h>

struct error;

/* The names that clients ask for (server name indication, RFC 6066), as the
 * configuration has them. Pure. */

/* Longest name of the DNS, with its NUL. */
#define SERVER_NAME_SIZE 254

/*
 * TEXT in lower case and without a trailing dot to OUT: labels of letters,
 * digits and inner hyphens, or "*" in place of the first of at least three.
 * -1 with ERR, and OUT as it was, for anything else.
 */
int server_name_parse(
	const char *text, char out[SERVER_NAME_SIZE], struct error *err);

/* Is NAME an IPv4 address? Clients send no name for one. */
bool server_name_is_address(const char *name);

/* Does WILDCARD stand for NAME? Both as server_name_parse() gives them. */
bool server_name_covers(const char *wildcard, const char *name);
