#pragma once

#include <stdbool.h>

struct file_source;
struct listener_settings;
struct report;
struct ssl_ctx_st;

/*
 * One server-side SSL_CTX, built from one section's settings: what
 * ssl.SSLContext(PROTOCOL_TLS_SERVER) is in Python. Const once built and
 * counted: a generation holds one reference, each connection that was born in
 * it another.
 */
struct tls_ctx;

/* Initialises OpenSSL for this process: loads openssl.cnf and the error
 * texts, so that nothing of it needs a file later. Call before confining. */
void tls_init(void);

/* "OpenSSL 3.0.22 25 Aug 2026": of the library that runs. */
const char *tls_library_version(void);

/*
 * Every finding, with its place, goes to REPORT; NULL when one of them is an
 * error. Certificates, keys and CAs come from FILES; no other file is read.
 * Never prompts for a password.
 */
struct tls_ctx *tls_ctx_new(const struct listener_settings *listener,
	struct file_source *files, struct report *report);

struct tls_ctx *tls_ctx_ref(struct tls_ctx *ctx);
void tls_ctx_unref(struct tls_ctx **ctx);

/* Borrowed; for tls/ only. */
struct ssl_ctx_st *tls_ctx_ssl(struct tls_ctx *ctx);
