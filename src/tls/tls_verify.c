/* Which client certificates are good, and which one was not. */
#include "tls/tls_verify.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "authz/policy.h"
#include "tls/tls_admit.h"
#include "tls/tls_error.h"
#include "tls/tls_name.h"
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

void
tls_verify_init(void)
{
	(void)failure_index();
	(void)SSL_get_ex_data_X509_STORE_CTX_idx();
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

int
tls_verify_callback(int ok, struct x509_store_ctx_st *store_ctx)
{
	X509 *cert = X509_STORE_CTX_get_current_cert(store_ctx);
	bool is_leaf = X509_STORE_CTX_get_error_depth(store_ctx) == 0;
	struct policy_decision decision;

	if (ok == 1 && is_leaf && (cert == NULL || !is_for_clients(cert))) {
		X509_STORE_CTX_set_error(store_ctx, X509_V_ERR_INVALID_PURPOSE);
		ok = 0;
	}
	if (ok != 1) {
		remember(store_ctx, NULL);
		return ok;
	}
	/* The leaf comes last: the whole chain has been found good. */
	if (!is_leaf)
		return ok;
	if (tls_admit(ssl_of(store_ctx), store_ctx, &decision)) {
		tls_ticket_spare(ssl_of(store_ctx), cert);
		return ok;
	}
	/* Becomes the alert bad_certificate. */
	X509_STORE_CTX_set_error(store_ctx, X509_V_ERR_CERT_REJECTED);
	remember(store_ctx, &decision);
	return 0;
}

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
