#pragma once

#include <stdbool.h>

struct evp_pkey_st;
struct stack_st_X509;

/*
 * Certificates and keys that were parsed a moment ago, for sections that name
 * the same files: OpenSSL spends most of a context's making on parsing them,
 * and a thousand contexts then share one copy, which OpenSSL counts.
 *
 * Contents are known by where they are, so they must stay there as long as this
 * exists: those of a file source do (file_source.h).
 */
struct tls_parsed;

struct tls_parsed *tls_parsed_new(void);
/* What was handed out lives on. Accepts NULL. */
void tls_parsed_free(struct tls_parsed **parsed);

/* The same piece by piece: false if none is left. PARSED, in use by nobody, is
 * good for nothing else any more. */
bool tls_parsed_free_some(struct tls_parsed *parsed);

/* The one that loaders ask from now on (tls_load.h, tls_key.h), borrowed;
 * NULL, as at first: none, and the functions below do nothing. */
void tls_parsed_use(struct tls_parsed *parsed);

/* The certificates in BYTES, each referenced for the caller, who frees them
 * all; NULL: not known, or without memory. */
struct stack_st_X509 *tls_parsed_certs(const char *bytes);
void tls_parsed_add_certs(const char *bytes, struct stack_st_X509 *certs);

/* The same for the key in BYTES, encrypted or not: who asks has the password
 * file at PASSWORD (NULL: none). */
struct evp_pkey_st *tls_parsed_key(const char *bytes, const char *password);
void tls_parsed_add_key(
	const char *bytes, const char *password, struct evp_pkey_st *key);
