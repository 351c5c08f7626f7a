/* Whether the key of a client can be proven in a handshake. */
#include "config.h"

#include "tls/tls_proof.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "tls/tls_ctx_parts.h"

/* Signs in every version, whatever its groups are. */
static bool
is_common(const EVP_PKEY *key)
{
	static const char *const types[] = {
		"RSA", "RSA-PSS", "ED25519", "ED448"};

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		if (EVP_PKEY_is_a(key, types[i]) == 1)
			return true;
	}
	return false;
}

/* NID_undef for what is no elliptic curve, or has no name. */
static int
curve_of(const EVP_PKEY *key)
{
	char name[64];

	if (EVP_PKEY_is_a(key, "EC") != 1 ||
		EVP_PKEY_get_group_name(key, name, sizeof name, NULL) != 1)
		return NID_undef;
	return OBJ_sn2nid(name);
}

/* RFC 8446, section 4.2.3; and RFC 8734, which came with OpenSSL 3.2. */
static bool
is_of_tls_1_3(int curve)
{
	switch (curve) {
	case NID_X9_62_prime256v1:
	case NID_secp384r1:
	case NID_secp521r1:
		return true;
#if OPENSSL_VERSION_NUMBER >= 0x30200000L
	case NID_brainpoolP256r1:
	case NID_brainpoolP384r1:
	case NID_brainpoolP512r1:
		return true;
#endif
	default:
		return false;
	}
}

/* By any of its names: "P-224", "secp224r1". */
static bool
is_among(const char *groups, int curve)
{
	char *copy = xstrdup(groups);
	char *rest = copy;
	const char *name;
	bool found = false;

	while (!found && (name = strsep(&rest, ":")) != NULL)
		found = EC_curve_nist2nid(name) == curve ||
			OBJ_sn2nid(name) == curve;
	free(copy);
	return found;
}

/* RFC 8422, section 5.1: the groups are those of certificates, too. OpenSSL's
 * own have the three of NIST. */
static bool
is_of_groups(const struct tls_ctx *ctx, int curve)
{
	if (ctx->groups != NULL)
		return is_among(ctx->groups, curve);
	return curve == NID_X9_62_prime256v1 || curve == NID_secp384r1 ||
	       curve == NID_secp521r1;
}

static bool
has_tls_1_3(SSL_CTX *ssl_ctx)
{
	long highest = SSL_CTX_get_max_proto_version(ssl_ctx);

	return highest == 0 || highest >= TLS1_3_VERSION;
}

static bool
has_older(SSL_CTX *ssl_ctx)
{
	return SSL_CTX_get_min_proto_version(ssl_ctx) < TLS1_3_VERSION;
}

bool
tls_proof_is_possible(const struct tls_ctx *ctx, const struct x509_st *cert)
{
	const EVP_PKEY *key = X509_get0_pubkey(cert);
	int curve;

	if (key == NULL)
		return false;
	if (is_common(key))
		return true;
	if (EVP_PKEY_is_a(key, "DSA") == 1)
		return has_older(ctx->ssl_ctx);
	curve = curve_of(key);
	if (curve == NID_undef)
		return false;
	return (has_tls_1_3(ctx->ssl_ctx) && is_of_tls_1_3(curve)) ||
	       (has_older(ctx->ssl_ctx) && is_of_groups(ctx, curve));
}
