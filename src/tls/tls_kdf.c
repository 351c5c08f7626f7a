/* The key schedule of TLS 1.3 without OpenSSL 3.0's detours. */
#include "tls/tls_kdf.h"

#include <stddef.h>
#include <string.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "tls/tls_hkdf.h"

#define NAME "TLS13-KDF"

/* ---- what is asked ---- */

struct request {
	int mode; /* -1: not given */
	const struct tls_hmac *hmac;
	struct tls_hmac_bytes key;
	struct tls_hmac_bytes salt;
	struct tls_hkdf_label label; /* the context is called data here */
};

static bool
read_mode(struct request *request, const OSSL_PARAM *param)
{
	if (param->data_type != OSSL_PARAM_INTEGER || param->data == NULL ||
		param->data_size != sizeof request->mode || request->mode >= 0)
		return false;
	memcpy(&request->mode, param->data, sizeof request->mode);
	return request->mode >= 0;
}

static bool
read_digest(struct request *request, const OSSL_PARAM *param)
{
	if (param->data_type != OSSL_PARAM_UTF8_STRING || param->data == NULL ||
		request->hmac != NULL)
		return false;
	request->hmac = tls_hmac_find(param->data);
	return request->hmac != NULL;
}

static bool
read_bytes(struct request *request, const OSSL_PARAM *param)
{
	static const struct {
		const char *name;
		size_t offset;
	} fields[] = {
		{OSSL_KDF_PARAM_KEY, offsetof(struct request, key)},
		{OSSL_KDF_PARAM_SALT, offsetof(struct request, salt)},
		{OSSL_KDF_PARAM_PREFIX, offsetof(struct request, label.prefix)},
		{OSSL_KDF_PARAM_LABEL, offsetof(struct request, label.label)},
		{OSSL_KDF_PARAM_DATA, offsetof(struct request, label.context)},
	};

	if (param->data_type != OSSL_PARAM_OCTET_STRING ||
		param->data == NULL || param->data_size == 0)
		return false;
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		struct tls_hmac_bytes *bytes =
			(void *)((char *)request + fields[i].offset);

		if (strcmp(param->key, fields[i].name) != 0)
			continue;
		if (bytes->at != NULL)
			return false;
		bytes->at = param->data;
		bytes->len = param->data_size;
		return true;
	}
	return false;
}

/* False for anything that libssl does not say in a handshake. */
static bool
read_params(struct request *request, const OSSL_PARAM *param)
{
	for (; param->key != NULL; param++) {
		bool is_read;

		if (strcmp(param->key, OSSL_KDF_PARAM_MODE) == 0)
			is_read = read_mode(request, param);
		else if (strcmp(param->key, OSSL_KDF_PARAM_DIGEST) == 0)
			is_read = read_digest(request, param);
		else
			is_read = read_bytes(request, param);
		if (!is_read)
			return false;
	}
	return true;
}

static bool
has_label(const struct tls_hkdf_label *label)
{
	return label->prefix.at != NULL && label->label.at != NULL &&
	       label->prefix.len <= TLS_HKDF_VECTOR_MAX &&
	       label->label.len <= TLS_HKDF_VECTOR_MAX - label->prefix.len &&
	       label->context.len <= TLS_HKDF_VECTOR_MAX;
}

static bool
is_expand(const struct request *request, size_t len)
{
	return request->mode == EVP_KDF_HKDF_MODE_EXPAND_ONLY &&
	       request->key.at != NULL &&
	       request->key.len <= tls_hmac_key_max(request->hmac) &&
	       request->salt.at == NULL && len > 0 &&
	       len <= tls_hmac_size(request->hmac);
}

static bool
is_extract(const struct request *request, size_t len)
{
	return request->mode == EVP_KDF_HKDF_MODE_EXTRACT_ONLY &&
	       request->salt.len <= tls_hmac_key_max(request->hmac) &&
	       request->label.context.at == NULL &&
	       len == tls_hmac_size(request->hmac);
}

