/* Handshakes without OpenSSL 3.0's detours. */
#include "tls/tls_lean.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>

#include "tls/tls_algorithm.h"
#include "tls/tls_kdf.h"
#include "tls/tls_plain.h"
#include "tls/tls_x25519.h"

/* One for each kind of key and each form of it. */
#define DECODERS_MAX 16

/* As many as OpenSSL has, and some. */
#define KDFS_MAX     32
#define KEYMGMTS_MAX 64

static OSSL_PROVIDER *whole; /* OpenSSL's default one */

/* Tables of algorithms end with NULL. */
static OSSL_ALGORITHM decoders[DECODERS_MAX + 1];
static OSSL_ALGORITHM kdfs[KDFS_MAX + 1];
static OSSL_ALGORITHM keymgmts[KEYMGMTS_MAX + 1];

static OSSL_LIB_CTX *lean; /* NULL: do without */
static bool is_inside;     /* LEAN is the default */

/* ---- the lean provider: all is the whole one's, but for three tables ---- */

static const OSSL_ALGORITHM *
query(void *context, int operation, int *no_cache)
{
	(void)context;
	*no_cache = 0;
	switch (operation) {
	case OSSL_OP_DECODER:
		return decoders;
	case OSSL_OP_KDF:
		return kdfs;
	case OSSL_OP_KEYMGMT:
		return keymgmts;
	default:
		return OSSL_PROVIDER_query_operation(
			whole, operation, no_cache);
	}
}

static int
get_capabilities(
	void *context, const char *capability, OSSL_CALLBACK *tell, void *arg)
{
	(void)context;
	return OSSL_PROVIDER_get_capabilities(whole, capability, tell, arg);
}

static const OSSL_DISPATCH functions[] = {
	{OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
	{OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))get_capabilities},
	{0, NULL},
};

/* ---- life ---- */

static bool
is_for(const OSSL_ALGORITHM *decoder, const char *structure)
{
	const char *properties = decoder->property_definition;

	return strstr(properties, "input=der") != NULL &&
	       strstr(properties, structure) != NULL;
}

/* Of public keys, as certificates say them, all that can sign; of private
 * ones, those that OpenSSL takes for a handshake. Any other key is refused
 * anyway, or decoded elsewhere. */
static bool
is_needed(const OSSL_ALGORITHM *decoder)
{
	static const struct {
		const char *structure;
		const char *key;
	} needed[] = {
		{"structure=SubjectPublicKeyInfo", "RSA"},
		{"structure=SubjectPublicKeyInfo", "RSA-PSS"},
		{"structure=SubjectPublicKeyInfo", "DSA"},
		{"structure=SubjectPublicKeyInfo", "EC"},
		{"structure=SubjectPublicKeyInfo", "ED25519"},
		{"structure=SubjectPublicKeyInfo", "ED448"},
		{"structure=PrivateKeyInfo", "RSA"},
		{"structure=PrivateKeyInfo", "RSA-PSS"},
		{"structure=PrivateKeyInfo", "EC"},
		{"structure=PrivateKeyInfo", "ED25519"},
		{"structure=PrivateKeyInfo", "ED448"},
		{"structure=type-specific", "RSA"},
		{"structure=type-specific", "EC"},
	};

	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
		if (tls_algorithm_is_called(decoder, needed[i].key) &&
			is_for(decoder, needed[i].structure))
			return true;
	}
	return false;
}

/* What the whole one has for OPERATION; NULL if that cannot be told for good.
 */
static const OSSL_ALGORITHM *
all_of(int operation)
{
	int no_cache = 0;
	const OSSL_ALGORITHM *all =
		OSSL_PROVIDER_query_operation(whole, operation, &no_cache);

	return no_cache == 0 ? all : NULL;
}

static bool
pick_decoders(void)
{
	const OSSL_ALGORITHM *all = all_of(OSSL_OP_DECODER);
	size_t n = 0;

	if (all == NULL)
		return false;
	for (; all->algorithm_names != NULL; all++) {
		if (!is_needed(all))
			continue;
		if (n == DECODERS_MAX)
			return false;
		decoders[n++] = *all;
	}
	return n > 0;
}

/* Of which TABLE has room for MAX, and the end. */
static bool
copy_all(int operation, OSSL_ALGORITHM *table, size_t max)
{
	const OSSL_ALGORITHM *all = all_of(operation);
	size_t n = 0;

	if (all == NULL)
		return false;
	for (; all->algorithm_names != NULL; all++) {
		if (n == max)
			return false;
		table[n++] = *all;
	}
	return true;
}

static bool
replace_kdfs(void)
{
	return copy_all(OSSL_OP_KDF, kdfs, KDFS_MAX) && tls_kdf_replace(kdfs);
}

static bool
replace_keymgmts(void)
{
	const OSSL_ALGORITHM *exchanges = all_of(OSSL_OP_KEYEXCH);

	return exchanges != NULL &&
	       copy_all(OSSL_OP_KEYMGMT, keymgmts, KEYMGMTS_MAX) &&
	       tls_x25519_replace(keymgmts, exchanges,
		       OSSL_PROVIDER_get0_provider_ctx(whole));
}

void
tls_lean_init(void)
{
	if (lean != NULL)
		return;
	whole = tls_plain_provider();
	if (whole == NULL || !pick_decoders() || !replace_kdfs() ||
		!replace_keymgmts())
		return;
	lean = tls_plain_variant("lean", functions);
}

void
tls_lean_begin(void)
{
	/* NULL changes nothing. */
	(void)OSSL_LIB_CTX_set0_default(lean);
	is_inside = lean != NULL;
}

void
tls_lean_end(void)
{
	(void)OSSL_LIB_CTX_set0_default(OSSL_LIB_CTX_get0_global_default());
	is_inside = false;
}

bool
tls_lean_is_inside(void)
{
	return is_inside;
}
