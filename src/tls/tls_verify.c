/* Which client certificates are good, and which one was not. */
#include "tls/tls_verify.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "authz/policy.h"
#include "tls/tls_admit.h"
#include "tls/tls_ctx.h"
#include "tls/tls_ctx_parts.h"
#include "tls/tls_error.h"
#include "tls/tls_name.h"
#include "tls/tls_seen.h"
#include "tls/tls_time.h"
#include "tls/tls_ticket.h"

/* Cut, so that both names and the reason fit into TLS_ERROR_TEXT_MAX. */
#define NAME_MAX_BYTES 180

/* Which certificate failed the verification; hangs on the SSL. */
struct verify_failure {
	int error; /* X509_V_ERR_ */
	int depth;
	char subject[NAME_MAX_BYTES];
	char issuer[NAME_MAX_BYTES];
	/* Of a client that only the rules refuse: it is who it says. */
	char denied_for[POLICY_REASON_MAX];
	X509 *denied; /* counted; NULL: the chain itself was bad */
};

static void
free_failure(void *parent, void *failure, CRYPTO_EX_DATA *data, int index,
	long argl, void *argp)
{
	(void)parent;
	(void)data;
	(void)index;
	(void)argl;
	(void)argp;
	if (failure != NULL)
		X509_free(((struct verify_failure *)failure)->denied);
	free(failure);
}

/* -1 without memory, which SSL_get_ex_data() and _set_ex_data() refuse. */
static int
failure_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_failure);
	return index;
}

static SSL *
ssl_of(X509_STORE_CTX *store_ctx)
{
	return X509_STORE_CTX_get_ex_data(
		store_ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
}

/* DECISION is NULL where the chain was bad. */
static void
remember(X509_STORE_CTX *store_ctx, const struct policy_decision *decision)
{
	SSL *ssl = ssl_of(store_ctx);
	X509 *cert = X509_STORE_CTX_get_current_cert(store_ctx);
	struct verify_failure *failure;

	/* The first failure decides; without memory the rest is still told. */
	if (ssl == NULL || SSL_get_ex_data(ssl, failure_index()) != NULL)
		return;
	failure = calloc(1, sizeof *failure);
	if (failure == NULL)
		return;
	failure->error = X509_STORE_CTX_get_error(store_ctx);
	failure->depth = X509_STORE_CTX_get_error_depth(store_ctx);
	if (cert != NULL) {
		tls_name_cut(X509_get_subject_name(cert), failure->subject,
			sizeof failure->subject);
		tls_name_cut(X509_get_issuer_name(cert), failure->issuer,
			sizeof failure->issuer);
	}
	if (decision != NULL && cert != NULL && X509_up_ref(cert) == 1) {
		(void)snprintf(failure->denied_for, sizeof failure->denied_for,
			"%s", decision->reason);
		failure->denied = cert;
	}
	if (SSL_set_ex_data(ssl, failure_index(), failure) != 1) {
		X509_free(failure->denied);
		free(failure);
	}
}

/*
 * OpenSSL takes a certificate without extendedKeyUsage for every purpose, and
 * a server's certificate from the same CA would then do as a client's.
 */
static bool
is_for_clients(X509 *cert)
{
	return (X509_get_extension_flags(cert) & EXFLAG_XKUSAGE) != 0 &&
	       (X509_get_extended_key_usage(cert) & XKU_SSL_CLIENT) != 0;
}

/* Is the current certificate the client's own: the leaf, or one that a proxy
 * certificate (RFC 3820) was made with? */
static bool
is_of_client(X509_STORE_CTX *store_ctx)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store_ctx);
	int depth = X509_STORE_CTX_get_error_depth(store_ctx);
	X509 *below = sk_X509_value(chain, depth - 1);

	return depth == 0 ||
	       (below != NULL &&
		       (X509_get_extension_flags(below) & EXFLAG_PROXY) != 0);
}

