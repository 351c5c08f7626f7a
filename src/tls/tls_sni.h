#pragma once

#include <stdbool.h>
#include <stddef.h>

struct tls_ctx;

/*
 * Server names of one listener -> TLS context (RFC 6066 section 3). Exact
 * names go before wildcards ("*.example.com": exactly one label in its place,
 * never the bare domain), letter case does not count, one trailing dot is
 * ignored. Lookup costs the same for ten names and for ten thousand. Pure: no
 * OpenSSL.
 */
struct tls_sni;

struct tls_sni *tls_sni_new(void);
void tls_sni_free(struct tls_sni **sni); /* unrefs the contexts */

/* References CTX. False if NAME is there already, or can be no name: empty,
 * or longer than DNS allows. */
bool tls_sni_add(struct tls_sni *sni, const char *name, struct tls_ctx *ctx);

/* LEN bytes as the client sent them: may hold anything. NULL: none fits. */
struct tls_ctx *tls_sni_find(
	const struct tls_sni *sni, const char *name, size_t len);
