#pragma once

struct file_source;
struct listener_settings;
struct report;
struct ssl_ctx_st;

/*
 * cafile, capath, cadata and load_default_certs: trust anchors for client
 * certificates into SSL_CTX and, unless send_ca_names
 * says no, their names for the CertificateRequest (never those of the default
 * certificates). Reports every finding with its place; returns 0, or -1 if one
 * was an error: a file that cannot be read or holds none, a capath without
 * hash links.
 *
 * Warns of a certificate that has expired, that is no CA, or that lacks what
 * verification demands of a CA, since all its clients will be refused; not of
 * the default certificates.
 */
int tls_ca_load(struct ssl_ctx_st *ssl_ctx,
	const struct listener_settings *listener, struct file_source *files,
	struct report *report);
