#pragma once

#include <stdint.h>

struct file_source;
struct listener_settings;
struct policy_rules;

#define TLS_ENTRANCE_SIZE 32

/*
 * Who may come in, as far as a context decides it, in a form that can be
 * compared: two contexts with the same digest admit the same clients, so that
 * whoever was admitted by the one may come back to the other.
 */
struct tls_entrance {
	unsigned char digest[TLS_ENTRANCE_SIZE];
	unsigned char terms[TLS_ENTRANCE_SIZE]; /* all of it but the names */
	int64_t until_s; /* since the epoch: when the first CRL expires */
};

/*
 * The digest covers the names of LISTENER, all keys about versions, ciphers
 * and verification, RULES, and the contents of all CA and CRL files. The same
 * in every process and on every machine. Returns 0, or -1 without memory.
 */
int tls_entrance_digest(struct tls_entrance *entrance,
	const struct listener_settings *listener,
	const struct policy_rules *rules, struct file_source *files);

/* The same terms under the names of another LISTENER. Returns 0, or -1 without
 * memory. */
int tls_entrance_rename(struct tls_entrance *entrance,
	const struct listener_settings *listener);
