/* What a session says of itself. */
#include "tls/tls_session_claim.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "tls/tls_ctx.h"
#include "tls/tls_ctx_parts.h"
#include "tls/tls_time.h"

/* What a session says of itself (its "ticket appdata"): the digest of the
 * entrance, then the end in seconds since the epoch, big-endian. */
#define TIME_SIZE 8
#define DATA_SIZE (TLS_ENTRANCE_SIZE + TIME_SIZE)

int64_t
tls_session_claim_client_end(struct ssl_st *ssl)
{
	const X509 *leaf = SSL_get0_peer_certificate(ssl);
	int64_t end = tls_time_end_of_chain(SSL_get0_verified_chain(ssl));

	if (end == TLS_TIME_FOREVER && leaf != NULL)
		end = tls_time_unix(X509_get0_notAfter(leaf));
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
tls_session_claim_holds(struct ssl_session_st *session,
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

bool
tls_session_claim_write(struct ssl_st *ssl, struct ssl_session_st *session)
{
	const struct tls_ctx *ctx = tls_ctx_of_ssl(ssl);
	const unsigned char *digest;
	int64_t end;

	if (ctx == NULL)
		return false;
	/* A client that came back showed no chain: what its session said when
	 * it was made goes for the next one too. */
	if (SSL_session_reused(ssl) != 1)
		end = tls_time_end_of_chain(SSL_get0_verified_chain(ssl));
	else if (!read_data(session, &digest, &end))
		end = 0;
	end = earlier(end, ctx->entrance.until_s);
	limit_life(session, end, ctx->session_life_s);
	return write_data(session, &ctx->entrance, end);
}

void
tls_session_claim_nothing(struct ssl_session_st *session)
{
	limit_life(session, 0, 0);
}

int64_t
tls_session_claim_over_s(const struct ssl_session_st *session)
{
	return (int64_t)SSL_SESSION_get_time_ex(session) +
	       SSL_SESSION_get_timeout(session) + 1;
}
