#pragma once

struct file_source;
struct listener_settings;
struct report;
struct ssl_st;
struct tls_ctx;
struct x509_st;

/*
 * Who may come back without showing a certificate again, and for how long:
 * num_tickets, session_timeout and ticket_secret_file into CTX.
 *
 * A session is good only where and while what it says of itself still holds
 * (tls_session_claim); else there is a full handshake, which refuses by name
 * what it does not like.
 *
 * Sessions are tickets, sealed with keys that all workers share. Only clients
 * of TLS 1.2 that know no tickets, and all where the option no_ticket is set,
 * are remembered: in tls_session_cache_shared(), else by this context. Returns
 * 0, or -1 after reporting a secret that cannot be read or is too short.
 */
int tls_ticket_set(struct tls_ctx *ctx,
	const struct listener_settings *listener, struct file_source *files,
	struct report *report);

/*
 * CERT is the certificate of SSL's client. OpenSSL ends a connection whose
 * session is too large for a ticket: such a client of TLS 1.3 gets none. (With
 * TLS 1.2 one has been promised before the certificate came.)
 */
void tls_ticket_spare(struct ssl_st *ssl, struct x509_st *cert);
