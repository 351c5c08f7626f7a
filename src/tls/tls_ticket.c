/* Which session tickets are still good. */
#include "tls/tls_ticket.h"

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>

static bool
is_in_time(SSL_SESSION *session)
{
	const X509 *cert = SSL_SESSION_get0_peer(session);

	return cert == NULL ||
	       X509_cmp_current_time(X509_get0_notAfter(cert)) > 0;
}

/* OpenSSL would not look at the certificate again for a resumed session. */
static SSL_TICKET_RETURN
on_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *key_name,
	size_t key_name_len, SSL_TICKET_STATUS status, void *arg)
{
	(void)ssl;
	(void)key_name;
	(void)key_name_len;
	(void)arg;
	if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	if (!is_in_time(session))
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE
					    : SSL_TICKET_RETURN_USE_RENEW;
}

/* The callback for decryption is not called without one for generation. */
static int
on_new_ticket(SSL *ssl, void *arg)
{
	(void)ssl;
	(void)arg;
	return 1;
}

void
tls_ticket_install(struct ssl_ctx_st *ssl_ctx)
{
	(void)SSL_CTX_set_session_ticket_cb(
		ssl_ctx, on_new_ticket, on_ticket, NULL);
}