int
tls_verify_callback(int ok, struct x509_store_ctx_st *store_ctx)
{
	X509 *cert = X509_STORE_CTX_get_current_cert(store_ctx);
	bool is_leaf = X509_STORE_CTX_get_error_depth(store_ctx) == 0;
	struct policy_decision decision;

	if (ok == 1 && is_of_client(store_ctx) &&
		(cert == NULL || !is_for_clients(cert))) {
		X509_STORE_CTX_set_error(store_ctx, X509_V_ERR_INVALID_PURPOSE);
		ok = 0;
	}
	if (ok != 1) {
		remember(store_ctx, NULL);
		return ok;
	}
	/* The leaf comes last: the whole chain has been found good. */
	if (!is_leaf || tls_admit(ssl_of(store_ctx), store_ctx, &decision))
		return ok;
	/* Becomes the alert bad_certificate. */
	X509_STORE_CTX_set_error(store_ctx, X509_V_ERR_CERT_REJECTED);
	remember(store_ctx, &decision);
	return 0;
}

/* ---- a chain that was good a moment ago ---- */

/* Of the worker. NULL: without memory it does without one. */
static struct tls_seen *seen_chains;
static int64_t clock_skew_s;
static uint64_t n_recalled;

void
tls_verify_init(void)
{
	(void)failure_index();
	(void)SSL_get_ex_data_X509_STORE_CTX_idx();
	if (seen_chains == NULL)
		seen_chains = tls_seen_new();
}

/* Sooner than END, if it is still to come. */
static void
change_at(int64_t *end, int64_t now_s, const ASN1_TIME *time)
{
	int64_t when_s = time == NULL ? TLS_TIME_FOREVER : tls_time_unix(time);

	if (when_s > now_s && when_s < *end)
		*end = when_s;
}

/*
 * As long as nothing about CHAIN can change by itself: until the first
 * certificate expires, or any of the CRLs does, or one comes into force. Which
 * of them count is OpenSSL's affair.
 */
static int64_t
good_until(const STACK_OF(X509) * chain, X509_STORE *store, int64_t now_s)
{
	const STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
	int64_t end = tls_time_end_of_chain(chain);

	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		const X509_CRL *crl = X509_OBJECT_get0_X509_CRL(
			sk_X509_OBJECT_value(objects, i));

		if (crl == NULL)
			continue;
		change_at(&end, now_s, X509_CRL_get0_lastUpdate(crl));
		change_at(&end, now_s, X509_CRL_get0_nextUpdate(crl));
	}
	return end;
}

static void
note_good(X509_STORE_CTX *store_ctx, const struct tls_seen_key *key,
	int64_t now_s)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get1_chain(store_ctx);
	X509_STORE *store = X509_STORE_CTX_get0_store(store_ctx);

	if (chain != NULL)
		tls_seen_add(seen_chains, key, chain, now_s,
			good_until(chain, store, now_s));
}

/* As if it had been verified now: what is asked afterwards is the chain. */
static bool
recall(X509_STORE_CTX *store_ctx, const struct tls_seen_key *key, int64_t now_s)
{
	STACK_OF(X509) *known = tls_seen_find(seen_chains, key, now_s);
	STACK_OF(X509) *chain = known == NULL ? NULL : X509_chain_up_ref(known);

	if (chain == NULL)
		return false;
	X509_STORE_CTX_set0_verified_chain(store_ctx, chain);
	X509_STORE_CTX_set_error(store_ctx, X509_V_OK);
	n_recalled++;
	return true;
}

