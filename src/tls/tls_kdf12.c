/* What TLS1-PRF is asked in a handshake of TLS 1.2. */
#include "tls/tls_kdf12.h"

#include <string.h>

#include <openssl/core.h>
#include <openssl/core_names.h>

#include "tls/tls_kdf_param.h"
#include "tls/tls_prf.h"

struct request {
	const struct tls_hmac *hmac;
	struct tls_hmac_bytes secret;
	unsigned char seed[TLS_PRF_SEED_MAX];
	size_t seed_len;
};

/* A part of the seed: what libssl has no use for is there, and empty. */
static bool
read_seed(struct request *request, const OSSL_PARAM *param)
{
	struct tls_hmac_bytes part = {NULL, 0};

	if (param->data_size == 0)
		return true;
	if (!tls_kdf_param_read_bytes(param, &part) ||
		part.len > sizeof request->seed - request->seed_len)
		return false;
	memcpy(request->seed + request->seed_len, part.at, part.len);
	request->seed_len += part.len;
	return true;
}

static bool
read_param(struct request *request, const OSSL_PARAM *param)
{
	if (strcmp(param->key, OSSL_KDF_PARAM_DIGEST) == 0)
		return tls_kdf_param_read_digest(param, &request->hmac);
	if (strcmp(param->key, OSSL_KDF_PARAM_SECRET) == 0)
		return tls_kdf_param_read_bytes(param, &request->secret);
	if (strcmp(param->key, OSSL_KDF_PARAM_SEED) == 0)
		return read_seed(request, param);
	return false;
}

static bool
read_params(struct request *request, const OSSL_PARAM *param)
{
	for (; param->key != NULL; param++)
		if (!read_param(request, param))
			return false;
	return request->hmac != NULL && request->secret.at != NULL &&
	       request->secret.len <= tls_hmac_key_max(request->hmac) &&
	       request->seed_len > 0;
}

bool
tls_kdf12_answer(const struct ossl_param_st *params, unsigned char *out,
	size_t len, int *result_out)
{
	struct request request = {.seed_len = 0};

	if (params == NULL || out == NULL || len == 0 ||
		!read_params(&request, params))
		return false;
	*result_out = tls_prf_expand(request.hmac, request.secret,
		(struct tls_hmac_bytes){request.seed, request.seed_len}, out,
		len);
	return true;
}
