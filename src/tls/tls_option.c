/* options and verify_flags as bits of OpenSSL. */
#include "tls/tls_option.h"

#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "conf/settings.h"

/* One of our bits, and OpenSSL's. */
struct bit {
	uint64_t ours;
	uint64_t theirs;
};

static const struct bit option_bits[] = {
	{TLS_OPTION_ALL, SSL_OP_ALL},
	/* Of a client that puts ChaCha20 first the reason is respected: it
	 * has no AES in hardware. */
	{TLS_OPTION_CIPHER_SERVER_PREFERENCE,
		SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA},
	{TLS_OPTION_ENABLE_MIDDLEBOX_COMPAT, SSL_OP_ENABLE_MIDDLEBOX_COMPAT},
	{TLS_OPTION_NO_COMPRESSION, SSL_OP_NO_COMPRESSION},
	{TLS_OPTION_NO_RENEGOTIATION, SSL_OP_NO_RENEGOTIATION},
	{TLS_OPTION_NO_TICKET, SSL_OP_NO_TICKET},
	/* TLS_OPTION_SINGLE_DH_USE and _ECDH_USE: no bits are left of them */
};

static const struct bit verify_bits[] = {
	{TLS_VERIFY_X509_STRICT, X509_V_FLAG_X509_STRICT},
	{TLS_VERIFY_X509_PARTIAL_CHAIN, X509_V_FLAG_PARTIAL_CHAIN},
	{TLS_VERIFY_X509_TRUSTED_FIRST, X509_V_FLAG_TRUSTED_FIRST},
	{TLS_VERIFY_ALLOW_PROXY_CERTS, X509_V_FLAG_ALLOW_PROXY_CERTS},
};

static unsigned long
crl_bits(int crl_check)
{
	switch ((enum crl_check)crl_check) {
	case CRL_CHECK_LEAF:
		return X509_V_FLAG_CRL_CHECK;
	case CRL_CHECK_CHAIN:
		/* OpenSSL looks at the second only beside the first. */
		return X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
	case CRL_CHECK_NONE:
	case CRL_CHECK_AUTO: /* settled when the settings were loaded */
		return 0;
	}
	return 0;
}

static void
set_options(SSL_CTX *ssl_ctx, uint64_t ours)
{
	size_t n = sizeof option_bits / sizeof option_bits[0];

	for (size_t i = 0; i < n; i++) {
		if ((ours & option_bits[i].ours) != 0)
			(void)SSL_CTX_set_options(
				ssl_ctx, option_bits[i].theirs);
		else
			(void)SSL_CTX_clear_options(
				ssl_ctx, option_bits[i].theirs);
	}
}

static void
set_verify_flags(SSL_CTX *ssl_ctx, const struct tls_settings *tls)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ssl_ctx);
	size_t n = sizeof verify_bits / sizeof verify_bits[0];
	unsigned long flags = crl_bits(tls->crl_check);

	for (size_t i = 0; i < n; i++) {
		if ((tls->verify_flags & verify_bits[i].ours) != 0)
			flags |= (unsigned long)verify_bits[i].theirs;
	}
	(void)X509_VERIFY_PARAM_clear_flags(
		param, X509_VERIFY_PARAM_get_flags(param));
	(void)X509_VERIFY_PARAM_set_flags(param, flags);
}

void
tls_option_set(struct ssl_ctx_st *ssl_ctx, const struct tls_settings *tls)
{
	set_options(ssl_ctx, tls->options);
	set_verify_flags(ssl_ctx, tls);
}
