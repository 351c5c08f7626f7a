/* One SSL_CTX out of one section's settings. */
#include "tls/tls_ctx.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "authz/policy.h"
#include "base/fd.h"
#include "base/mem.h"
#include "conf/settings.h"
#include "tls/tls_admit.h"
#include "tls/tls_blank.h"
#include "tls/tls_ca.h"
#include "tls/tls_cert.h"
#include "tls/tls_cipher.h"
#include "tls/tls_crl.h"
#include "tls/tls_ctx_parts.h"
#include "tls/tls_error.h"
#include "tls/tls_group.h"
#include "tls/tls_hello.h"
#include "tls/tls_keylog.h"
#include "tls/tls_lean.h"
#include "tls/tls_option.h"
#include "tls/tls_sni.h"
#include "tls/tls_ticket.h"
#include "tls/tls_ticket_keys.h"
#include "tls/tls_verify.h"

/* -1 without memory, which the getters and setters refuse. */
static int
ctx_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

/* Whom an SSL belongs to, where its SSL_CTX belongs to another. */
static int
ssl_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

void
tls_init(void)
{
	unsigned char byte;

	(void)OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG |
				       OPENSSL_INIT_LOAD_SSL_STRINGS |
				       OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
		NULL);
	/* Seeds the generator while it may still open what it wants to. */
	(void)RAND_bytes(&byte, 1);
	(void)ctx_index();
	(void)ssl_index();
	tls_hello_init();
	tls_verify_init();
	tls_blank_init();
	tls_lean_init();
}

const char *
tls_library_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}

/* 0 stands for "whatever the library has". */
static int
wire_version(int version)
{
	switch ((enum tls_version)version) {
	case TLS_VERSION_1_0:
		return TLS1_VERSION;
	case TLS_VERSION_1_1:
		return TLS1_1_VERSION;
	case TLS_VERSION_1_2:
		return TLS1_2_VERSION;
	case TLS_VERSION_1_3:
		return TLS1_3_VERSION;
	case TLS_VERSION_HIGHEST:
		return 0;
	}
	return 0;
}

static int
set_versions(SSL_CTX *ssl_ctx, const struct listener_settings *listener,
	struct report *report)
{
	const struct tls_settings *tls = &listener->tls;
	char text[128];

	/* Up to TLS 1.1 signs with MD5 and SHA-1, which OpenSSL 3 allows at
	 * level 0 only. Asking for such a version is asking for this. */
	if (tls->minimum_version < TLS_VERSION_1_2)
		SSL_CTX_set_security_level(ssl_ctx, 0);
	if (SSL_CTX_set_min_proto_version(
		    ssl_ctx, wire_version(tls->minimum_version)) == 1 &&
		SSL_CTX_set_max_proto_version(
			ssl_ctx, wire_version(tls->maximum_version)) == 1)
		return 0;
	settings_report(listener, "minimum_version", 0, REPORT_ERROR, report,
		"minimum_version and maximum_version: %s",
		tls_error_queue_text(text, sizeof text));
	return -1;
}

static void
set_behaviour(SSL_CTX *ssl_ctx)
{
	/* Auto-retry stays on (OpenSSL's default): SSL_read() must not ask for
	 * more before it has eaten what the BIO holds. No auto chain: our own
	 * chain must not be completed from the clients' CAs. */
	(void)SSL_CTX_set_mode(ssl_ctx,
		SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
			SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
			SSL_MODE_AUTO_RETRY | SSL_MODE_NO_AUTO_CHAIN);
	(void)SSL_CTX_set_max_early_data(ssl_ctx, 0);
	/* Only for those whose ciphers say DHE; the default has none. */
	(void)SSL_CTX_set_dh_auto(ssl_ctx, 1);
}

