#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ssl_st;

/*
 * What was agreed on in a handshake, in the words that the PROXY protocol
 * uses (section 2.2.7): sig_alg, key_alg and sig_scheme are those of our own
 * certificate and signature, the certificate is the client's.
 */
#define TLS_DESCRIBE_NAME_MAX 48

struct tls_description {
	const char *version; /* borrowed; NULL: unknown, here and below */
	const char *cipher;
	const char *group;
	const char *sig_scheme;
	const char *sig_alg;                 /* "ecdsa-with-SHA256" */
	char key_alg[TLS_DESCRIBE_NAME_MAX]; /* "EC256", "RSA2048"; "" */
	const uint8_t *alpn;                 /* borrowed */
	size_t alpn_len;
	uint8_t *cert_der; /* owned; NULL without a client certificate */
	size_t cert_der_len;
	bool is_resumed;
};

/* Never fails: what cannot be found out stays unknown. */
void tls_describe(struct ssl_st *ssl, struct tls_description *out);

/* Frees what OUT owns. */
void tls_description_done(struct tls_description *out);
