/* Certificates with their keys and chains, from a listener's settings. */
#include "tls/tls_cert.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/error.h"
#include "base/mem.h"
#include "conf/settings.h"
#include "tls/tls_error.h"
#include "tls/tls_key.h"
#include "tls/tls_load.h"
#include "tls/tls_name.h"

#define KEY_TEXT_SIZE 256

/* One certfile with its key. */
struct pair {
	struct tls_item cert_item;
	struct tls_item key_item;
	X509 *leaf;
	STACK_OF(X509) * chain; /* what follows the leaf */
	EVP_PKEY *key;
};

static void
init_pair(struct pair *pair, const struct tls_settings *tls, size_t index)
{
	*pair = (struct pair){
		.cert_item = {"certfile", index, tls->certfile.items[index]}};
	/* Without any keyfile the key is in the certfile, as
	 * load_cert_chain() has it. One too few was reported already. */
	pair->key_item = pair->cert_item;
	if (tls->keyfile.n > 0)
		pair->key_item = (struct tls_item){"keyfile", index,
			index < tls->keyfile.n ? tls->keyfile.items[index]
					       : NULL};
}

static void
done_pair(struct pair *pair)
{
	X509_free(pair->leaf);
	sk_X509_pop_free(pair->chain, X509_free);
	EVP_PKEY_free(pair->key);
}

/* Both files are tried, so that both are complained of in one run. */
static int
read_pair(const struct tls_load *load, struct pair *pair)
{
	pair->chain = tls_load_certs(load, &pair->cert_item);
	if (pair->chain != NULL)
		pair->leaf = sk_X509_shift(pair->chain);
	if (pair->key_item.path != NULL)
		pair->key = tls_key_load(load, &pair->key_item);
	return pair->leaf != NULL && pair->key != NULL ? 0 : -1;
}

static void
check_leaf(const struct tls_load *load, const struct pair *pair)
{
	char name[TLS_LOAD_NAME_SIZE];

	tls_load_check_dates(load, &pair->cert_item, 0, pair->leaf);
	/* All bits are set where there is no extendedKeyUsage. */
	if ((X509_get_extended_key_usage(pair->leaf) & XKU_SSL_SERVER) != 0)
		return;
	tls_name_short(pair->leaf, name, sizeof name);
	(void)tls_load_say(load, &pair->cert_item, REPORT_WARNING,
		" certificate 1 (%s) has an extendedKeyUsage without "
		"serverAuth; clients will refuse it",
		name);
}

static bool
has_issued(X509 *issuer, X509 *cert)
{
	bool ok = X509_check_issued(issuer, cert) == X509_V_OK &&
		  X509_verify(cert, X509_get0_pubkey(issuer)) == 1;

	ERR_clear_error();
	return ok;
}

/* Does any certificate of PAIR but the one at DEPTH itself sign it? */
static bool
has_issuer_elsewhere(const struct pair *pair, int depth, X509 *cert)
{
	for (int i = 0; i < sk_X509_num(pair->chain); i++) {
		if (i + 1 != depth &&
			has_issued(sk_X509_value(pair->chain, i), cert))
			return true;
	}
	return has_issued(pair->leaf, cert) && depth != 0;
}

/* DEPTH counts from the leaf, 0; certificates in a file count from 1. */
static void
check_chain(const struct tls_load *load, const struct pair *pair)
{
	char names[2][TLS_LOAD_NAME_SIZE];
	X509 *below = pair->leaf;

	for (int i = 0; i < sk_X509_num(pair->chain); i++) {
		X509 *cert = sk_X509_value(pair->chain, i);

		tls_load_check_dates(load, &pair->cert_item, i + 1, cert);
		if (has_issued(cert, below)) {
			below = cert;
			continue;
		}
		tls_name_short(cert, names[0], sizeof names[0]);
		tls_name_short(below, names[1], sizeof names[1]);
		(void)tls_load_say(load, &pair->cert_item, REPORT_WARNING,
			" certificate %d (%s) did not sign certificate %d "
			"(%s), the one before it: %s",
			i + 2, names[0], i + 1, names[1],
			has_issuer_elsewhere(pair, i, below)
				? "the chain is out of order"
				: "it does not belong to this chain");
		below = cert;
	}
}

