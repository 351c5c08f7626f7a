/* Sessions that only those who have the key can read or make. */
#include "tls/tls_session_seal.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "base/mem.h"

/* Nonce, ciphertext, tag. */
#define NONCE_SIZE 12
#define TAG_SIZE   16

_Static_assert(NONCE_SIZE + TAG_SIZE == TLS_SESSION_SEAL_EXTRA,
	"what a seal adds must be told");

/* DER to nonce, ciphertext and tag at OUT. */
static bool
encrypt(EVP_CIPHER_CTX *ctx, SSL_SESSION *session, const unsigned char *key,
	const unsigned char *der, int len, unsigned char *out)
{
	unsigned char *sealed = out + NONCE_SIZE;
	unsigned int id_len;
	const unsigned char *id = SSL_SESSION_get_id(session, &id_len);
	int n;

	return RAND_bytes(out, NONCE_SIZE) == 1 &&
	       EVP_EncryptInit_ex2(ctx, EVP_aes_256_gcm(), key, out, NULL) ==
		       1 &&
	       EVP_EncryptUpdate(ctx, NULL, &n, id, (int)id_len) == 1 &&
	       EVP_EncryptUpdate(ctx, sealed, &n, der, len) == 1 &&
	       EVP_EncryptFinal_ex(ctx, sealed + n, &n) == 1 &&
	       EVP_CIPHER_CTX_ctrl(
		       ctx, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, sealed + len) == 1;
}

size_t
tls_session_seal(struct ssl_session_st *session,
	const unsigned char key[TLS_SESSION_SEAL_KEY_SIZE], unsigned char *out,
	size_t size)
{
	unsigned char *der = NULL;
	int len = i2d_SSL_SESSION(session, &der);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	size_t sealed = 0;

	if (len > 0 && ctx != NULL &&
		(size_t)len + TLS_SESSION_SEAL_EXTRA <= size &&
		encrypt(ctx, session, key, der, len, out))
		sealed = (size_t)len + TLS_SESSION_SEAL_EXTRA;
	EVP_CIPHER_CTX_free(ctx);
	OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
	ERR_clear_error();
	return sealed;
}

/* LEN bytes of DER to OUT, from between nonce and tag. */
static bool
decrypt(EVP_CIPHER_CTX *ctx, const unsigned char *bytes, int len,
	unsigned char *out)
{
	unsigned char tag[TAG_SIZE];
	int n;

	memcpy(tag, bytes + NONCE_SIZE + len, TAG_SIZE);
	return EVP_DecryptUpdate(ctx, out, &n, bytes + NONCE_SIZE, len) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) ==
		       1 &&
	       EVP_DecryptFinal_ex(ctx, out + n, &n) == 1;
}

struct ssl_session_st *
tls_session_unseal(const unsigned char *id, size_t id_len,
	const unsigned char key[TLS_SESSION_SEAL_KEY_SIZE],
	const unsigned char *bytes, size_t len)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	SSL_SESSION *session = NULL;
	unsigned char *der = NULL;
	const unsigned char *at;
	size_t der_len = len - TLS_SESSION_SEAL_EXTRA;
	int n;

	if (ctx == NULL || len <= TLS_SESSION_SEAL_EXTRA || len > INT_MAX ||
		id_len > SSL_MAX_SSL_SESSION_ID_LENGTH)
		goto out;
	der = malloc(der_len);
	at = der;
	if (der != NULL &&
		EVP_DecryptInit_ex2(ctx, EVP_aes_256_gcm(), key, bytes, NULL) ==
			1 &&
		EVP_DecryptUpdate(ctx, NULL, &n, id, (int)id_len) == 1 &&
		decrypt(ctx, bytes, (int)der_len, der))
		session = d2i_SSL_SESSION(NULL, &at, (long)der_len);
	if (der != NULL)
		mem_wipe(der, der_len);
out:
	free(der);
	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	return session;
}
