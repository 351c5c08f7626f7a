#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evp_cipher_ctx_st;
struct evp_mac_ctx_st;

/*
 * The keys that session tickets are sealed with: one for each hour since the
 * epoch, derived from one secret (HKDF-SHA256), so that all workers, and all
 * machines that have the secret, change keys at the same moment with nothing
 * to hand around. A ticket can be opened in the hour it was sealed in, in the
 * next one, and, for machines whose clocks are late, in the one before.
 */
struct tls_ticket_keys;

/* Less is no secret. */
#define TLS_TICKET_SECRET_MIN 32

#define TLS_TICKET_NAME_SIZE 16
#define TLS_TICKET_IV_SIZE   16

/* One hour's key. */
struct tls_ticket_key {
	unsigned char name[TLS_TICKET_NAME_SIZE]; /* sent in the clear */
	unsigned char aes[32];                    /* AES-256-CBC */
	unsigned char mac[32];                    /* HMAC-SHA256 */
};

/* A reference for the caller. SECRET is not kept: only what is derived from
 * it. NULL when OpenSSL cannot, without memory mostly. */
struct tls_ticket_keys *tls_ticket_keys_new(
	const unsigned char *secret, size_t len);
/* The same, but whoever gets keys of this SECRET while there are some gets
 * those: a thousand contexts then derive an hour's keys once. */
struct tls_ticket_keys *tls_ticket_keys_get(
	const unsigned char *secret, size_t len);
/* From a secret that nobody else knows. */
struct tls_ticket_keys *tls_ticket_keys_new_random(void);

/* The last one wipes them. Accepts NULL. */
void tls_ticket_keys_unref(struct tls_ticket_keys **keys);

enum tls_ticket_opening {
	TLS_TICKET_UNKNOWN, /* no key of that name (any more, or yet) */
	TLS_TICKET_CURRENT, /* sealed in this hour */
	TLS_TICKET_AGING,   /* in a neighbouring one: to be sealed anew */
	TLS_TICKET_FAILED   /* OpenSSL failed */
};

/* The one for sessions that do not travel (tls_session_seal), which need no
 * new one every hour. Valid as long as KEYS. */
const unsigned char *tls_ticket_keys_cache(const struct tls_ticket_keys *keys);

/*
 * The key for sealing at UNIX_S, and the one of that NAME for opening; valid
 * until the next call. NULL when OpenSSL failed; find also answers NULL for a
 * name it does not know. *OPENING_OUT tells which.
 */
struct tls_ticket_key *tls_ticket_keys_at(
	struct tls_ticket_keys *keys, int64_t unix_s);
struct tls_ticket_key *tls_ticket_keys_find(struct tls_ticket_keys *keys,
	int64_t unix_s, const unsigned char name[TLS_TICKET_NAME_SIZE],
	enum tls_ticket_opening *opening_out);

/* For SSL_CTX_set_tlsext_ticket_key_evp_cb(): fills NAME and IV and sets up
 * both contexts for sealing now; false when OpenSSL failed. */
bool tls_ticket_keys_seal(struct tls_ticket_keys *keys,
	unsigned char name[TLS_TICKET_NAME_SIZE],
	unsigned char iv[TLS_TICKET_IV_SIZE], struct evp_cipher_ctx_st *cipher,
	struct evp_mac_ctx_st *mac);

/* The same for opening what NAME and IV stand before. */
enum tls_ticket_opening tls_ticket_keys_open(struct tls_ticket_keys *keys,
	const unsigned char name[TLS_TICKET_NAME_SIZE],
	const unsigned char iv[TLS_TICKET_IV_SIZE],
	struct evp_cipher_ctx_st *cipher, struct evp_mac_ctx_st *mac);

/* From now on their clock is wrong by SECONDS. For tests. */
void tls_ticket_keys_skew(struct tls_ticket_keys *keys, int64_t seconds);