static int
openssl_verify_mode(int mode)
{
	switch ((enum verify_mode)mode) {
	case VERIFY_REQUIRED:
		return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	case VERIFY_OPTIONAL:
		return SSL_VERIFY_PEER;
	case VERIFY_NONE:
		return SSL_VERIFY_NONE;
	case VERIFY_AUTO: /* settled when the settings were loaded */
		break;
	}
	assert(mode != VERIFY_AUTO);
	return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

static void
set_verification(SSL_CTX *ssl_ctx, const struct tls_settings *tls)
{
	(void)SSL_CTX_set_purpose(ssl_ctx, X509_PURPOSE_SSL_CLIENT);
	SSL_CTX_set_verify(ssl_ctx, openssl_verify_mode(tls->verify_mode),
		tls_verify_callback);
	SSL_CTX_set_cert_verify_callback(ssl_ctx, tls_verify_chain, NULL);
}

/* A session never crosses into a context that would have refused its owner;
 * without one OpenSSL fails every resumption of a verified client. */
static int
set_session_context(struct tls_ctx *ctx,
	const struct listener_settings *listener, struct file_source *files,
	struct report *report)
{
	if (tls_entrance_digest(&ctx->entrance, listener, ctx->rules, files) ==
			0 &&
		SSL_CTX_set_session_id_context(ctx->ssl_ctx,
			ctx->entrance.digest, sizeof ctx->entrance.digest) == 1)
		return 0;
	settings_report(listener, "certfile", 0, REPORT_ERROR, report,
		"the session id context cannot be made");
	return -1;
}

/* Who is who: certificates and authorities. */
static int
load_certs(struct tls_ctx *ctx, const struct listener_settings *listener,
	struct file_source *files, struct report *report)
{
	int status = 0;

	/* A key from elsewhere would be exported at its first signature. Not
	 * SSL_CTX_new(): what a library context has fetched is gone through
	 * whenever it decodes a key. */
	tls_lean_begin();
	if (tls_cert_load_pairs(ctx->ssl_ctx, listener, files, report) < 0)
		status = -1;
	if (tls_ca_load(ctx->ssl_ctx, listener, files, report) < 0)
		status = -1;
	if (tls_crl_load(ctx->ssl_ctx, &ctx->entrance.until_s, listener, files,
		    report) < 0)
		status = -1;
	tls_lean_end();
	return status;
}

/* What is negotiated. */
static int
set_protocol(struct tls_ctx *ctx, const struct listener_settings *listener,
	struct report *report)
{
	int status = 0;

	if (set_versions(ctx->ssl_ctx, listener, report) < 0)
		status = -1;
	if (tls_cipher_set(ctx->ssl_ctx, listener, report) < 0)
		status = -1;
	if (tls_group_set(ctx->ssl_ctx, &ctx->groups, listener, report) < 0)
		status = -1;
	if (tls_alpn_set(ctx->ssl_ctx, &ctx->alpn, listener, report) < 0)
		status = -1;
	return status;
}

/* Every step runs, so that all findings come in one run. */
static int
configure(struct tls_ctx *ctx, const struct listener_settings *listener,
	struct file_source *files, struct report *report)
{
	int status = 0;

	set_behaviour(ctx->ssl_ctx);
	tls_option_set(ctx->ssl_ctx, &listener->tls);
	set_verification(ctx->ssl_ctx, &listener->tls);
	tls_hello_install(ctx->ssl_ctx);
	if (set_protocol(ctx, listener, report) < 0)
		status = -1;
	if (load_certs(ctx, listener, files, report) < 0)
		status = -1;
	if (tls_admit_set(ctx, listener, report) < 0)
		status = -1;
	if (tls_ticket_set(ctx, listener, files, report) < 0)
		status = -1;
	if (tls_keylog_set(
		    ctx->ssl_ctx, &ctx->keylog_fd, listener, files, report) < 0)
		status = -1;
	if (status < 0)
		return -1;
	return set_session_context(ctx, listener, files, report);
}

struct tls_ctx *
tls_ctx_new(const struct listener_settings *listener, struct file_source *files,
	struct report *report)
{
	struct tls_ctx *ctx = xcalloc(1, sizeof *ctx);
	char text[128];

	ctx->refs = 1;
	ctx->keylog_fd = -1;
	ctx->ssl_ctx = tls_blank_new(listener->tls.groups != NULL);
	if (ctx->ssl_ctx == NULL ||
		SSL_CTX_set_ex_data(ctx->ssl_ctx, ctx_index(), ctx) != 1) {
		settings_report(listener, "certfile", 0, REPORT_ERROR, report,
			"no TLS context: %s",
			tls_error_queue_text(text, sizeof text));
		goto fail;
	}
	if (configure(ctx, listener, files, report) < 0)
		goto fail;
	return ctx;

fail:
	tls_ctx_unref(&ctx);
	return NULL;
}

struct tls_ctx *
tls_ctx_share(struct tls_ctx *owner, const struct listener_settings *listener)
{
	struct tls_ctx *ctx = xcalloc(1, sizeof *ctx);

	assert(owner->owner == NULL && owner->names == NULL);
	*ctx = *owner;
	ctx->refs = 1;
	ctx->owner = tls_ctx_ref(owner);
	if (tls_entrance_rename(&ctx->entrance, listener) < 0)
		tls_ctx_unref(&ctx);
	return ctx;
}

void
tls_ctx_set_names(
	struct tls_ctx *ctx, struct tls_sni *names, bool reject_unknown)
{
	assert(ctx->names == NULL);

	ctx->names = names;
	ctx->reject_unknown = reject_unknown;
}

struct tls_ctx *
tls_ctx_ref(struct tls_ctx *ctx)
{
	ctx->refs++;
	return ctx;
}

void
tls_ctx_unref(struct tls_ctx **ctx)
{
	struct tls_ctx *it = *ctx;

	*ctx = NULL;
	if (it == NULL || --it->refs > 0)
		return;
	tls_sni_free(&it->names);
	if (it->owner != NULL) {
		tls_ctx_unref(&it->owner);
		free(it);
		return;
	}
	tls_verify_forget(it);
	SSL_CTX_free(it->ssl_ctx);
	tls_alpn_done(&it->alpn);
	policy_rules_free(&it->rules);
	tls_ticket_keys_unref(&it->ticket_keys);
	fd_close(&it->keylog_fd);
	free(it->groups);
	free(it);
}

struct ssl_ctx_st *
tls_ctx_ssl(struct tls_ctx *ctx)
{
	return ctx->ssl_ctx;
}

struct tls_ctx *
tls_ctx_of_ssl(const struct ssl_st *ssl)
{
	struct tls_ctx *ctx = SSL_get_ex_data(ssl, ssl_index());

	if (ctx != NULL)
		return ctx;
	return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), ctx_index());
}

