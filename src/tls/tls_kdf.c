/* Key derivation functions in front of those that the provider has. */
#include "tls/tls_kdf.h"

#include <stddef.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>

#include "tls/tls_algorithm.h"
#include "tls/tls_hmac.h"
#include "tls/tls_kdf12.h"
#include "tls/tls_kdf13.h"

/* Of the provider's own. */
struct functions {
	OSSL_FUNC_kdf_newctx_fn *newctx;
	OSSL_FUNC_kdf_freectx_fn *freectx;
	OSSL_FUNC_kdf_reset_fn *reset;
	OSSL_FUNC_kdf_derive_fn *derive;
	OSSL_FUNC_kdf_settable_ctx_params_fn *settable;
	OSSL_FUNC_kdf_set_ctx_params_fn *set;
	OSSL_FUNC_kdf_gettable_ctx_params_fn *gettable;
	OSSL_FUNC_kdf_get_ctx_params_fn *get;
};

/* False: not for us, and nothing has been written. */
typedef bool (*answer_fn)(const OSSL_PARAM *params, unsigned char *out,
	size_t len, int *result_out);

struct kind {
	const char *name;
	answer_fn answer;
	struct functions theirs;
};

static struct kind tls13 = {.name = "TLS13-KDF", .answer = tls_kdf13_answer};
static struct kind tls12 = {.name = "TLS1-PRF", .answer = tls_kdf12_answer};

/* ---- one of any kind ---- */

struct kdf {
	const struct kind *kind;
	void *provider;
	void *theirs; /* from the first time that it was needed */
};

static void *
newctx(const struct kind *kind, void *provider)
{
	struct kdf *kdf = OPENSSL_zalloc(sizeof *kdf);

	if (kdf != NULL) {
		kdf->kind = kind;
		kdf->provider = provider;
	}
	return kdf;
}

static void
freectx(void *context)
{
	struct kdf *kdf = context;

	if (kdf != NULL && kdf->theirs != NULL)
		kdf->kind->theirs.freectx(kdf->theirs);
	OPENSSL_free(kdf);
}

static void
reset(void *context)
{
	struct kdf *kdf = context;

	if (kdf->theirs != NULL)
		kdf->kind->theirs.reset(kdf->theirs);
}

static bool
need_theirs(struct kdf *kdf)
{
	if (kdf->theirs == NULL)
		kdf->theirs = kdf->kind->theirs.newctx(kdf->provider);
	return kdf->theirs != NULL;
}

/* What was set before, if anything, is in theirs. */
static int
derive(void *context, unsigned char *out, size_t len, const OSSL_PARAM *params)
{
	struct kdf *kdf = context;
	const struct kind *kind = kdf->kind;
	int result = 0;

	if (kdf->theirs == NULL && kind->answer(params, out, len, &result))
		return result;
	return need_theirs(kdf)
		       ? kind->theirs.derive(kdf->theirs, out, len, params)
		       : 0;
}

static int
set(void *context, const OSSL_PARAM *params)
{
	struct kdf *kdf = context;

	return need_theirs(kdf) ? kdf->kind->theirs.set(kdf->theirs, params)
				: 0;
}

static int
get(void *context, OSSL_PARAM *params)
{
	struct kdf *kdf = context;

	return need_theirs(kdf) ? kdf->kind->theirs.get(kdf->theirs, params)
				: 0;
}

/* These two are asked without a context, too. */
static const OSSL_PARAM *
settable(const struct kind *kind, const struct kdf *kdf, void *provider)
{
	return kind->theirs.settable(
		kdf != NULL ? kdf->theirs : NULL, provider);
}

static const OSSL_PARAM *
gettable(const struct kind *kind, const struct kdf *kdf, void *provider)
{
	return kind->theirs.gettable(
		kdf != NULL ? kdf->theirs : NULL, provider);
}

/* ---- those that have to know their kind: OpenSSL does not say ---- */

static void *
newctx_tls13(void *provider)
{
	return newctx(&tls13, provider);
}

static const OSSL_PARAM *
settable_tls13(void *context, void *provider)
{
	return settable(&tls13, context, provider);
}

static const OSSL_PARAM *
gettable_tls13(void *context, void *provider)
{
	return gettable(&tls13, context, provider);
}

static void *
newctx_tls12(void *provider)
{
	return newctx(&tls12, provider);
}

static const OSSL_PARAM *
settable_tls12(void *context, void *provider)
{
	return settable(&tls12, context, provider);
}

