#pragma once

#include <stdbool.h>

struct ssl_ctx_st;

/*
 * TLS contexts of a server before anything is said to them.
 *
 * OpenSSL before 3.2 copies what its provider knows of key exchange groups,
 * some fifty of them, into each context: 5 of the 13 KB that one takes, and
 * there is one for each server name that has a certificate of its own. But a
 * server that names no groups agrees to ten of them only, so a context gets to
 * hear of these, as long as the process has just OpenSSL's default provider
 * (tls_plain.h). All else is as SSL_CTX_new(3) makes it. What tells them takes
 * 250 KB in each process that makes contexts, once.
 */

/* For tls_init(); once is enough. Nothing is said about failures: contexts
 * then know all groups. */
void tls_blank_init(void);

/* NAMES_GROUPS: there will be groups set on it, any that the library has.
 * NULL, and a reason in OpenSSL's queue, if there is none to be had. */
struct ssl_ctx_st *tls_blank_new(bool names_groups);
