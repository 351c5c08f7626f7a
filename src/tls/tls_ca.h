#pragma once

struct file_source;
struct listener_settings;
struct report;
struct ssl_ctx_st;

/*
 * cafile: trust anchors for client certificates into SSL_CTX, and their names
 * for the CertificateRequest. Reports every finding with its place; returns 0,
 * or -1 if one was an error: a file that cannot be read or holds none.
 *
 * Warns of a certificate that has expired, that is no CA, or that lacks what
 * strict verification (RFC 5280) demands of a CA, since all its clients will
 * be refused.
 */
int tls_ca_load(struct ssl_ctx_st *ssl_ctx,
	const struct listener_settings *listener, struct file_source *files,
	struct report *report);
