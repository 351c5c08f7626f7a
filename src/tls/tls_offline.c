/* A client's certificates without the client. */
#include "tls/tls_offline.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "authz/identity.h"
#include "authz/policy.h"
#include "base/error.h"
#include "base/mem.h"
#include "tls/tls_ctx.h"
#include "tls/tls_ctx_parts.h"
#include "tls/tls_error.h"
#include "tls/tls_key.h"
#include "tls/tls_load.h"
#include "tls/tls_peer.h"
#include "tls/tls_proof.h"
#include "tls/tls_verify.h"

/* What TLS 1.3 has in a Certificate message beside the certificates: context
 * and length; and for each of them length and extensions (RFC 8446, 4.4.2). */
#define MESSAGE_BYTES 4
#define ENTRY_BYTES   5

struct tls_offline {
	STACK_OF(X509) * certs; /* the client's own first */
};

struct tls_offline *
tls_offline_new(void)
{
	struct tls_offline *offline = xcalloc(1, sizeof *offline);

	offline->certs = sk_X509_new_null();
	assert(offline->certs != NULL);
	return offline;
}

void
tls_offline_free(struct tls_offline **offline)
{
	struct tls_offline *gone = *offline;

	*offline = NULL;
	if (gone == NULL)
		return;
	sk_X509_pop_free(gone->certs, X509_free);
	free(gone);
}

int
tls_offline_add(struct tls_offline *offline, const char *pem, size_t len,
	struct error *err)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	int before = sk_X509_num(offline->certs);
	int status = 0;
	char reason[ERROR_TEXT_MAX / 2];
	X509 *cert;
	int n;

	assert(bio != NULL);
	ERR_clear_error();
	while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		n = sk_X509_push(offline->certs, cert);
		assert(n > 0);
	}
	n = sk_X509_num(offline->certs) - before;
	if (!tls_load_is_end_of_pem())
		status = error_set(err, "certificate %d cannot be read: %s",
			n + 1, tls_error_queue_text(reason, sizeof reason));
	else if (n == 0)
		status = error_set(err, "holds no certificate in PEM");
	ERR_clear_error();
	BIO_free(bio);
	return status;
}

static void
push_counted(struct tls_offline *offline, X509 *cert)
{
	bool pushed = X509_up_ref(cert) == 1 &&
		      sk_X509_push(offline->certs, cert) > 0;

	assert(pushed);
}

struct tls_offline *
tls_offline_of_ssl(struct ssl_st *ssl)
{
	X509 *leaf = SSL_get0_peer_certificate(ssl);
	/* Of a server's peer: without the leaf (SSL_get_peer_cert_chain(3)). */
	const STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	struct tls_offline *offline;

	if (leaf == NULL)
		return NULL;
	offline = tls_offline_new();
	push_counted(offline, leaf);
	for (int i = 0; chain != NULL && i < sk_X509_num(chain); i++)
		push_counted(offline, sk_X509_value(chain, i));
	return offline;
}

static int
refuse_unread(const char *why, struct tls_failure *out)
{
	out->token = "client_certificate_bad";
	(void)snprintf(out->text, sizeof out->text,
		"the client's certificate cannot be read: %s", why);
	return -1;
}

/* OpenSSL reads no longer message than this, before it looks into it. */
static bool
fits_message(const struct tls_offline *offline, SSL *ssl)
{
	long bytes = MESSAGE_BYTES;

	for (int i = 0; i < sk_X509_num(offline->certs); i++) {
		int len = i2d_X509(sk_X509_value(offline->certs, i), NULL);

		bytes += len + ENTRY_BYTES;
	}
	return bytes <= SSL_get_max_cert_list(ssl);
}

