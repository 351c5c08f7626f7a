#include "handshake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "authz/identity.h"
#include "tls/tls_ctx.h"
#include "tls/tls_peer.h"
#include "tls_fixture.h"

SSL_CTX *
client_ctx_new(const struct cert *cert, int version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	assert_non_null(ctx);
	if (version < TLS1_2_VERSION) {
		SSL_CTX_set_security_level(ctx, 0);
		assert_int_equal(
			SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0"), 1);
	}
	assert_int_equal(SSL_CTX_set_min_proto_version(ctx, version), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, version), 1);
	if (cert != NULL)
		assert_int_equal(SSL_CTX_use_cert_and_key(
					 ctx, cert->x509, cert->key, NULL, 1),
			1);
	return ctx;
}

void
ctx_set_groups(SSL_CTX *ctx, const char *names)
{
	char *copy = strdup(names);

	assert_non_null(copy);
	assert_int_equal(SSL_CTX_set1_groups_list(ctx, copy), 1);
	free(copy);
}

void
ask_for_name(SSL *client, const char *server_name)
{
	char *copy = strdup(server_name);

	assert_non_null(copy);
	assert_int_equal(SSL_set_tlsext_host_name(client, copy), 1);
	free(copy);
}

static void
on_client_info(const SSL *ssl, int where, int value)
{
	struct outcome *outcome = SSL_get_app_data(ssl);

	if (where == SSL_CB_READ_ALERT && (value & 0xff) != 0)
		outcome->client_got_alert = value & 0xff;
}

static int
on_client_session(SSL *ssl, SSL_SESSION *session)
{
	struct outcome *outcome = SSL_get_app_data(ssl);

	SSL_SESSION_free(outcome->session);
	outcome->session = session;
	return 1;
}

static void
step_server(SSL *ssl, struct outcome *outcome)
{
	int result;

	ERR_clear_error();
	result = SSL_do_handshake(ssl);
	outcome->server_done = result == 1;
	if (result != 1 && SSL_get_error(ssl, result) == SSL_ERROR_SSL)
		tls_error_explain(ssl, &outcome->failure);
}

/* A TLS 1.3 client learns how it went by reading. */
static void
step_client(SSL *ssl, struct outcome *outcome)
{
	char byte;

	ERR_clear_error();
	if (outcome->client_done)
		(void)SSL_read(ssl, &byte, 1);
	outcome->client_done = SSL_do_handshake(ssl) == 1;
	ERR_clear_error();
}

static void
note_server(SSL *ssl, struct outcome *outcome)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const char *group = NULL;
	const char *cipher = SSL_get_cipher_name(ssl);
	struct identity *identity;

	(void)snprintf(outcome->version, sizeof outcome->version, "%s",
		SSL_get_version(ssl));
	(void)snprintf(outcome->cipher, sizeof outcome->cipher, "%s", cipher);
	(void)snprintf(outcome->server_name, sizeof outcome->server_name, "%s",
		name != NULL ? name : "");
	outcome->resumed = SSL_session_reused(ssl) == 1;
	if (outcome->server_done) /* OpenSSL 3.0 crashes before */
		group = SSL_group_to_name(
			ssl, (int)SSL_get_negotiated_group(ssl));
	(void)snprintf(outcome->group, sizeof outcome->group, "%s",
		group != NULL ? group : "");
	identity = tls_peer_identity(ssl);
	if (identity != NULL)
		outcome->subject = strdup(identity->subject);
	identity_free(&identity);
}

static void
note_client(SSL *ssl, struct outcome *outcome)
{
	const X509 *cert = SSL_get0_peer_certificate(ssl);
	const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(ssl);
	const unsigned char *protocol;
	unsigned len;

	outcome->n_ca_names = names != NULL ? sk_X509_NAME_num(names) : 0;
	if (outcome->n_ca_names > 0)
		(void)X509_NAME_get_text_by_NID(sk_X509_NAME_value(names, 0),
			NID_commonName, outcome->ca_name,
			sizeof outcome->ca_name);
	SSL_get0_alpn_selected(ssl, &protocol, &len);
	(void)snprintf(outcome->alpn, sizeof outcome->alpn, "%.*s", (int)len,
		len > 0 ? (const char *)protocol : "");
	if (cert != NULL)
		(void)X509_NAME_get_text_by_NID(X509_get_subject_name(cert),
			NID_commonName, outcome->server_cn,
			sizeof outcome->server_cn);
}

