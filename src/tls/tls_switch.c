/* From one context to another in the middle of a handshake. */
#include "tls/tls_switch.h"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "tls/tls_ctx_parts.h"

static void
switch_options(SSL *ssl, SSL_CTX *to)
{
	uint64_t wanted = SSL_CTX_get_options(to);

	(void)SSL_clear_options(ssl, SSL_get_options(ssl) & ~wanted);
	(void)SSL_set_options(ssl, wanted);
}

static bool
switch_versions(SSL *ssl, SSL_CTX *to)
{
	/* The old maximum must not stand in the way of the new minimum. */
	return SSL_set_max_proto_version(ssl, 0) == 1 &&
	       SSL_set_min_proto_version(
		       ssl, (int)SSL_CTX_get_min_proto_version(to)) == 1 &&
	       SSL_set_max_proto_version(
		       ssl, (int)SSL_CTX_get_max_proto_version(to)) == 1;
}

static bool
switch_verification(SSL *ssl, SSL_CTX *to)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	SSL_set_verify(ssl, SSL_CTX_get_verify_mode(to),
		SSL_CTX_get_verify_callback(to));
	/* X509_VERIFY_PARAM_set1() only ever adds flags. */
	(void)X509_VERIFY_PARAM_clear_flags(
		param, X509_VERIFY_PARAM_get_flags(param));
	return X509_VERIFY_PARAM_set1(param, SSL_CTX_get0_param(to)) == 1;
}

/*
 * SSL_set_SSL_CTX() brings certificates, keys, security level, signature
 * algorithms and cipher lists; trust anchors, CA names and the callbacks of
 * ALPN and keylog are asked of the new context from then on. All else was
 * copied into the SSL when it was made.
 */
bool
tls_switch(struct ssl_st *ssl, struct tls_ctx *to)
{
	SSL_CTX *ctx = to->ssl_ctx;

	if (SSL_set_SSL_CTX(ssl, ctx) != ctx)
		return false;
	switch_options(ssl, ctx);
	if (!switch_versions(ssl, ctx) || !switch_verification(ssl, ctx))
		return false;
	/* A server name without groups has a listener without groups. */
	if (to->groups != NULL && SSL_set1_groups_list(ssl, to->groups) != 1)
		return false;
	return SSL_set_num_tickets(ssl, SSL_CTX_get_num_tickets(ctx)) == 1 &&
	       tls_ctx_adopt(to, ssl);
}
