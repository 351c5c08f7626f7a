#pragma once

#include <stdint.h>

struct file_source;
struct listener_settings;
struct report;
struct ssl_ctx_st;

/* Soon, in seconds: when less is left than this, and less than a quarter of its
 * life, for some are made anew every day. */
#define TLS_CRL_SOON_S ((int64_t)14 * 24 * 60 * 60)

/*
 * crlfile, and the CRLs that are in capath: what the CAs of SSL_CTX, which
 * have been loaded, have revoked. Reports every finding with its place; errors
 * are files that cannot be read. Warns of a CRL that has expired, is not yet
 * valid or soon due, that none of the CAs signed, and of a CA without one
 * while crl_check wants it, since its clients will be refused.
 *
 * *UNTIL_OUT: when the first of those that are now in force expires, in
 * seconds since the epoch; INT64_MAX where nothing expires or is checked.
 * Returns 0, or -1 after reporting an error.
 */
int tls_crl_load(struct ssl_ctx_st *ssl_ctx, int64_t *until_out,
	const struct listener_settings *listener, struct file_source *files,
	struct report *report);