/* ---- the answer ---- */

/* A salt that is given is the secret before this one, from which the real one
 * is derived, of no messages. What is not given is zeros. */
static bool
extract(const struct request *request, unsigned char *out)
{
	static const unsigned char zeros[TLS_HMAC_MAX];
	size_t size = tls_hmac_size(request->hmac);
	unsigned char salt[TLS_HMAC_MAX] = {0};
	struct tls_hmac_bytes ikm = request->key;
	struct tls_hkdf_label label = request->label;
	bool is_good = true;

	if (request->salt.at != NULL) {
		label.context = tls_hmac_empty(request->hmac);
		is_good = tls_hkdf_expand_label(
			request->hmac, request->salt, &label, salt, size);
	}
	if (ikm.at == NULL)
		ikm = (struct tls_hmac_bytes){zeros, size};
	is_good = is_good &&
		  tls_hkdf_extract(request->hmac,
			  (struct tls_hmac_bytes){salt, size}, ikm, out);
	OPENSSL_cleanse(salt, sizeof salt);
	return is_good;
}

/* False: not for us, and OUT is as it was. */
static bool
answer(const OSSL_PARAM *params, unsigned char *out, size_t len, int *result)
{
	struct request request = {.mode = -1};

	if (params == NULL || out == NULL || !read_params(&request, params) ||
		request.hmac == NULL || !has_label(&request.label))
		return false;
	if (is_expand(&request, len))
		*result = tls_hkdf_expand_label(
			request.hmac, request.key, &request.label, out, len);
	else if (is_extract(&request, len))
		*result = extract(&request, out);
	else
		return false;
	return true;
}

/* ---- the provider's own, for anything else ---- */

static struct {
	OSSL_FUNC_kdf_newctx_fn *newctx;
	OSSL_FUNC_kdf_freectx_fn *freectx;
	OSSL_FUNC_kdf_reset_fn *reset;
	OSSL_FUNC_kdf_derive_fn *derive;
	OSSL_FUNC_kdf_settable_ctx_params_fn *settable;
	OSSL_FUNC_kdf_set_ctx_params_fn *set;
	OSSL_FUNC_kdf_gettable_ctx_params_fn *gettable;
	OSSL_FUNC_kdf_get_ctx_params_fn *get;
} theirs;

struct kdf {
	void *provider;
	void *theirs; /* from the first time that it was needed */
};

static void *
newctx(void *provider)
{
	struct kdf *kdf = OPENSSL_zalloc(sizeof *kdf);

	if (kdf != NULL)
		kdf->provider = provider;
	return kdf;
}

static void
freectx(void *context)
{
	struct kdf *kdf = context;

	if (kdf != NULL && kdf->theirs != NULL)
		theirs.freectx(kdf->theirs);
	OPENSSL_free(kdf);
}

static void
reset(void *context)
{
	struct kdf *kdf = context;

	if (kdf->theirs != NULL)
		theirs.reset(kdf->theirs);
}

static bool
need_theirs(struct kdf *kdf)
{
	if (kdf->theirs == NULL)
		kdf->theirs = theirs.newctx(kdf->provider);
	return kdf->theirs != NULL;
}

/* What was set before, if anything, is in theirs. */
static int
derive(void *context, unsigned char *out, size_t len, const OSSL_PARAM *params)
{
	struct kdf *kdf = context;
	int result = 0;

	if (kdf->theirs == NULL && answer(params, out, len, &result))
		return result;
	return need_theirs(kdf) ? theirs.derive(kdf->theirs, out, len, params)
				: 0;
}

static const OSSL_PARAM *
settable(void *context, void *provider)
{
	struct kdf *kdf = context;

	return theirs.settable(kdf != NULL ? kdf->theirs : NULL, provider);
}

static int
set(void *context, const OSSL_PARAM *params)
{
	struct kdf *kdf = context;

	return need_theirs(kdf) ? theirs.set(kdf->theirs, params) : 0;
}