/* Whose the key is, if it is one further down; 0 if none. */
static int
find_owner(const struct pair *pair)
{
	int owner = 0;

	for (int i = 0; owner == 0 && i < sk_X509_num(pair->chain); i++) {
		const X509 *cert = sk_X509_value(pair->chain, i);

		if (X509_check_private_key(cert, pair->key) == 1)
			owner = i + 2;
	}
	ERR_clear_error();
	return owner;
}

static int
say_mismatch(const struct tls_load *load, const struct pair *pair)
{
	EVP_PKEY *public_key = X509_get0_pubkey(pair->leaf);
	char name[TLS_LOAD_NAME_SIZE];
	char cert_text[KEY_TEXT_SIZE] = "unreadable";
	char key_text[KEY_TEXT_SIZE];
	int owner = find_owner(pair);

	if (owner != 0)
		return tls_load_say(load, &pair->key_item, REPORT_ERROR,
			" belongs to certificate %d of certfile \"%s\": the "
			"leaf must come first",
			owner, pair->cert_item.path);
	tls_name_short(pair->leaf, name, sizeof name);
	if (public_key != NULL)
		tls_key_text(public_key, name, cert_text, sizeof cert_text);
	tls_key_text(pair->key, NULL, key_text, sizeof key_text);
	return tls_load_say(load, &pair->key_item, REPORT_ERROR,
		" does not match certfile \"%s\"\ncertificate public key %s; "
		"private key %s",
		pair->cert_item.path, cert_text, key_text);
}

static int
use_pair(const struct tls_load *load, const struct pair *pair, SSL_CTX *ssl_ctx)
{
	char reason[ERROR_TEXT_MAX / 2];
	char kind[64];

	if (X509_check_private_key(pair->leaf, pair->key) != 1) {
		ERR_clear_error();
		return say_mismatch(load, pair);
	}
	if (SSL_CTX_use_cert_and_key(
		    ssl_ctx, pair->leaf, pair->key, pair->chain, 1) == 1)
		return 0;
	tls_key_kind(pair->key, kind, sizeof kind);
	return tls_load_say(load, &pair->cert_item, REPORT_ERROR,
		" (%s) cannot be used: %s", kind,
		tls_error_queue_text(reason, sizeof reason));
}

/* OpenSSL would let the second one of a kind replace the first in silence.
 * KINDS[INDEX] is set; 0, NID_undef, stands for a pair that failed. */
static int
check_kind(const struct tls_load *load, const struct pair *pair, int *kinds)
{
	size_t index = pair->cert_item.index;
	char kind[64];

	kinds[index] = EVP_PKEY_get_base_id(pair->key);
	for (size_t i = 0; i < index; i++) {
		if (kinds[i] != kinds[index])
			continue;
		tls_key_kind(pair->key, kind, sizeof kind);
		return tls_load_say(load, &pair->cert_item, REPORT_ERROR,
			" (%s) has the same kind of key as certfile \"%s\"; "
			"one listener holds one certificate of each kind",
			kind, load->listener->tls.certfile.items[i]);
	}
	return 0;
}

static int
load_pair(
	const struct tls_load *load, size_t index, int *kinds, SSL_CTX *ssl_ctx)
{
	struct pair pair;
	int status;

	init_pair(&pair, &load->listener->tls, index);
	status = read_pair(load, &pair);
	if (pair.leaf != NULL) {
		check_leaf(load, &pair);
		check_chain(load, &pair);
	}
	if (status == 0)
		status = check_kind(load, &pair, kinds);
	if (status == 0)
		status = use_pair(load, &pair, ssl_ctx);
	done_pair(&pair);
	return status;
}

int
tls_cert_load_pairs(struct ssl_ctx_st *ssl_ctx,
	const struct listener_settings *listener, struct file_source *files,
	struct report *report)
{
	const struct tls_load load = {listener, files, report};
	size_t n = listener->tls.certfile.n;
	int *kinds = xcalloc(n + 1, sizeof *kinds);
	int status = 0;

	for (size_t i = 0; i < n; i++) {
		if (load_pair(&load, i, kinds, ssl_ctx) < 0)
			status = -1;
	}
	free(kinds);
	return status;
}