static void
side_open(SSL *ssl, BIO *bio, struct outcome *outcome)
{
	assert_non_null(ssl);
	assert_non_null(bio);
	SSL_set_bio(ssl, bio, bio);
	SSL_set_app_data(ssl, outcome);
}

/* Takes SERVER. */
static struct outcome
handshake_with(SSL *server, SSL_CTX *client_ctx, SSL_SESSION *session,
	const char *server_name)
{
	struct outcome outcome = {.client_got_alert = -1};
	SSL *client = SSL_new(client_ctx);
	BIO *server_bio = NULL;
	BIO *client_bio = NULL;

	assert_int_equal(
		BIO_new_bio_pair(&server_bio, 1 << 20, &client_bio, 1 << 20),
		1);
	side_open(server, server_bio, &outcome);
	side_open(client, client_bio, &outcome);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	SSL_set_info_callback(client, on_client_info);
	SSL_CTX_set_session_cache_mode(
		client_ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(client_ctx, on_client_session);
	if (session != NULL)
		assert_int_equal(SSL_set_session(client, session), 1);
	if (server_name != NULL)
		ask_for_name(client, server_name);
	for (int i = 0; i < 8; i++) {
		step_client(client, &outcome);
		if (outcome.failure.token == NULL)
			step_server(server, &outcome);
	}
	note_server(server, &outcome);
	note_client(client, &outcome);
	/* Nobody calls back for a ticket of TLS 1.2 that was renewed. */
	if (outcome.session == NULL && outcome.resumed)
		outcome.session = SSL_get1_session(client);
	/* A TLS connection that ends without this spoils its session. */
	SSL_set_shutdown(client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_set_shutdown(server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(client);
	SSL_free(server);
	assert_int_equal(ERR_peek_error(), 0);
	return outcome;
}

struct outcome
handshake(SSL_CTX *server_ctx, SSL_CTX *client_ctx, SSL_SESSION *session)
{
	return handshake_for(server_ctx, client_ctx, session, NULL);
}

struct outcome
handshake_for(SSL_CTX *server_ctx, SSL_CTX *client_ctx, SSL_SESSION *session,
	const char *server_name)
{
	return handshake_with(
		SSL_new(server_ctx), client_ctx, session, server_name);
}

struct outcome
handshake_in(struct tls_ctx *server_ctx, SSL_CTX *client_ctx,
	SSL_SESSION *session, const char *server_name)
{
	return handshake_with(
		tls_ctx_new_ssl(server_ctx), client_ctx, session, server_name);
}

struct outcome
handshake_with_bytes(SSL_CTX *server_ctx, const char *text, size_t len)
{
	struct outcome outcome = {.client_got_alert = -1};
	BIO *server_bio = NULL;
	BIO *client_bio = NULL;
	SSL *server;

	assert_int_equal(BIO_new_bio_pair(&server_bio, 0, &client_bio, 0), 1);
	assert_int_equal(BIO_write(client_bio, text, (int)len), (int)len);
	server = SSL_new(server_ctx);
	side_open(server, server_bio, &outcome);
	SSL_set_accept_state(server);
	step_server(server, &outcome);
	SSL_free(server);
	BIO_free(client_bio);
	return outcome;
}

void
outcome_done(struct outcome *outcome)
{
	free(outcome->subject);
	SSL_SESSION_free(outcome->session);
}

struct pki
pki_make(struct fixture *it, const char *lines)
{
	struct pki pki = {.ca = cert_make_ca("Test CA")};
	char all[1024];

	pki.server = cert_make_server("localhost", NULL);
	fixture_write_cert(it, "ca", &pki.ca);
	fixture_write_cert(it, "gw", &pki.server);
	(void)snprintf(all, sizeof all,
		"certfile = gw.pem\nkeyfile = gw.key\ncafile = ca.pem\n%s",
		lines);
	fixture_configure(it, all);
	pki.ctx = fixture_ctx(it);
	return pki;
}

void
pki_done(struct pki *pki)
{
	tls_ctx_unref(&pki->ctx);
	cert_done(&pki->ca);
	cert_done(&pki->server);
}

struct outcome
connect_with(struct pki *pki, const struct cert *cert, int version)
{
	SSL_CTX *client = client_ctx_new(cert, version);
	struct outcome outcome = handshake(tls_ctx_ssl(pki->ctx), client, NULL);

	SSL_CTX_free(client);
	return outcome;
}
