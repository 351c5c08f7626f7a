/* OpenSSL before 3.2 as it comes. */
#include "tls/tls_plain.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

/* OpenSSL 3.2 remembers which decoders it needed. */
#define FIRST_THAT_REMEMBERS 0x30200000L

static int
count_others(OSSL_PROVIDER *provider, void *arg)
{
	int *others = arg;

	*others += strcmp(OSSL_PROVIDER_get0_name(provider), "default") != 0;
	return 1;
}

/* Has nobody configured anything that a context of our own would not have? */
static bool
is_plain_setup(void)
{
	EVP_RAND_CTX *rand = RAND_get0_public(NULL);
	int others = 0;

	(void)OSSL_PROVIDER_do_all(NULL, count_others, &others);
	return others == 0 &&
	       EVP_default_properties_is_fips_enabled(NULL) == 0 &&
	       rand != NULL &&
	       EVP_RAND_is_a(EVP_RAND_CTX_get0_rand(rand), "CTR-DRBG") == 1;
}

struct ossl_provider_st *
tls_plain_provider(void)
{
	static OSSL_PROVIDER *provider;

	if (provider == NULL && OpenSSL_version_num() < FIRST_THAT_REMEMBERS &&
		is_plain_setup())
		provider = OSSL_PROVIDER_load(NULL, "default");
	return provider;
}

/* Of the variant that is being made: OpenSSL passes nothing on to init(). */
static const OSSL_DISPATCH *wanted;

static int
init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
	const OSSL_DISPATCH **out, void **context_out)
{
	(void)handle;
	(void)in;
	*out = wanted;
	/* The default one's functions are called with this. */
	*context_out = OSSL_PROVIDER_get0_provider_ctx(tls_plain_provider());
	return 1;
}

struct ossl_lib_ctx_st *
tls_plain_variant(const char *name, const struct ossl_dispatch_st *functions)
{
	OSSL_LIB_CTX *variant = OSSL_LIB_CTX_new();

	wanted = functions;
	if (variant != NULL &&
		OSSL_PROVIDER_add_builtin(variant, name, init) == 1 &&
		OSSL_PROVIDER_load(variant, name) != NULL)
		return variant;
	OSSL_LIB_CTX_free(variant);
	return NULL;
}
