/* One SSL_CTX out of one section's settings. */
#include "tls/tls_ctx.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "conf/file_source.h"
#include "conf/settings.h"
#include "tls/tls_ca.h"
#include "tls/tls_cert.h"
#include "tls/tls_cipher.h"
#include "tls/tls_error.h"
#include "tls/tls_ticket.h"
#include "tls/tls_verify.h"

#define SESSION_LIFE_S 3600

struct tls_ctx {
	unsigned refs;
	SSL_CTX *ssl_ctx;
};

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
	(void)SSL_CTX_set_options(
		ssl_ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
				 SSL_OP_CIPHER_SERVER_PREFERENCE |
				 SSL_OP_PRIORITIZE_CHACHA);
	/* Auto-retry stays on (OpenSSL's default): SSL_read() must not ask for
	 * more before it has eaten what the BIO holds. No auto chain: our own
	 * chain must not be completed from the clients' CAs. */
	(void)SSL_CTX_set_mode(ssl_ctx,
		SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
			SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
			SSL_MODE_AUTO_RETRY | SSL_MODE_NO_AUTO_CHAIN);
	(void)SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_timeout(ssl_ctx, SESSION_LIFE_S);
	(void)SSL_CTX_set_num_tickets(ssl_ctx, 2);
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
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ssl_ctx);

	(void)SSL_CTX_set_purpose(ssl_ctx, X509_PURPOSE_SSL_CLIENT);
	(void)X509_VERIFY_PARAM_set_flags(
		param, X509_V_FLAG_X509_STRICT | X509_V_FLAG_PARTIAL_CHAIN |
			       X509_V_FLAG_TRUSTED_FIRST);
	SSL_CTX_set_verify(ssl_ctx, openssl_verify_mode(tls->verify_mode),
		tls_verify_callback);
}

/* With its length, so that no two lists of values hash alike. */
static int
digest_value(EVP_MD_CTX *md, const void *bytes, size_t len)
{
	uint64_t prefix = len;

	return EVP_DigestUpdate(md, &prefix, sizeof prefix) == 1 &&
	       EVP_DigestUpdate(md, bytes, len) == 1;
}

/* All that decides who may come in. */
static int
digest_entrance(EVP_MD_CTX *md, const struct listener_settings *listener,
	struct file_source *files)
{
	const struct tls_settings *tls = &listener->tls;
	const char *bytes;
	size_t len;
	int ok = digest_value(md, listener->name, strlen(listener->name)) &&
		 digest_value(md, &tls->verify_mode, sizeof tls->verify_mode);

	for (size_t i = 0; ok && i < tls->cafile.n; i++) {
		/* What cannot be read has been reported by tls_ca_load(). */
		ok = file_source_read(files, tls->cafile.items[i], FILE_PUBLIC,
			     &bytes, &len, NULL) == 0 &&
		     digest_value(md, bytes, len);
	}
	return ok;
}

/* A session never crosses into a context that would have refused its owner;
 * without one OpenSSL fails every resumption of a verified client. */
static int
set_session_context(SSL_CTX *ssl_ctx, const struct listener_settings *listener,
	struct file_source *files)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned len = 0;
	int ok;

	ok = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
	     digest_entrance(md, listener, files) &&
	     EVP_DigestFinal_ex(md, digest, &len) == 1 &&
	     SSL_CTX_set_session_id_context(ssl_ctx, digest, len) == 1;
	EVP_MD_CTX_free(md);
	return ok ? 0 : -1;
}

/* Every step runs, so that all findings come in one run. */
static int
configure(SSL_CTX *ssl_ctx, const struct listener_settings *listener,
	struct file_source *files, struct report *report)
{
	int status = 0;

	set_behaviour(ssl_ctx);
	set_verification(ssl_ctx, &listener->tls);
	tls_ticket_install(ssl_ctx);
	if (set_versions(ssl_ctx, listener, report) < 0)
		status = -1;
	if (tls_cipher_set(ssl_ctx, listener, report) < 0)
		status = -1;
	if (tls_cert_load_pairs(ssl_ctx, listener, files, report) < 0)
		status = -1;
	if (tls_ca_load(ssl_ctx, listener, files, report) < 0)
		status = -1;
	if (status == 0 && set_session_context(ssl_ctx, listener, files) < 0) {
		settings_report(listener, "certfile", 0, REPORT_ERROR, report,
			"the session id context cannot be made");
		status = -1;
	}
	return status;
}

struct tls_ctx *
tls_ctx_new(const struct listener_settings *listener, struct file_source *files,
	struct report *report)
{
	struct tls_ctx *ctx = xcalloc(1, sizeof *ctx);

	ERR_clear_error();
	ctx->refs = 1;
	ctx->ssl_ctx = SSL_CTX_new(TLS_server_method());
	if (ctx->ssl_ctx == NULL) {
		char text[128];

		settings_report(listener, "certfile", 0, REPORT_ERROR, report,
			"no TLS context: %s",
			tls_error_queue_text(text, sizeof text));
		goto fail;
	}
	if (configure(ctx->ssl_ctx, listener, files, report) < 0)
		goto fail;
	return ctx;

fail:
	tls_ctx_unref(&ctx);
	return NULL;
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
	SSL_CTX_free(it->ssl_ctx);
	free(it);
}

struct ssl_ctx_st *
tls_ctx_ssl(struct tls_ctx *ctx)
{
	return ctx->ssl_ctx;
}
