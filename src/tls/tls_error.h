#pragma once

#include <stddef.h>

struct ssl_st;

/*
 * Why TLS failed, as words for a log line. OpenSSL's error queue is read and
 * emptied here and nowhere else.
 */
#define TLS_ERROR_TEXT_MAX 512

/* The chain was good, the rules refuse the client. */
#define TLS_FAILURE_DENIED "client_certificate_denied"

/* A handshake that failed, or a record that was bad. */
struct tls_failure {
	/* A token for filters and counters: "client_certificate_required",
	 * "client_certificate_untrusted", "client_certificate_expired",
	 * "client_certificate_not_yet_valid", "client_certificate_self_signed",
	 * "client_certificate_purpose", "client_certificate_revoked",
	 * "client_certificate_bad", "client_crl_missing" (no list of what its
	 * CA has revoked), "client_crl_expired", "client_crl_bad",
	 * "client_refused_us" (an alert from the client), "protocol_version",
	 * "no_shared_cipher", "no_application_protocol", "unrecognized_name",
	 * "not_tls", "tls_protocol_error" */
	const char *token;
	/* For people: certificate has expired: depth 0, subject "CN=x",
	 * issuer "CN=y" */
	char text[TLS_ERROR_TEXT_MAX];
};

/* Call right after the SSL_* call that failed. Empties the error queue. */
void tls_error_explain(struct ssl_st *ssl, struct tls_failure *out);

/* The reason strings of what is in the error queue (first entry first), in
 * OUT; empties the queue. For start and reload. Returns OUT. */
const char *tls_error_queue_text(char *out, size_t out_size);
