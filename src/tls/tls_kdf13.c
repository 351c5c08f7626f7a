/* What TLS13-KDF is asked in a handshake. */
#include "tls/tls_kdf13.h"

#include <string.h>

#include <openssl/core.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>

#include "tls/tls_hkdf.h"
#include "tls/tls_kdf_param.h"

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

	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		struct tls_hmac_bytes *bytes =
			(void *)((char *)request + fields[i].offset);

		if (strcmp(param->key, fields[i].name) == 0)
			return tls_kdf_param_read_bytes(param, bytes);
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
			is_read = tls_kdf_param_read_digest(
				param, &request->hmac);
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

bool
tls_kdf13_answer(const struct ossl_param_st *params, unsigned char *out,
	size_t len, int *result_out)
{
	struct request request = {.mode = -1};

	if (params == NULL || out == NULL || !read_params(&request, params) ||
		request.hmac == NULL || !has_label(&request.label))
		return false;
	if (is_expand(&request, len))
		*result_out = tls_hkdf_expand_label(
			request.hmac, request.key, &request.label, out, len);
	else if (is_extract(&request, len))
		*result_out = extract(&request, out);
	else
		return false;
	return true;
}