static const OSSL_PARAM *
gettable_tls12(void *context, void *provider)
{
	return gettable(&tls12, context, provider);
}

#define FUNCTION(id, function)                                                 \
	{                                                                      \
		OSSL_FUNC_KDF_##id, (void (*)(void))(function)                 \
	}

static const OSSL_DISPATCH functions_tls13[] = {
	FUNCTION(NEWCTX, newctx_tls13),
	FUNCTION(FREECTX, freectx),
	FUNCTION(RESET, reset),
	FUNCTION(DERIVE, derive),
	FUNCTION(SETTABLE_CTX_PARAMS, settable_tls13),
	FUNCTION(SET_CTX_PARAMS, set),
	FUNCTION(GETTABLE_CTX_PARAMS, gettable_tls13),
	FUNCTION(GET_CTX_PARAMS, get),
	{0, NULL},
};

static const OSSL_DISPATCH functions_tls12[] = {
	FUNCTION(NEWCTX, newctx_tls12),
	FUNCTION(FREECTX, freectx),
	FUNCTION(RESET, reset),
	FUNCTION(DERIVE, derive),
	FUNCTION(SETTABLE_CTX_PARAMS, settable_tls12),
	FUNCTION(SET_CTX_PARAMS, set),
	FUNCTION(GETTABLE_CTX_PARAMS, gettable_tls12),
	FUNCTION(GET_CTX_PARAMS, get),
	{0, NULL},
};

/* ---- taking their places ---- */

static void
take_function(struct functions *theirs, const OSSL_DISPATCH *entry)
{
	switch (entry->function_id) {
	case OSSL_FUNC_KDF_NEWCTX:
		theirs->newctx = OSSL_FUNC_kdf_newctx(entry);
		break;
	case OSSL_FUNC_KDF_FREECTX:
		theirs->freectx = OSSL_FUNC_kdf_freectx(entry);
		break;
	case OSSL_FUNC_KDF_RESET:
		theirs->reset = OSSL_FUNC_kdf_reset(entry);
		break;
	case OSSL_FUNC_KDF_DERIVE:
		theirs->derive = OSSL_FUNC_kdf_derive(entry);
		break;
	case OSSL_FUNC_KDF_SETTABLE_CTX_PARAMS:
		theirs->settable = OSSL_FUNC_kdf_settable_ctx_params(entry);
		break;
	case OSSL_FUNC_KDF_SET_CTX_PARAMS:
		theirs->set = OSSL_FUNC_kdf_set_ctx_params(entry);
		break;
	case OSSL_FUNC_KDF_GETTABLE_CTX_PARAMS:
		theirs->gettable = OSSL_FUNC_kdf_gettable_ctx_params(entry);
		break;
	case OSSL_FUNC_KDF_GET_CTX_PARAMS:
		theirs->get = OSSL_FUNC_kdf_get_ctx_params(entry);
		break;
	default: /* whatever OpenSSL may come to have */
		break;
	}
}

/* False, and OUT as it was, if one is missing. */
static bool
take_functions(struct functions *out, const OSSL_DISPATCH *entry)
{
	struct functions theirs = {.newctx = NULL};

	for (; entry->function_id != 0; entry++)
		take_function(&theirs, entry);
	if (theirs.newctx == NULL || theirs.freectx == NULL ||
		theirs.reset == NULL || theirs.derive == NULL ||
		theirs.settable == NULL || theirs.set == NULL ||
		theirs.gettable == NULL || theirs.get == NULL)
		return false;
	*out = theirs;
	return true;
}

/* The entry of KIND, whose functions are known then; or NULL. */
static OSSL_ALGORITHM *
find(OSSL_ALGORITHM *kdfs, struct kind *kind)
{
	const OSSL_ALGORITHM *kdf = tls_algorithm_find(kdfs, kind->name);

	if (kdf == NULL || !take_functions(&kind->theirs, kdf->implementation))
		return NULL;
	return &kdfs[kdf - kdfs];
}

bool
tls_kdf_replace(struct ossl_algorithm_st *kdfs)
{
	OSSL_ALGORITHM *of_tls13 = find(kdfs, &tls13);
	OSSL_ALGORITHM *of_tls12 = find(kdfs, &tls12);

	if (of_tls13 == NULL || of_tls12 == NULL || !tls_hmac_open())
		return false;
	of_tls13->implementation = functions_tls13;
	of_tls12->implementation = functions_tls12;
	return true;
}
