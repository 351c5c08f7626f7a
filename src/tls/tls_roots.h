#pragma once

#include <stdbool.h>

struct file_source;
struct listener_settings;
struct x509_st;

/*
 * The CAs that this machine and its configuration know, for a look at our own
 * certificates with a client's eyes. For `sallyport check` only: it opens
 * OpenSSL's default places.
 */
struct tls_roots;

/* With the CAs of this machine. */
struct tls_roots *tls_roots_new(void);
void tls_roots_free(struct tls_roots **roots);

/* Adds those that LISTENER trusts. Reports nothing: what cannot be read is
 * the finding of whoever loads it for use. */
void tls_roots_add(struct tls_roots *roots,
	const struct listener_settings *listener, struct file_source *files);

/* Could all that was named be read? */
bool tls_roots_are_complete(const struct tls_roots *roots);

/* The CA that issued CERT by its names and key identifiers. The caller frees;
 * NULL: none that is known. */
struct x509_st *tls_roots_find_issuer(
	const struct tls_roots *roots, struct x509_st *cert);
