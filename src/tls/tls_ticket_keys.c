/* What session tickets are sealed with, hour by hour. */
#include "tls/tls_ticket_keys.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "base/mem.h"
#include "tls/tls_session_seal.h"

#define HOUR_S     3600
#define PRK_SIZE   32 /* what HKDF-SHA256 extracts */
#define INFO_TEXT  "sallyport ticket key"
#define INFO_LEN   (sizeof INFO_TEXT - 1)
#define HOUR_BYTES 8
#define INFO_SIZE  (INFO_LEN + HOUR_BYTES)

/* What the one key without an hour is expanded with. */
static const unsigned char cache_info[] = "sallyport session cache key";

_Static_assert(sizeof cache_info == INFO_SIZE, "hkdf() takes no other size");

/* The hours before, at and after the present one. */
enum { BEFORE, PRESENT, AFTER, N_HOURS };

struct tls_ticket_keys {
	unsigned refs;
	struct tls_ticket_keys *next; /* of the shared ones */
	unsigned char prk[PRK_SIZE];
	unsigned char cache[TLS_SESSION_SEAL_KEY_SIZE];
	EVP_CIPHER *cipher; /* fetched once: OpenSSL 3 is slow at that */
	int64_t skew_s;
	int64_t hour; /* that KEYS are around; -1: none yet */
	struct tls_ticket_key keys[N_HOURS];
};

static struct tls_ticket_keys *shared; /* none of them twice */

/* MODE is EXTRACT_ONLY (INFO unused) or EXPAND_ONLY. */
static int
hkdf(int mode, const unsigned char *key, size_t key_len,
	const unsigned char *info, unsigned char *out, size_t out_len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
	size_t len = out_len;
	int ok = ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
		 EVP_PKEY_CTX_set_hkdf_mode(ctx, mode) == 1 &&
		 EVP_PKEY_CTX_set_hkdf_md(ctx, EVP_sha256()) == 1 &&
		 EVP_PKEY_CTX_set1_hkdf_key(ctx, key, (int)key_len) == 1;

	if (ok && info != NULL)
		ok = EVP_PKEY_CTX_add1_hkdf_info(ctx, info, INFO_SIZE) == 1;
	ok = ok && EVP_PKEY_derive(ctx, out, &len) == 1 && len == out_len;
	EVP_PKEY_CTX_free(ctx);
	return ok ? 0 : -1;
}

static int
derive(const struct tls_ticket_keys *keys, int64_t hour,
	struct tls_ticket_key *out)
{
	unsigned char info[INFO_SIZE];
	unsigned char
		bytes[sizeof out->name + sizeof out->aes + sizeof out->mac];

	memcpy(info, INFO_TEXT, INFO_LEN);
	for (size_t i = 0; i < HOUR_BYTES; i++)
		info[INFO_LEN + i] =
			(unsigned char)((uint64_t)hour >> (56 - 8 * i));
	if (hkdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, keys->prk, sizeof keys->prk,
		    info, bytes, sizeof bytes) < 0)
		return -1;
	memcpy(out->name, bytes, sizeof out->name);
	memcpy(out->aes, bytes + sizeof out->name, sizeof out->aes);
	memcpy(out->mac, bytes + sizeof out->name + sizeof out->aes,
		sizeof out->mac);
	mem_wipe(bytes, sizeof bytes);
	return 0;
}

static int
turn_to(struct tls_ticket_keys *keys, int64_t unix_s)
{
	int64_t hour = unix_s / HOUR_S;

	if (keys->hour == hour)
		return 0;
	keys->hour = -1;
	for (int i = 0; i < N_HOURS; i++) {
		if (derive(keys, hour + i - PRESENT, &keys->keys[i]) < 0)
			return -1;
	}
	keys->hour = hour;
	return 0;
}

static int
extract(const unsigned char *secret, size_t len, unsigned char prk[PRK_SIZE])
{
	return hkdf(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, secret, len, NULL, prk,
		PRK_SIZE);
}

static struct tls_ticket_keys *
make(const unsigned char prk[PRK_SIZE])
{
	struct tls_ticket_keys *keys = xcalloc(1, sizeof *keys);

	keys->refs = 1;
	keys->hour = -1;
	memcpy(keys->prk, prk, PRK_SIZE);
	keys->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	if (keys->cipher == NULL ||
		hkdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, keys->prk, sizeof keys->prk,
			cache_info, keys->cache, sizeof keys->cache) < 0)
		tls_ticket_keys_unref(&keys);
	return keys;
}

struct tls_ticket_keys *
tls_ticket_keys_new(const unsigned char *secret, size_t len)
{
	unsigned char prk[PRK_SIZE];
	struct tls_ticket_keys *keys = NULL;

	if (extract(secret, len, prk) == 0)
		keys = make(prk);
	mem_wipe(prk, sizeof prk);
	ERR_clear_error();
	return keys;
}

/* What is extracted from a secret stands for it. */
static struct tls_ticket_keys *
find(const unsigned char prk[PRK_SIZE])
{
	struct tls_ticket_keys *keys = shared;

	while (keys != NULL && memcmp(keys->prk, prk, PRK_SIZE) != 0)
		keys = keys->next;
	return keys;
}

