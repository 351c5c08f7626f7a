#pragma once

#include <stddef.h>

struct listener_settings;
struct report;
struct ssl_ctx_st;

/* alpn_protocols as TLS writes them: each after a byte with its length.
 * Zero-initialised is none. */
struct tls_alpn {
	unsigned char *wire;
	unsigned len;
};

/*
 * Takes the protocols of LISTENER into ALPN and makes SSL_CTX choose among
 * them: the first of ours that the client offers. A client that offers none of
 * them is refused with no_application_protocol; one that does not know ALPN is
 * not asked. ALPN must live as long as SSL_CTX. Returns 0, or -1 after
 * reporting a name that is too long.
 */
int tls_alpn_set(struct ssl_ctx_st *ssl_ctx, struct tls_alpn *alpn,
	const struct listener_settings *listener, struct report *report);
void tls_alpn_done(struct tls_alpn *alpn);
