/* Why TLS failed, in words. */
#include "tls/tls_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tls/tls_hello.h"
#include "tls/tls_verify.h"

/* SSL_R_ codes from here on are alerts of the peer: 1000 + the alert. */
#define ALERT_BASE 1000

static void __attribute__((format(printf, 3, 4)))
say(struct tls_failure *out, const char *token, const char *fmt, ...)
{
	va_list args;

	out->token = token;
	va_start(args, fmt);
	(void)vsnprintf(out->text, sizeof out->text, fmt, args);
	va_end(args);
}

/* What a client most likely means by an alert. */
static const char *
alert_hint(int alert)
{
	switch (alert) {
	case SSL_AD_UNKNOWN_CA:
		return ": it does not know the CA of our certificate";
	case SSL_AD_BAD_CERTIFICATE:
	case SSL_AD_UNSUPPORTED_CERTIFICATE:
	case SSL_AD_CERTIFICATE_UNKNOWN:
		return ": it does not accept our certificate";
	case SSL_AD_CERTIFICATE_EXPIRED:
		return ": to its clock our certificate has expired";
	case SSL_AD_CERTIFICATE_REVOKED:
		return ": to its knowledge our certificate was revoked";
	default:
		return "";
	}
}

static void
explain_version(SSL *ssl, struct tls_failure *out)
{
	/* TLS 1.3 clients write 1.2 there, and fail for other reasons. */
	switch (SSL_client_version(ssl)) {
	case SSL3_VERSION:
		say(out, "protocol_version", "the client knows only SSLv3");
		return;
	case TLS1_VERSION:
		say(out, "protocol_version",
			"the client knows no TLS version above TLSv1");
		return;
	case TLS1_1_VERSION:
		say(out, "protocol_version",
			"the client knows no TLS version above TLSv1.1");
		return;
	default:
		say(out, "protocol_version",
			"no TLS version in common with the client");
	}
}

static void
explain_not_tls(int reason, struct tls_failure *out)
{
	if (reason == SSL_R_HTTP_REQUEST)
		say(out, "not_tls", "plain HTTP on a TLS port");
	else if (reason == SSL_R_HTTPS_PROXY_REQUEST)
		say(out, "not_tls", "an HTTP proxy request on a TLS port");
	else
		say(out, "not_tls", "the first bytes are not TLS");
}

static const char *
reason_words(unsigned long entry)
{
	const char *words = NULL;

	if (ERR_SYSTEM_ERROR(entry))
		words = strerror(ERR_GET_REASON(entry));
	else if (entry != 0)
		words = ERR_reason_error_string(entry);
	return words != NULL ? words : "no reason known";
}

/* Everything that is not about versions, certificates or alerts. */
static void
explain_state(SSL *ssl, unsigned long entry, struct tls_failure *out)
{
	OSSL_HANDSHAKE_STATE state = SSL_get_state(ssl);

	/* Not even a ClientHello. The reason alone does not tell: the same
	 * ones come for a bad record later on. */
	if (state == TLS_ST_BEFORE && entry != 0)
		explain_not_tls(ERR_GET_REASON(entry), out);
	else if (state == TLS_ST_SR_CERT ||
		 ERR_GET_REASON(entry) == SSL_R_EXCESSIVE_MESSAGE_SIZE)
		/* Nothing else of a client is large; 3.5 is in another state
		 * by then. */
		say(out, "client_certificate_bad",
			"the client's certificate cannot be read: %s",
			reason_words(entry));
	else if (state == TLS_ST_SR_CERT_VRFY)
		say(out, "client_certificate_bad",
			"the client did not prove that it has the key of its "
			"certificate: %s",
			reason_words(entry));
	else
		say(out, "tls_protocol_error", "%s", reason_words(entry));
}

static void
explain_reason(SSL *ssl, unsigned long entry, struct tls_failure *out)
{
	int reason = ERR_GET_REASON(entry);

	switch (reason) {
	case SSL_R_CERTIFICATE_VERIFY_FAILED:
		tls_verify_explain(ssl, out);
		return;
	case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
		say(out, "client_certificate_required",
			"the client sent no certificate");
		return;
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_VERSION_TOO_LOW:
	case SSL_R_NO_PROTOCOLS_AVAILABLE:
	case SSL_R_INAPPROPRIATE_FALLBACK:
		explain_version(ssl, out);
		return;
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_NO_SHARED_GROUPS:
	case SSL_R_NO_SUITABLE_GROUPS:
	case SSL_R_NO_SUITABLE_KEY_SHARE:
	case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
		say(out, "no_shared_cipher", "%s", reason_words(entry));
		return;
	case SSL_R_NO_APPLICATION_PROTOCOL:
		say(out, "no_application_protocol",
			"no application protocol in common with the client");
		return;
	case SSL_R_CALLBACK_FAILED:
		if (!tls_hello_explain(ssl, out))
			explain_state(ssl, entry, out);
		return;
	default:
		explain_state(ssl, entry, out);
	}
}

/*
 * The entry that says most: the last one of libssl, since what lies below it
 * (a decoder's complaint) came first; else the first of all.
 */
static unsigned long
drain_queue(void)
{
	unsigned long first = 0;
	unsigned long best = 0;
	unsigned long entry;

	while ((entry = ERR_get_error()) != 0) {
		if (first == 0)
			first = entry;
		if (ERR_GET_LIB(entry) == ERR_LIB_SSL &&
			ERR_GET_REASON(entry) != ERR_R_INTERNAL_ERROR)
			best = entry;
	}
	return best != 0 ? best : first;
}

void
tls_error_explain(struct ssl_st *ssl, struct tls_failure *out)
{
	unsigned long entry = drain_queue();
	int reason = ERR_GET_REASON(entry);

	if (ERR_GET_LIB(entry) != ERR_LIB_SSL)
		explain_state(ssl, entry, out);
	else if (reason >= ALERT_BASE && reason <= ALERT_BASE + 255)
		say(out, "client_refused_us", "the client sent alert \"%s\"%s",
			SSL_alert_desc_string_long(reason - ALERT_BASE),
			alert_hint(reason - ALERT_BASE));
	else
		explain_reason(ssl, entry, out);
}

const char *
tls_error_queue_text(char *out, size_t out_size)
{
	const char *last = NULL;
	unsigned long entry;
	size_t used = 0;

	(void)snprintf(out, out_size, "no reason known");
	while ((entry = ERR_get_error()) != 0) {
		const char *words = reason_words(entry);
		int n;

		if (used >= out_size || (last != NULL && words == last))
			continue; /* only to empty the queue */
		n = snprintf(out + used, out_size - used, "%s%s",
			used > 0 ? "; " : "", words);
		used += n > 0 ? (size_t)n : 0;
		last = words;
	}
	return out;
}
