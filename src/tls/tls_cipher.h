#pragma once

struct listener_settings;
struct report;
struct ssl_ctx_st;

/*
 * ciphers (up to TLS 1.2) and ciphersuites (TLS 1.3) of LISTENER into SSL_CTX,
 * whose versions are set. Anonymous, unencrypted and static RSA suites are
 * never among them, whatever the settings say. Returns 0, or -1 after
 * reporting a text that leaves no cipher or an unknown suite.
 */
int tls_cipher_set(struct ssl_ctx_st *ssl_ctx,
	const struct listener_settings *listener, struct report *report);
