#pragma once

#include <stddef.h>

struct evp_pkey_st;
struct tls_item;
struct tls_load;

/*
 * Private keys out of PEM: plain, encrypted PKCS#8 or traditional, alone or
 * beside certificates. Never prompts; no finding ever quotes the file.
 */

/* The private key in ITEM's file, decrypted with password_file where it is
 * encrypted. The caller frees it. NULL after reporting why not. */
struct evp_pkey_st *tls_key_load(
	const struct tls_load *load, const struct tls_item *item);

/* "EC P-256", "RSA 2048", "ED25519". Always terminates OUT. */
void tls_key_kind(const struct evp_pkey_st *key, char *out, size_t out_size);

/* "sha256:9c1f.. (EC P-256)": fingerprint of the SubjectPublicKeyInfo, cut,
 * and the kind of key; with NAME not NULL "(EC P-256, NAME)". Always
 * terminates OUT. */
void tls_key_text(
	struct evp_pkey_st *key, const char *name, char *out, size_t out_size);