/* As libssl does, step by step: there is no function for it. */
static void
take_over(X509_STORE_CTX *store_ctx, SSL *ssl)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(store_ctx);
	long suite_b = SSL_set_cert_flags(ssl, 0); /* sets none, tells all */
	int index = SSL_get_ex_data_X509_STORE_CTX_idx();
	bool fine;

	X509_VERIFY_PARAM_set_auth_level(param, SSL_get_security_level(ssl));
	suite_b &= SSL_CERT_FLAG_SUITEB_128_LOS;
	X509_STORE_CTX_set_flags(store_ctx, (unsigned long)suite_b);
	/* The callback asks for it. */
	fine = X509_STORE_CTX_set_ex_data(store_ctx, index, ssl) == 1 &&
	       X509_STORE_CTX_set_default(store_ctx, "ssl_client") == 1 &&
	       X509_VERIFY_PARAM_set1(param, SSL_get0_param(ssl)) == 1;
	assert(fine);
	X509_STORE_CTX_set_verify_cb(store_ctx, SSL_get_verify_callback(ssl));
}

/* By what the callback has let it in. */
static void
decide(const struct tls_ctx *ctx, X509_STORE_CTX *store_ctx,
	struct policy_decision *out)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store_ctx);
	/* The second is NULL where the client's own is the anchor. */
	struct identity *identity = tls_peer_identity_with_issuer(
		sk_X509_value(chain, 0), sk_X509_value(chain, 1));

	assert(identity != NULL);
	policy_decide(ctx->rules, identity, out);
	assert(out->allowed);
	identity_free(&identity);
}

static int
verify(const struct tls_offline *offline, const struct tls_ctx *ctx, SSL *ssl,
	struct policy_decision *decision_out, struct tls_failure *failure_out)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx->ssl_ctx);
	X509 *leaf = sk_X509_value(offline->certs, 0);
	X509_STORE_CTX *store_ctx = X509_STORE_CTX_new();
	bool ok;

	assert(store_ctx != NULL);
	ok = X509_STORE_CTX_init(store_ctx, store, leaf, offline->certs) == 1;
	assert(ok);
	take_over(store_ctx, ssl);
	ok = X509_verify_cert(store_ctx) == 1;
	SSL_set_verify_result(ssl, X509_STORE_CTX_get_error(store_ctx));
	if (ok)
		decide(ctx, store_ctx, decision_out);
	else
		tls_verify_explain(ssl, failure_out);
	X509_STORE_CTX_free(store_ctx);
	if (ok && X509_get0_pubkey(leaf) == NULL)
		return refuse_unread("unknown certificate type", failure_out);
	return ok ? 0 : -1;
}

static void
allow_unasked(struct policy_decision *out)
{
	out->allowed = true;
	(void)snprintf(out->reason, sizeof out->reason,
		"verify_mode none: no certificate is asked for");
}

int
tls_offline_verify(const struct tls_offline *offline, struct tls_ctx *ctx,
	struct policy_decision *decision_out, struct tls_failure *failure_out)
{
	SSL *ssl = tls_ctx_new_ssl(ctx);
	int status = 0;

	assert(ssl != NULL && sk_X509_num(offline->certs) > 0);
	ERR_clear_error();
	if ((SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) == 0)
		allow_unasked(decision_out);
	else if (!fits_message(offline, ssl))
		status = refuse_unread("excessive message size", failure_out);
	else
		status = verify(offline, ctx, ssl, decision_out, failure_out);
	ERR_clear_error();
	SSL_free(ssl);
	return status;
}

int
tls_offline_prove(const struct tls_offline *offline, const struct tls_ctx *ctx,
	struct tls_failure *failure_out)
{
	const X509 *leaf = sk_X509_value(offline->certs, 0);
	char kind[64];

	if ((SSL_CTX_get_verify_mode(ctx->ssl_ctx) & SSL_VERIFY_PEER) == 0 ||
		tls_proof_is_possible(ctx, leaf))
		return 0;
	tls_key_kind(X509_get0_pubkey(leaf), kind, sizeof kind);
	failure_out->token = "client_certificate_bad";
	(void)snprintf(failure_out->text, sizeof failure_out->text,
		"no handshake here can prove a key of this sort: %s", kind);
	return -1;
}

struct identity *
tls_offline_identity(const struct tls_offline *offline)
{
	struct identity *identity =
		tls_peer_identity_of(sk_X509_value(offline->certs, 0));

	assert(identity != NULL);
	return identity;
}
