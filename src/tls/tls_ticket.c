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
#include "tls/tls_ticket_keys.h"

/* Sessions of TLS 1.2 without tickets that one context of a worker keeps. */
#define CACHE_MAX 1024

/* What a session says of itself (its "ticket appdata"): the digest of the
 * entrance, then the end in seconds since the epoch, big-endian. */
#define TIME_SIZE 8
#define DATA_SIZE (TLS_ENTRANCE_SIZE + TIME_SIZE)

static int64_t
unix_time(const ASN1_TIME *time)
{
	struct tm tm;

	/* What cannot be read was not verified either. */
	return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

/* When the first certificate of the client's chain expires. */
static int64_t
end_of_chain(SSL *ssl)
{
	const STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
	int64_t end = TLS_ENTRANCE_FOREVER;

	for (int i = 0; chain != NULL && i < sk_X509_num(chain); i++) {
		const X509 *cert = sk_X509_value(chain, i);
		int64_t until = unix_time(X509_get0_notAfter(cert));

		if (until < end)
			end = until;
	}
	return end;
}

int64_t
tls_ticket_client_end(struct ssl_st *ssl)
{
	const X509 *leaf = SSL_get0_peer_certificate(ssl);
	int64_t end = end_of_chain(ssl);

	if (end == TLS_ENTRANCE_FOREVER && leaf != NULL)
		end = unix_time(X509_get0_notAfter(leaf));
	return end;
}

/* False where SESSION says nothing that we could have written. */
static bool
read_data(SSL_SESSION *session, const unsigned char **digest_out,
	int64_t *end_out)
{
	void *data = NULL;
	size_t len = 0;
	const unsigned char *bytes;
	uint64_t end = 0;

	if (SSL_SESSION_get0_ticket_appdata(session, &data, &len) != 1 ||
		data == NULL || len != DATA_SIZE)
		return false;
	bytes = data;
	for (size_t i = 0; i < TIME_SIZE; i++)
		end = end << 8 | bytes[TLS_ENTRANCE_SIZE + i];
	*digest_out = bytes;
	*end_out = (int64_t)end;
	return true;
}

static bool
write_data(
	SSL_SESSION *session, const struct tls_entrance *entrance, int64_t end)
{
	unsigned char data[DATA_SIZE];

	memcpy(data, entrance->digest, TLS_ENTRANCE_SIZE);
	for (size_t i = 0; i < TIME_SIZE; i++)
		data[TLS_ENTRANCE_SIZE + i] =
			(unsigned char)((uint64_t)end >> (56 - 8 * i));
	return SSL_SESSION_set1_ticket_appdata(session, data, sizeof data) == 1;
}

bool
tls_ticket_holds(struct ssl_session_st *session,
	const struct tls_entrance *entrance, int64_t unix_s)
{
	const unsigned char *digest;
	int64_t end;

	return read_data(session, &digest, &end) &&
	       memcmp(digest, entrance->digest, TLS_ENTRANCE_SIZE) == 0 &&
	       end > unix_s;
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

#if OPENSSL_VERSION_NUMBER < 0x30300000L /* 3.4 deprecates the old names */
static time_t
SSL_SESSION_get_time_ex(const SSL_SESSION *session)
{
	return (time_t)SSL_SESSION_get_time(session);
}

static time_t
SSL_SESSION_set_time_ex(SSL_SESSION *session, time_t seconds)
{
	return (time_t)SSL_SESSION_set_time(session, (long)seconds);
}
#endif

/*
 * Before END, which is a second too late, SESSION may live for LIFE_S. Nobody
 * asks one that is in the cache what it says of itself, so this must be exact;
 * and as OpenSSL cannot write a life of 0 into a ticket, one that is over was
 * born a second before.
 */
static void
limit_life(SSL_SESSION *session, int64_t end, int64_t life_s)
{
	int64_t born = (int64_t)SSL_SESSION_get_time_ex(session);
	int64_t last = earlier(end > 2 ? end - 1 : 2, born + life_s);

	if (last <= born) {
		born = last - 1;
		(void)SSL_SESSION_set_time_ex(session, (time_t)born);
	}
	(void)SSL_SESSION_set_timeout(session, (long)(last - born));
}

/* Lets SESSION of SSL speak for itself, and not for longer than it may. */
static bool
mark(SSL *ssl, SSL_SESSION *session)
{
	const struct tls_ctx *ctx = tls_ctx_of_ssl(ssl);
	const unsigned char *digest;
	int64_t end;

	if (ctx == NULL)
		return false;
	/* A client that came back showed no chain: what its session said when
	 * it was made goes for the next one too. */
	if (SSL_session_reused(ssl) != 1)
		end = end_of_chain(ssl);
	else if (!read_data(session, &digest, &end))
		end = 0;
	end = earlier(end, ctx->entrance.until_s);
	limit_life(session, end, ctx->session_life_s);
	return write_data(session, &ctx->entrance, end);
}

static int
on_new_ticket(SSL *ssl, void *arg)
{
	(void)arg;
	return mark(ssl, SSL_get_session(ssl)) ? 1 : 0;
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
	if (!tls_ticket_holds(session, &ctx->entrance, (int64_t)time(NULL)))
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE
					    : SSL_TICKET_RETURN_USE_RENEW;
}

/* A session that goes into the cache. 0: we keep no reference. */
static int
on_new_session(SSL *ssl, SSL_SESSION *session)
{
	if (!mark(ssl, session))
		limit_life(session, 0, 0);
	return 0;
}

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
	return tls_ticket_keys_new((const unsigned char *)bytes, len);
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
			ctx->ticket_keys = tls_ticket_keys_new(
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
	return load_keys(ctx, listener, files, report);
}
