/* What was agreed on in a handshake. */
#include "tls/tls_describe.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

/* RFC 8446 section 4.2.3, by what OpenSSL calls key and digest. */
static const struct {
	int type, digest;
	const char *name;
} schemes[] = {
	{EVP_PKEY_EC, NID_sha256, "ecdsa_secp256r1_sha256"},
	{EVP_PKEY_EC, NID_sha384, "ecdsa_secp384r1_sha384"},
	{EVP_PKEY_EC, NID_sha512, "ecdsa_secp521r1_sha512"},
	{EVP_PKEY_RSA_PSS, NID_sha256, "rsa_pss_rsae_sha256"},
	{EVP_PKEY_RSA_PSS, NID_sha384, "rsa_pss_rsae_sha384"},
	{EVP_PKEY_RSA_PSS, NID_sha512, "rsa_pss_rsae_sha512"},
	{EVP_PKEY_RSA, NID_sha256, "rsa_pkcs1_sha256"},
	{EVP_PKEY_RSA, NID_sha384, "rsa_pkcs1_sha384"},
	{EVP_PKEY_RSA, NID_sha512, "rsa_pkcs1_sha512"},
	{EVP_PKEY_ED25519, NID_undef, "ed25519"},
	{EVP_PKEY_ED448, NID_undef, "ed448"},
};

/* None in a resumed session: nobody signed anything. */
static const char *
scheme_of(SSL *ssl)
{
	int type = NID_undef, digest = NID_undef;
	size_t i;

	if (SSL_get_signature_type_nid(ssl, &type) != 1)
		return NULL;
	(void)SSL_get_signature_nid(ssl, &digest);
	for (i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
		if (schemes[i].type == type &&
			(schemes[i].digest == digest ||
				schemes[i].digest == NID_undef))
			return schemes[i].name;
	return NULL;
}

static const char *
group_of(SSL *ssl)
{
	long id = SSL_get_negotiated_group(ssl);

	return id <= 0 ? NULL : SSL_group_to_name(ssl, (int)id);
}

static void
describe_own_cert(SSL *ssl, struct tls_description *out)
{
	const X509 *cert = SSL_get_certificate(ssl);
	const EVP_PKEY *key = cert == NULL ? NULL : X509_get0_pubkey(cert);
	const char *type;

	if (cert == NULL)
		return;
	out->sig_alg = OBJ_nid2sn(X509_get_signature_nid(cert));
	type = key == NULL ? NULL : EVP_PKEY_get0_type_name(key);
	if (type != NULL)
		(void)snprintf(out->key_alg, sizeof out->key_alg, "%s%d", type,
			EVP_PKEY_get_bits(key));
}

static void
describe_client_cert(SSL *ssl, struct tls_description *out)
{
	const X509 *cert = SSL_get0_peer_certificate(ssl);
	unsigned char *der = NULL;
	int len = cert == NULL ? -1 : i2d_X509(cert, &der);

	if (len <= 0)
		return;
	out->cert_der = der;
	out->cert_der_len = (size_t)len;
}

void
tls_describe(struct ssl_st *ssl, struct tls_description *out)
{
	unsigned alpn_len = 0;

	memset(out, 0, sizeof *out);
	out->version = SSL_get_version(ssl);
	out->cipher = SSL_CIPHER_get_name(SSL_get_current_cipher(ssl));
	out->group = group_of(ssl);
	out->sig_scheme = scheme_of(ssl);
	out->is_resumed = SSL_session_reused(ssl) == 1;
	SSL_get0_alpn_selected(ssl, &out->alpn, &alpn_len);
	out->alpn_len = alpn_len;
	describe_own_cert(ssl, out);
	describe_client_cert(ssl, out);
}

void
tls_description_done(struct tls_description *out)
{
	OPENSSL_free(out->cert_der);
	out->cert_der = NULL;
}
