#pragma once

struct file_source;
struct listener_settings;
struct report;
struct ssl_ctx_st;

/*
 * certfile and keyfile: loads each pair (leaf first, then its chain) into
 * SSL_CTX. Reports every finding with its place; returns 0, or -1 if one was
 * an error: a file that cannot be read, a key that does not match, a second
 * pair of one kind of key, a key that the security level refuses.
 *
 * Only warnings, so that a daemon can always be started again: expired, not
 * yet valid, soon to expire, an extendedKeyUsage without serverAuth, a chain
 * whose certificates did not sign each other in order.
 */
int tls_cert_load_pairs(struct ssl_ctx_st *ssl_ctx,
	const struct listener_settings *listener, struct file_source *files,
	struct report *report);