/* Without need an idle connection would be larger for it. */
static bool
mark(struct tls_ctx *ctx, SSL *ssl)
{
	return tls_ctx_of_ssl(ssl) == ctx ||
	       SSL_set_ex_data(ssl, ssl_index(), ctx) == 1;
}

bool
tls_ctx_adopt(struct tls_ctx *ctx, struct ssl_st *ssl)
{
	return mark(ctx, ssl) &&
	       SSL_set_session_id_context(ssl, ctx->entrance.digest,
		       sizeof ctx->entrance.digest) == 1;
}

struct ssl_st *
tls_ctx_new_ssl(struct tls_ctx *ctx)
{
	SSL *ssl = SSL_new(ctx->ssl_ctx);

	if (ssl != NULL && !tls_ctx_adopt(ctx, ssl)) {
		SSL_free(ssl);
		return NULL;
	}
	return ssl;
}

struct tls_ctx *
tls_ctx_for_name(struct tls_ctx *ctx, const char *name)
{
	struct tls_ctx *found = NULL;

	if (ctx->names != NULL && name != NULL)
		found = tls_sni_find(ctx->names, name, strlen(name));
	if (found != NULL)
		return found;
	return ctx->reject_unknown ? NULL : ctx;
}

bool
tls_ctx_same_entrance(const struct tls_ctx *a, const struct tls_ctx *b)
{
	return memcmp(a->entrance.digest, b->entrance.digest,
		       sizeof a->entrance.digest) == 0;
}