/* Recalled or verified: is it good? */
static bool
is_good(X509_STORE_CTX *store_ctx, const struct tls_ctx *ctx)
{
	/* Whatever verifies is shared. */
	const struct tls_ctx *owner =
		ctx != NULL && ctx->owner != NULL ? ctx->owner : ctx;
	const STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(store_ctx);
	/* Before the verification, which is the safe side of a change. */
	int64_t now_s = (int64_t)time(NULL) + clock_skew_s;
	struct tls_seen_key key;
	/* libssl sends the leaf along. */
	bool has_key =
		seen_chains != NULL && owner != NULL &&
		sk_X509_value(sent, 0) == X509_STORE_CTX_get0_cert(store_ctx) &&
		tls_seen_key(owner, sent, &key);

	if (has_key && recall(store_ctx, &key, now_s))
		return true;
	if (X509_verify_cert(store_ctx) != 1)
		return false;
	if (has_key && X509_STORE_CTX_get_error(store_ctx) == X509_V_OK)
		note_good(store_ctx, &key, now_s);
	return true;
}

int
tls_verify_chain(struct x509_store_ctx_st *store_ctx, void *arg)
{
	SSL *ssl = ssl_of(store_ctx);

	(void)arg;
	if (!is_good(store_ctx, ssl == NULL ? NULL : tls_ctx_of_ssl(ssl)))
		return 0;
	tls_ticket_spare(ssl, X509_STORE_CTX_get0_cert(store_ctx));
	return 1;
}

void
tls_verify_forget(const struct tls_ctx *ctx)
{
	if (seen_chains != NULL)
		tls_seen_forget(seen_chains, ctx);
}

uint64_t
tls_verify_recalled(void)
{
	return n_recalled;
}

void
tls_verify_skew(int64_t seconds)
{
	clock_skew_s = seconds;
}

/* ---- why it was bad ---- */

static const char *
verify_token(long error)
{
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return "client_certificate_expired";
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return "client_certificate_not_yet_valid";
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		return "client_certificate_self_signed";
	case X509_V_ERR_INVALID_PURPOSE:
		return "client_certificate_purpose";
	case X509_V_ERR_CERT_REVOKED:
		return "client_certificate_revoked";
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
	case X509_V_ERR_DIFFERENT_CRL_SCOPE:
		return "client_crl_missing";
	case X509_V_ERR_CRL_HAS_EXPIRED:
		return "client_crl_expired";
	case X509_V_ERR_CRL_NOT_YET_VALID:
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
	case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
	case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
	case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
	case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
	case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
		return "client_crl_bad";
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
	case X509_V_ERR_CERT_CHAIN_TOO_LONG:
	case X509_V_ERR_INVALID_CA:
	case X509_V_ERR_PATH_LENGTH_EXCEEDED:
	case X509_V_ERR_CERT_UNTRUSTED:
	case X509_V_ERR_CERT_REJECTED:
		return "client_certificate_untrusted";
	default:
		return "client_certificate_bad";
	}
}

/* OpenSSL's words, but where they changed from release to release. */
static const char *
verify_words(long error)
{
	if (error == X509_V_ERR_INVALID_PURPOSE)
		return "extendedKeyUsage does not allow clientAuth";
	return X509_verify_cert_error_string(error);
}

void
tls_verify_explain(struct ssl_st *ssl, struct tls_failure *out)
{
	const struct verify_failure *failure =
		SSL_get_ex_data(ssl, failure_index());
	long error =
		failure != NULL ? failure->error : SSL_get_verify_result(ssl);

	out->token = verify_token(error);
	if (failure != NULL && failure->denied != NULL) {
		out->token = TLS_FAILURE_DENIED;
		(void)snprintf(
			out->text, sizeof out->text, "%s", failure->denied_for);
	} else if (failure == NULL)
		(void)snprintf(
			out->text, sizeof out->text, "%s", verify_words(error));
	else
		(void)snprintf(out->text, sizeof out->text,
			"%s: depth %d, subject \"%s\", issuer \"%s\"",
			verify_words(error), failure->depth, failure->subject,
			failure->issuer);
}

struct x509_st *
tls_verify_denied(struct ssl_st *ssl)
{
	const struct verify_failure *failure =
		SSL_get_ex_data(ssl, failure_index());

	return failure == NULL ? NULL : failure->denied;
}
