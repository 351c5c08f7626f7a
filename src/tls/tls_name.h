#pragma once

#include <stddef.h>

struct X509_name_st;
struct x509_st;

/*
 * Names of certificates as text that is fit for a log: RFC 4514
 * ("CN=billing,O=Corp"), valid UTF-8, special and control bytes escaped as
 * \XX whatever the certificate holds.
 */

/* The whole name, malloc'd; NULL without memory. An empty name is "". */
char *tls_name_text(const struct X509_name_st *name);

/* The same in OUT, cut at SIZE (at least 4) with "..."; always terminated,
 * empty without memory. */
void tls_name_cut(const struct X509_name_st *name, char *out, size_t size);

/* How messages call a certificate: "CN=localhost", the whole subject where
 * there is no common name, "no subject" where that is empty. */
void tls_name_short(const struct x509_st *cert, char *out, size_t size);