static const OSSL_PARAM *
gettable(void *context, void *provider)
{
	struct kdf *kdf = context;

	return theirs.gettable(kdf != NULL ? kdf->theirs : NULL, provider);
}

static int
get(void *context, OSSL_PARAM *params)
{
	struct kdf *kdf = context;

	return need_theirs(kdf) ? theirs.get(kdf->theirs, params) : 0;
}

/* ---- life ---- */

static void
take_function(const OSSL_DISPATCH *entry)
{
	switch (entry->function_id) {
	case OSSL_FUNC_KDF_NEWCTX:
		theirs.newctx = OSSL_FUNC_kdf_newctx(entry);
		break;
	case OSSL_FUNC_KDF_FREECTX:
		theirs.freectx = OSSL_FUNC_kdf_freectx(entry);
		break;
	case OSSL_FUNC_KDF_RESET:
		theirs.reset = OSSL_FUNC_kdf_reset(entry);
		break;
	case OSSL_FUNC_KDF_DERIVE:
		theirs.derive = OSSL_FUNC_kdf_derive(entry);
		break;
	case OSSL_FUNC_KDF_SETTABLE_CTX_PARAMS:
		theirs.settable = OSSL_FUNC_kdf_settable_ctx_params(entry);
		break;
	case OSSL_FUNC_KDF_SET_CTX_PARAMS:
		theirs.set = OSSL_FUNC_kdf_set_ctx_params(entry);
		break;
	case OSSL_FUNC_KDF_GETTABLE_CTX_PARAMS:
		theirs.gettable = OSSL_FUNC_kdf_gettable_ctx_params(entry);
		break;
	case OSSL_FUNC_KDF_GET_CTX_PARAMS:
		theirs.get = OSSL_FUNC_kdf_get_ctx_params(entry);
		break;
	default: /* whatever OpenSSL may come to have */
		break;
	}
}

static bool
take_functions(const OSSL_DISPATCH *entry)
{
	for (; entry->function_id != 0; entry++)
		take_function(entry);
	return theirs.newctx != NULL && theirs.freectx != NULL &&
	       theirs.reset != NULL && theirs.derive != NULL &&
	       theirs.settable != NULL && theirs.set != NULL &&
	       theirs.gettable != NULL && theirs.get != NULL;
}

static bool
is_tls13_kdf(const OSSL_ALGORITHM *kdf)
{
	size_t len = strlen(NAME);

	return strncmp(kdf->algorithm_names, NAME, len) == 0 &&
	       (kdf->algorithm_names[len] == ':' ||
		       kdf->algorithm_names[len] == '\0');
}

bool
tls_kdf_replace(struct ossl_algorithm_st *kdfs)
{
	static const OSSL_DISPATCH ours[] = {
		{OSSL_FUNC_KDF_NEWCTX, (void (*)(void))newctx},
		{OSSL_FUNC_KDF_FREECTX, (void (*)(void))freectx},
		{OSSL_FUNC_KDF_RESET, (void (*)(void))reset},
		{OSSL_FUNC_KDF_DERIVE, (void (*)(void))derive},
		{OSSL_FUNC_KDF_SETTABLE_CTX_PARAMS, (void (*)(void))settable},
		{OSSL_FUNC_KDF_SET_CTX_PARAMS, (void (*)(void))set},
		{OSSL_FUNC_KDF_GETTABLE_CTX_PARAMS, (void (*)(void))gettable},
		{OSSL_FUNC_KDF_GET_CTX_PARAMS, (void (*)(void))get},
		{0, NULL},
	};

	while (kdfs->algorithm_names != NULL && !is_tls13_kdf(kdfs))
		kdfs++;
	if (kdfs->algorithm_names == NULL ||
		!take_functions(kdfs->implementation) || !tls_hmac_open())
		return false;
	kdfs->implementation = ours;
	return true;
}
