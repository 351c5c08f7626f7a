/* Who may come back without showing a certificate again. */
#include "tls/tls_ticket.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/error.h"
#include "conf/file_source.h"
#include "conf/settings.h"
#include "tls/tls_ctx.h"
#include "tls/tls_ctx_parts.h"
#include "tls/tls_session_cache.h"
#include "tls/tls_session_claim.h"
#include "tls/tls_session_seal.h"
#include "tls/tls_ticket_keys.h"

/* Sessions without tickets that one context keeps where no cache is shared. */
#define CACHE_MAX 1024

static int
on_new_ticket(SSL *ssl, void *arg)
{
	(void)arg;
	return tls_session_claim_write(ssl, SSL_get_session(ssl)) ? 1 : 0;
}

/* OpenSSL would not look at the certificate again for a resumed session. */
static SSL_TICKET_RETURN
on_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *key_name,
	size_t key_name_len, SSL_TICKET_STATUS status, void *arg)
{
	const struct tls_ctx *ctx = tls_ctx_of_ssl(ssl);

	(void)key_name;
	(void)key_name_len;
	(void)arg;
	if (ctx == NULL || (status != SSL_TICKET_SUCCESS &&
				   status != SSL_TICKET_SUCCESS_RENEW))
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	if (!tls_session_claim_holds(
		    session, &ctx->entrance, (int64_t)time(NULL)))
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE
					    : SSL_TICKET_RETURN_USE_RENEW;
}

/* A session that goes into the context's own cache. 0: we keep no reference. */
static int
on_new_session(SSL *ssl, SSL_SESSION *session)
{
	if (!tls_session_claim_write(ssl, session))
		tls_session_claim_nothing(session);
	return 0;
}

/* ---- the cache that workers share ---- */

static const unsigned char *
id_of(const SSL_SESSION *session)
{
	unsigned int len;
	const unsigned char *id = SSL_SESSION_get_id(session, &len);

	return len == TLS_SESSION_CACHE_ID_SIZE ? id : NULL;
}

/* -1 without memory, which SSL_SESSION_set_ex_data() refuses. */
static int
stored_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_SESSION_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

/* SESSION is in the table, or was. */
static bool
note_stored(SSL_SESSION *session)
{
	static int stored;

	return SSL_SESSION_set_ex_data(session, stored_index(), &stored) == 1;
}

static bool
was_stored(const SSL_SESSION *session)
{
	return SSL_SESSION_get_ex_data(session, stored_index()) != NULL;
}

/* OpenSSL tells of sessions that travel in a ticket of TLS 1.3, too. */
static int
on_new_shared(SSL *ssl, SSL_SESSION *session)
{
	const struct tls_ctx *ctx = tls_ctx_of_ssl(ssl);
	const unsigned char *id = id_of(session);
	unsigned char sealed[TLS_SESSION_CACHE_MAX];
	size_t len;

	if (ctx == NULL || ctx->ticket_keys == NULL || id == NULL ||
		(SSL_version(ssl) >= TLS1_3_VERSION &&
			(SSL_get_options(ssl) & SSL_OP_NO_TICKET) == 0) ||
		!tls_session_claim_write(ssl, session) || !note_stored(session))
		return 0;
	len = tls_session_seal(session, tls_ticket_keys_cache(ctx->ticket_keys),
		sealed, sizeof sealed);
	(void)tls_session_cache_put(tls_session_cache_shared(), id, sealed, len,
		tls_session_claim_over_s(session));
	return 0;
}

/* OpenSSL itself looks at the session id context and at the time. */
static SSL_SESSION *
on_get_shared(SSL *ssl, const unsigned char *id, int id_len, int *copy_out)
{
	const struct tls_ctx *ctx = tls_ctx_of_ssl(ssl);
	int64_t unix_s = (int64_t)time(NULL);
	unsigned char sealed[TLS_SESSION_CACHE_MAX];
	SSL_SESSION *session;
	size_t len;

	*copy_out = 0; /* the reference is OpenSSL's */
	if (ctx == NULL || ctx->ticket_keys == NULL ||
		id_len != TLS_SESSION_CACHE_ID_SIZE)
		return NULL;
	len = tls_session_cache_get(
		tls_session_cache_shared(), id, unix_s, sealed);
	session = tls_session_unseal(id, (size_t)id_len,
		tls_ticket_keys_cache(ctx->ticket_keys), sealed, len);
	if (session != NULL &&
		(!tls_session_claim_holds(session, &ctx->entrance, unix_s) ||
			!note_stored(session))) {
		SSL_SESSION_free(session);
		return NULL;
	}
	return session;
}

/* OpenSSL tells of every session that ends, also of those in tickets. */
static void
on_remove_shared(SSL_CTX *ssl_ctx, SSL_SESSION *session)
{
	struct tls_session_cache *cache = tls_session_cache_shared();
	const unsigned char *id = id_of(session);

	(void)ssl_ctx;
	if (cache != NULL && id != NULL && was_stored(session))
		tls_session_cache_remove(cache, id);
}

