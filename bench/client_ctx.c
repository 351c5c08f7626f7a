#include "config.h"

#include "client_ctx.h"

#include <openssl/err.h>

#include "base/mem.h"
#include "plan.h"
#include "tally.h"

struct client_ctx {
	struct tally *tally;
	bool resume;
	SSL_CTX *ssl_ctx;
	SSL_SESSION *session;
};

static int
on_session(SSL *ssl, SSL_SESSION *session)
{
	struct client_ctx *ctx = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	ctx->tally->tickets++;
	if (!ctx->resume)
		return 0;
	SSL_SESSION_free(ctx->session);
	ctx->session = session;
	return 1; /* it is ours now */
}

/* Not const: OpenSSL's macros cast that away, which is a warning. TLS 1.2 wants
 * a certificate's curve among the groups, too. */
static char groups_tls13[] = "X25519";
static char groups_tls12[] = "X25519:P-256";
static char signatures[] = "ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256";

static int
configure(SSL_CTX *ctx, const struct plan *plan)
{
	if (SSL_CTX_set_min_proto_version(ctx, plan->version) != 1 ||
		SSL_CTX_set_max_proto_version(ctx, plan->version) != 1 ||
		SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256") != 1 ||
		SSL_CTX_set_cipher_list(ctx,
			"ECDHE-ECDSA-AES128-GCM-SHA256:"
			"ECDHE-RSA-AES128-GCM-SHA256") != 1 ||
		SSL_CTX_set1_groups_list(ctx, plan->version == TLS1_2_VERSION
						      ? groups_tls12
						      : groups_tls13) != 1 ||
		SSL_CTX_set1_sigalgs_list(ctx, signatures) != 1)
		return -1;
	if (plan->cert == NULL)
		return 0;
	return SSL_CTX_use_certificate_chain_file(ctx, plan->cert) == 1 &&
			       SSL_CTX_use_PrivateKey_file(
				       ctx, plan->key, SSL_FILETYPE_PEM) == 1
		       ? 0
		       : -1;
}

struct client_ctx *
client_ctx_new(const struct plan *plan, struct tally *tally)
{
	struct client_ctx *ctx = xcalloc(1, sizeof *ctx);

	ctx->ssl_ctx = SSL_CTX_new(TLS_client_method());
	if (ctx->ssl_ctx == NULL || configure(ctx->ssl_ctx, plan) < 0) {
		ERR_print_errors_fp(stderr);
		SSL_CTX_free(ctx->ssl_ctx);
		free(ctx);
		return NULL;
	}
	ctx->tally = tally;
	ctx->resume = plan->resume;
	SSL_CTX_set_app_data(ctx->ssl_ctx, ctx);
	SSL_CTX_set_mode(ctx->ssl_ctx,
		SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(ctx->ssl_ctx, 1);
	SSL_CTX_set_default_read_buffer_len(ctx->ssl_ctx, (size_t)64 * 1024);
	SSL_CTX_set_session_cache_mode(ctx->ssl_ctx,
		SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx->ssl_ctx, on_session);
	return ctx;
}

SSL_CTX *
client_ctx_ssl_ctx(struct client_ctx *ctx)
{
	return ctx->ssl_ctx;
}

SSL_SESSION *
client_ctx_session(const struct client_ctx *ctx)
{
	/* OpenSSL spoils a session of TLS 1.3 that it has used once. */
	return ctx->session != NULL ? SSL_SESSION_dup(ctx->session) : NULL;
}
