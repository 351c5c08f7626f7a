/* Parameters of a question to a key derivation function. */
#include "tls/tls_kdf_param.h"

#include <openssl/core.h>

bool
tls_kdf_param_read_digest(
	const struct ossl_param_st *param, const struct tls_hmac **hmac_out)
{
	if (param->data_type != OSSL_PARAM_UTF8_STRING || param->data == NULL ||
		*hmac_out != NULL)
		return false;
	*hmac_out = tls_hmac_find(param->data);
	return *hmac_out != NULL;
}

bool
tls_kdf_param_read_bytes(
	const struct ossl_param_st *param, struct tls_hmac_bytes *bytes_out)
{
	if (param->data_type != OSSL_PARAM_OCTET_STRING ||
		param->data == NULL || param->data_size == 0 ||
		bytes_out->at != NULL)
		return false;
	bytes_out->at = param->data;
	bytes_out->len = param->data_size;
	return true;
}
