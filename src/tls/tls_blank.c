/* TLS contexts of a server before anything is said to them. */
#include "tls/tls_blank.h"

#include <stddef.h>
#include <string.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>

#include "tls/tls_plain.h"

#define GROUPS "TLS-GROUP" /* provider-base(7) */

static OSSL_PROVIDER *whole; /* OpenSSL's default one */
static OSSL_LIB_CTX *sparse; /* NULL: do without */

/* Those that a server offers by itself: SSL_CTX_set1_groups(3). By IANA's
 * number. */
static bool
is_offered(unsigned group)
{
	switch (group) {
	case 23:  /* secp256r1 */
	case 24:  /* secp384r1 */
	case 25:  /* secp521r1 */
	case 29:  /* x25519 */
	case 30:  /* x448 */
	case 256: /* ffdhe2048 */
	case 257: /* ffdhe3072 */
	case 258: /* ffdhe4096 */
	case 259: /* ffdhe6144 */
	case 260: /* ffdhe8192 */
		return true;
	default:
		return false;
	}
}

struct teller {
	OSSL_CALLBACK *tell;
	void *arg;
};

/* What cannot be read is passed on. */
static int
tell_if_offered(const OSSL_PARAM params[], void *arg)
{
	const struct teller *teller = arg;
	const OSSL_PARAM *id =
		OSSL_PARAM_locate_const(params, OSSL_CAPABILITY_TLS_GROUP_ID);
	unsigned group;

	if (id != NULL && OSSL_PARAM_get_uint(id, &group) == 1 &&
		!is_offered(group))
		return 1;
	return teller->tell(params, teller->arg);
}

/* ---- the sparse provider: all is the whole one's, but for the groups ---- */

static const OSSL_ALGORITHM *
query(void *context, int operation, int *no_cache)
{
	(void)context;
	return OSSL_PROVIDER_query_operation(whole, operation, no_cache);
}

static int
get_capabilities(
	void *context, const char *capability, OSSL_CALLBACK *tell, void *arg)
{
	struct teller teller = {tell, arg};

	(void)context;
	if (strcmp(capability, GROUPS) != 0)
		return OSSL_PROVIDER_get_capabilities(
			whole, capability, tell, arg);
	return OSSL_PROVIDER_get_capabilities(
		whole, capability, tell_if_offered, &teller);
}

static const OSSL_DISPATCH functions[] = {
	{OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
	{OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))get_capabilities},
	{0, NULL},
};

void
tls_blank_init(void)
{
	whole = tls_plain_provider();
	if (whole == NULL || sparse != NULL)
		return;
	sparse = tls_plain_variant("sparse", functions);
}

/* NULL, too, if OpenSSL had anything to complain of: its own configuration may
 * name groups for everybody ("system_default" in config(5)), and those that are
 * not known here would be left out in silence. */
static SSL_CTX *
new_sparse(void)
{
	OSSL_LIB_CTX *before;
	SSL_CTX *blank;

	/* Not SSL_CTX_new_ex(), whose contexts stay with the library context
	 * in all that they do: handshakes run in another (tls_lean.h). */
	before = OSSL_LIB_CTX_set0_default(sparse);
	blank = SSL_CTX_new(TLS_server_method());
	(void)OSSL_LIB_CTX_set0_default(before);
	if (ERR_peek_error() == 0)
		return blank;
	SSL_CTX_free(blank);
	ERR_clear_error();
	return NULL;
}

struct ssl_ctx_st *
tls_blank_new(bool names_groups)
{
	SSL_CTX *blank = NULL;

	ERR_clear_error();
	if (sparse != NULL && !names_groups)
		blank = new_sparse();
	return blank != NULL ? blank : SSL_CTX_new(TLS_server_method());
}