static void
install_shared(SSL_CTX *ssl_ctx)
{
	(void)SSL_CTX_set_session_cache_mode(
		ssl_ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ssl_ctx, on_new_shared);
	SSL_CTX_sess_set_get_cb(ssl_ctx, on_get_shared);
	SSL_CTX_sess_set_remove_cb(ssl_ctx, on_remove_shared);
}

/* ---- clients that get none ---- */

/* Of the session that is sealed: libssl's own limit, and room for all that it
 * holds beside the certificate (names, secrets, times), with a margin. */
#define SESSION_MAX  0xff00
#define SESSION_REST 2048

void
tls_ticket_spare(struct ssl_st *ssl, struct x509_st *cert)
{
	if (i2d_X509(cert, NULL) > SESSION_MAX - SESSION_REST)
		(void)SSL_set_num_tickets(ssl, 0);
}

/* ---- keys ---- */

static int
on_ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv,
	EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int is_sealing)
{
	const struct tls_ctx *ctx = tls_ctx_of_ssl(ssl);

	if (ctx == NULL || ctx->ticket_keys == NULL)
		return is_sealing == 1 ? -1 : 0;
	if (is_sealing == 1)
		return tls_ticket_keys_seal(
			       ctx->ticket_keys, name, iv, cipher, mac)
			       ? 1
			       : -1;
	switch (tls_ticket_keys_open(ctx->ticket_keys, name, iv, cipher, mac)) {
	case TLS_TICKET_CURRENT:
		/* A client of TLS 1.3 uses a ticket once (RFC 8446 appendix
		 * C.4), and so needs the next one. */
		return SSL_version(ssl) >= TLS1_3_VERSION ? 2 : 1;
	case TLS_TICKET_AGING:
		return 2;
	case TLS_TICKET_UNKNOWN:
		return 0;
	case TLS_TICKET_FAILED:
		return -1;
	}
	return -1;
}

/* Where nobody has put the secret of this start (`sallyport check`) any will
 * do. */
static struct tls_ticket_keys *
keys_of_start(struct file_source *files)
{
	const char *bytes;
	size_t len;

	if (file_source_read(files, FILE_SOURCE_TICKET_SECRET, FILE_SECRET,
		    &bytes, &len, NULL) < 0)
		return tls_ticket_keys_new_random();
	return tls_ticket_keys_get((const unsigned char *)bytes, len);
}

static int
load_keys(struct tls_ctx *ctx, const struct listener_settings *listener,
	struct file_source *files, struct report *report)
{
	const char *path = listener->tls.ticket_secret_file;
	struct error err = {"OpenSSL cannot derive the keys"};
	const char *bytes;
	size_t len;

	if (path == NULL)
		ctx->ticket_keys = keys_of_start(files);
	else if (file_source_read(
			 files, path, FILE_SECRET, &bytes, &len, &err) == 0) {
		if (len >= TLS_TICKET_SECRET_MIN)
			ctx->ticket_keys = tls_ticket_keys_get(
				(const unsigned char *)bytes, len);
		else
			(void)error_set(&err,
				"it has %zu bytes; a secret has %d or more",
				len, TLS_TICKET_SECRET_MIN);
	}
	if (ctx->ticket_keys != NULL)
		return 0;
	settings_report(listener, "ticket_secret_file", 0, REPORT_ERROR, report,
		"ticket_secret_file \"%s\": %s", path != NULL ? path : "",
		err.text);
	return -1;
}

/* Whoever begins in this context may be handed over to one that has tickets,
 * so the callbacks are there in any case. */
static void
install(SSL_CTX *ssl_ctx)
{
	(void)SSL_CTX_set_session_ticket_cb(
		ssl_ctx, on_new_ticket, on_ticket, NULL);
	(void)SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl_ctx, on_ticket_key);
	SSL_CTX_sess_set_new_cb(ssl_ctx, on_new_session);
}

int
tls_ticket_set(struct tls_ctx *ctx, const struct listener_settings *listener,
	struct file_source *files, struct report *report)
{
	const struct tls_settings *tls = &listener->tls;

	install(ctx->ssl_ctx);
	(void)SSL_CTX_set_num_tickets(ctx->ssl_ctx, (size_t)tls->num_tickets);
	if (tls->num_tickets == 0) {
		(void)SSL_CTX_set_options(ctx->ssl_ctx, SSL_OP_NO_TICKET);
		(void)SSL_CTX_set_session_cache_mode(
			ctx->ssl_ctx, SSL_SESS_CACHE_OFF);
		return 0;
	}
	/* OpenSSL takes 0 for its own default. */
	ctx->session_life_s = (long)(tls->session_timeout_ms / 1000);
	if (ctx->session_life_s == 0)
		ctx->session_life_s = 1;
	(void)SSL_CTX_set_timeout(ctx->ssl_ctx, ctx->session_life_s);
	/* Sessions that travel as tickets have no id, and are not stored. */
	(void)SSL_CTX_set_session_cache_mode(
		ctx->ssl_ctx, SSL_SESS_CACHE_SERVER);
	(void)SSL_CTX_sess_set_cache_size(ctx->ssl_ctx, CACHE_MAX);
	if (tls_session_cache_shared() != NULL)
		install_shared(ctx->ssl_ctx);
	return load_keys(ctx, listener, files, report);
}