static struct tls_ticket_keys *
make_shared(const unsigned char prk[PRK_SIZE])
{
	struct tls_ticket_keys *keys = make(prk);

	if (keys == NULL)
		return NULL;
	keys->next = shared;
	shared = keys;
	return keys;
}

struct tls_ticket_keys *
tls_ticket_keys_get(const unsigned char *secret, size_t len)
{
	unsigned char prk[PRK_SIZE];
	struct tls_ticket_keys *keys = NULL;

	if (extract(secret, len, prk) == 0) {
		keys = find(prk);
		if (keys != NULL)
			keys->refs++;
		else
			keys = make_shared(prk);
	}
	mem_wipe(prk, sizeof prk);
	ERR_clear_error();
	return keys;
}

struct tls_ticket_keys *
tls_ticket_keys_new_random(void)
{
	unsigned char secret[TLS_TICKET_SECRET_MIN];
	struct tls_ticket_keys *keys = NULL;

	if (RAND_priv_bytes(secret, sizeof secret) == 1)
		keys = tls_ticket_keys_new(secret, sizeof secret);
	mem_wipe(secret, sizeof secret);
	return keys;
}

static void
unshare(const struct tls_ticket_keys *keys)
{
	struct tls_ticket_keys **at = &shared;

	while (*at != NULL && *at != keys)
		at = &(*at)->next;
	if (*at != NULL)
		*at = keys->next;
}

void
tls_ticket_keys_unref(struct tls_ticket_keys **keys)
{
	struct tls_ticket_keys *it = *keys;

	*keys = NULL;
	if (it == NULL || --it->refs > 0)
		return;
	unshare(it);
	EVP_CIPHER_free(it->cipher);
	mem_wipe(it, sizeof *it);
	free(it);
}

const unsigned char *
tls_ticket_keys_cache(const struct tls_ticket_keys *keys)
{
	return keys->cache;
}

struct tls_ticket_key *
tls_ticket_keys_at(struct tls_ticket_keys *keys, int64_t unix_s)
{
	return turn_to(keys, unix_s) == 0 ? &keys->keys[PRESENT] : NULL;
}

struct tls_ticket_key *
tls_ticket_keys_find(struct tls_ticket_keys *keys, int64_t unix_s,
	const unsigned char name[TLS_TICKET_NAME_SIZE],
	enum tls_ticket_opening *opening_out)
{
	*opening_out = TLS_TICKET_FAILED;
	if (turn_to(keys, unix_s) < 0)
		return NULL;
	for (int i = 0; i < N_HOURS; i++) {
		if (memcmp(keys->keys[i].name, name, TLS_TICKET_NAME_SIZE) != 0)
			continue;
		*opening_out =
			i == PRESENT ? TLS_TICKET_CURRENT : TLS_TICKET_AGING;
		return &keys->keys[i];
	}
	*opening_out = TLS_TICKET_UNKNOWN;
	return NULL;
}

static bool
set_mac(EVP_MAC_CTX *mac, struct tls_ticket_key *key)
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(
			OSSL_MAC_PARAM_KEY, key->mac, sizeof key->mac),
		OSSL_PARAM_construct_utf8_string(
			OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_CTX_set_params(mac, params) == 1;
}

static int64_t
now_s(const struct tls_ticket_keys *keys)
{
	return (int64_t)time(NULL) + keys->skew_s;
}

bool
tls_ticket_keys_seal(struct tls_ticket_keys *keys,
	unsigned char name[TLS_TICKET_NAME_SIZE],
	unsigned char iv[TLS_TICKET_IV_SIZE], struct evp_cipher_ctx_st *cipher,
	struct evp_mac_ctx_st *mac)
{
	struct tls_ticket_key *key = tls_ticket_keys_at(keys, now_s(keys));

	if (key == NULL || RAND_bytes(iv, TLS_TICKET_IV_SIZE) != 1)
		return false;
	memcpy(name, key->name, sizeof key->name);
	return EVP_EncryptInit_ex2(cipher, keys->cipher, key->aes, iv, NULL) ==
		       1 &&
	       set_mac(mac, key);
}

enum tls_ticket_opening
tls_ticket_keys_open(struct tls_ticket_keys *keys,
	const unsigned char name[TLS_TICKET_NAME_SIZE],
	const unsigned char iv[TLS_TICKET_IV_SIZE],
	struct evp_cipher_ctx_st *cipher, struct evp_mac_ctx_st *mac)
{
	enum tls_ticket_opening opening;
	struct tls_ticket_key *key =
		tls_ticket_keys_find(keys, now_s(keys), name, &opening);

	if (key == NULL)
		return opening;
	if (EVP_DecryptInit_ex2(cipher, keys->cipher, key->aes, iv, NULL) !=
			1 ||
		!set_mac(mac, key))
		return TLS_TICKET_FAILED;
	return opening;
}

void
tls_ticket_keys_skew(struct tls_ticket_keys *keys, int64_t seconds)
{
	keys->skew_s = seconds;
}
