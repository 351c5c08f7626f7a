/* The rules of a section inside its handshakes. */
#include "tls/tls_admit.h"

#include <stdio.h>

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "authz/identity.h"
#include "authz/policy.h"
#include "base/error.h"
#include "conf/settings.h"
#include "tls/tls_ctx.h"
#include "tls/tls_ctx_parts.h"
#include "tls/tls_peer.h"

int
tls_admit_set(struct tls_ctx *ctx, const struct listener_settings *listener,
	struct report *report)
{
	struct error err;

	ctx->rules = policy_rules_new(&listener->rules, listener->policies,
		listener->n_policies, &err);
	if (ctx->rules == NULL && report_errors(report) > 0)
		return -1; /* the settings have said so */
	if (ctx->rules == NULL) {
		settings_report(listener, "authorize", 0, REPORT_ERROR, report,
			"%s", err.text);
		return -1;
	}
	/* No rule ever matches a client without a certificate, and TLS has an
	 * alert that says so. */
	if (policy_rules_exist(ctx->rules))
		SSL_CTX_set_verify(ctx->ssl_ctx,
			SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			SSL_CTX_get_verify_callback(ctx->ssl_ctx));
	return 0;
}

/* Who signed the leaf; NULL when the leaf itself is the anchor. */
static X509 *
issuer_of(X509_STORE_CTX *store_ctx)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store_ctx);

	return chain != NULL && sk_X509_num(chain) > 1 ? sk_X509_value(chain, 1)
						       : NULL;
}

/* NULL without memory. */
static struct identity *
identity_for(const struct policy_rules *rules, X509_STORE_CTX *store_ctx)
{
	X509 *cert = X509_STORE_CTX_get_current_cert(store_ctx);
	X509 *issuer = issuer_of(store_ctx);
	struct identity *identity = tls_peer_identity_with_issuer(cert, issuer);

	if (identity != NULL && policy_rules_deny_fingerprints(rules) &&
		tls_peer_add_twin(identity, cert, issuer) < 0)
		identity_free(&identity);
	return identity;
}

bool
tls_admit(struct ssl_st *ssl, struct x509_store_ctx_st *store_ctx,
	struct policy_decision *out)
{
	const struct tls_ctx *ctx = ssl == NULL ? NULL : tls_ctx_of_ssl(ssl);
	struct identity *identity = NULL;

	if (ctx != NULL && !policy_rules_exist(ctx->rules))
		return true;
	if (ctx != NULL)
		identity = identity_for(ctx->rules, store_ctx);
	if (ctx == NULL || identity == NULL) {
		/* Without memory nobody is let in. */
		(void)snprintf(
			out->reason, sizeof out->reason, "out of memory");
		out->allowed = false;
	} else {
		policy_decide(ctx->rules, identity, out);
	}
	identity_free(&identity);
	return out->allowed;
}
