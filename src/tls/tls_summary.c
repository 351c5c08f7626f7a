/* A context in OpenSSL's own words. */
#include "tls/tls_summary.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "base/mem.h"
#include "tls/tls_ctx.h"

/* Words side by side; NULL is none yet. */
static void
put_word(char **text, const char *word)
{
	char *longer =
		*text == NULL ? xstrdup(word) : xasprintf("%s %s", *text, word);

	free(*text);
	*text = longer;
}

struct bit {
	uint64_t mask;
	const char *name;
};

#define BIT(mask)                                                              \
	{                                                                      \
		mask, #mask                                                    \
	}
#define N_OF(array) (sizeof(array) / sizeof(array)[0])

static char *
name_bits(uint64_t set, const struct bit *bits, size_t n)
{
	char *text = NULL;
	char rest[32];

	for (size_t i = 0; i < n; i++) {
		if ((set & bits[i].mask) != bits[i].mask)
			continue;
		put_word(&text, bits[i].name);
		set &= ~bits[i].mask;
	}
	/* What a later OpenSSL has and the table lacks. */
	(void)snprintf(rest, sizeof rest, "0x%llx", (unsigned long long)set);
	if (set != 0)
		put_word(&text, rest);
	return text;
}

static char *
name_options(SSL_CTX *ctx)
{
	static const struct bit bits[] = {
		BIT(SSL_OP_NO_EXTENDED_MASTER_SECRET),
		BIT(SSL_OP_CLEANSE_PLAINTEXT),
		BIT(SSL_OP_LEGACY_SERVER_CONNECT),
		BIT(SSL_OP_ENABLE_KTLS),
		BIT(SSL_OP_TLSEXT_PADDING),
		BIT(SSL_OP_SAFARI_ECDHE_ECDSA_BUG),
		BIT(SSL_OP_IGNORE_UNEXPECTED_EOF),
		BIT(SSL_OP_ALLOW_CLIENT_RENEGOTIATION),
		BIT(SSL_OP_DISABLE_TLSEXT_CA_NAMES),
		BIT(SSL_OP_ALLOW_NO_DHE_KEX),
		BIT(SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS),
		BIT(SSL_OP_NO_QUERY_MTU),
		BIT(SSL_OP_COOKIE_EXCHANGE),
		BIT(SSL_OP_NO_TICKET),
		BIT(SSL_OP_CISCO_ANYCONNECT),
		BIT(SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION),
		BIT(SSL_OP_NO_COMPRESSION),
		BIT(SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION),
		BIT(SSL_OP_NO_ENCRYPT_THEN_MAC),
		BIT(SSL_OP_ENABLE_MIDDLEBOX_COMPAT),
		BIT(SSL_OP_PRIORITIZE_CHACHA),
		BIT(SSL_OP_CIPHER_SERVER_PREFERENCE),
		BIT(SSL_OP_TLS_ROLLBACK_BUG),
		BIT(SSL_OP_NO_ANTI_REPLAY),
		BIT(SSL_OP_NO_SSLv3),
		BIT(SSL_OP_NO_TLSv1),
		BIT(SSL_OP_NO_TLSv1_2),
		BIT(SSL_OP_NO_TLSv1_1),
		BIT(SSL_OP_NO_TLSv1_3),
		BIT(SSL_OP_NO_RENEGOTIATION),
		BIT(SSL_OP_CRYPTOPRO_TLSEXT_BUG),
	};

	return name_bits(SSL_CTX_get_options(ctx), bits, N_OF(bits));
}

static char *
name_verify_flags(SSL_CTX *ctx)
{
	static const struct bit bits[] = {
		BIT(X509_V_FLAG_USE_CHECK_TIME),
		BIT(X509_V_FLAG_CRL_CHECK),
		BIT(X509_V_FLAG_CRL_CHECK_ALL),
		BIT(X509_V_FLAG_IGNORE_CRITICAL),
		BIT(X509_V_FLAG_X509_STRICT),
		BIT(X509_V_FLAG_ALLOW_PROXY_CERTS),
		BIT(X509_V_FLAG_POLICY_CHECK),
		BIT(X509_V_FLAG_EXPLICIT_POLICY),
		BIT(X509_V_FLAG_INHIBIT_ANY),
		BIT(X509_V_FLAG_INHIBIT_MAP),
		BIT(X509_V_FLAG_NOTIFY_POLICY),
		BIT(X509_V_FLAG_EXTENDED_CRL_SUPPORT),
		BIT(X509_V_FLAG_USE_DELTAS),
		BIT(X509_V_FLAG_CHECK_SS_SIGNATURE),
		BIT(X509_V_FLAG_TRUSTED_FIRST),
		BIT(X509_V_FLAG_PARTIAL_CHAIN),
		BIT(X509_V_FLAG_NO_ALT_CHAINS),
		BIT(X509_V_FLAG_NO_CHECK_TIME),
	};

	return name_bits(X509_VERIFY_PARAM_get_flags(SSL_CTX_get0_param(ctx)),
		bits, N_OF(bits));
}

static char *
name_verify_mode(SSL_CTX *ctx)
{
	static const struct bit bits[] = {
		BIT(SSL_VERIFY_PEER),
		BIT(SSL_VERIFY_FAIL_IF_NO_PEER_CERT),
		BIT(SSL_VERIFY_CLIENT_ONCE),
		BIT(SSL_VERIFY_POST_HANDSHAKE),
	};
	int mode = SSL_CTX_get_verify_mode(ctx);

	return mode == SSL_VERIFY_NONE
		       ? xstrdup("SSL_VERIFY_NONE")
		       : name_bits((uint64_t)mode, bits, N_OF(bits));
}

static char *
name_version(long version)
{
	static const struct bit versions[] = {
		BIT(TLS1_VERSION),
		BIT(TLS1_1_VERSION),
		BIT(TLS1_2_VERSION),
		BIT(TLS1_3_VERSION),
	};

	for (size_t i = 0; i < N_OF(versions); i++) {
		if ((uint64_t)version == versions[i].mask)
			return xstrdup(versions[i].name);
	}
	return xstrdup("the highest that OpenSSL has");
}

static char *
name_minimum(SSL_CTX *ctx)
{
	return name_version(SSL_CTX_get_min_proto_version(ctx));
}

static char *
name_maximum(SSL_CTX *ctx)
{
	return name_version(SSL_CTX_get_max_proto_version(ctx));
}

/* Those that a connection would really offer: security level and versions
 * have had their say. */
static char *
name_ciphers(SSL_CTX *ctx, bool of_tls13)
{
	SSL *ssl = SSL_new(ctx);
	STACK_OF(SSL_CIPHER) *all = NULL;
	char *text = NULL;

	if (ssl != NULL)
		all = SSL_get1_supported_ciphers(ssl);
	for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
		const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(all, i);
		const char *version = SSL_CIPHER_get_version(cipher);

		if ((strcmp(version, "TLSv1.3") == 0) == of_tls13)
			put_word(&text, SSL_CIPHER_get_name(cipher));
	}
	sk_SSL_CIPHER_free(all);
	SSL_free(ssl);
	return text != NULL ? text : xstrdup("none");
}

static char *
name_ciphers_up_to_tls12(SSL_CTX *ctx)
{
	return name_ciphers(ctx, false);
}

static char *
name_ciphersuites(SSL_CTX *ctx)
{
	return name_ciphers(ctx, true);
}

/* Ends the handshake at once: the hello is all that is wanted. */
static int
on_hello(SSL *ssl, int *alert, void *arg)
{
	const unsigned char *list = NULL;
	char **text = arg;
	size_t len = 0;

	(void)alert;
	if (SSL_client_hello_get0_ext(
		    ssl, TLSEXT_TYPE_supported_groups, &list, &len) != 1)
		return SSL_CLIENT_HELLO_ERROR;
	for (size_t i = 2; i + 1 < len; i += 2) {
		int id = list[i] << 8 | list[i + 1];
		/* This says that it is no NID but what is on the wire. */
		const char *name =
			SSL_group_to_name(ssl, TLSEXT_nid_unknown | id);
		char number[16];

		(void)snprintf(number, sizeof number, "0x%04x", (unsigned)id);
		put_word(text, name != NULL ? name : number);
	}
	return SSL_CLIENT_HELLO_ERROR;
}

/*
 * OpenSSL before 3.5 keeps the groups of a context to itself, but tells them
 * to whoever it says hello to: so CTX plays the client of another context.
 */
static char *
name_groups(SSL_CTX *ctx)
{
	SSL_CTX *other = SSL_CTX_new(TLS_server_method());
	SSL *client = SSL_new(ctx);
	SSL *server = other != NULL ? SSL_new(other) : NULL;
	BIO *near = NULL, *far = NULL;
	char *text = NULL;

	if (client == NULL || server == NULL ||
		BIO_new_bio_pair(&near, 0, &far, 0) != 1)
		goto out;
	SSL_set_bio(client, near, near);
	SSL_set_bio(server, far, far);
	SSL_CTX_set_client_hello_cb(other, on_hello, &text);
	if (SSL_set_ssl_method(client, TLS_client_method()) != 1)
		goto out;
	(void)SSL_connect(client);
	(void)SSL_accept(server);
out:
	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(other);
	ERR_clear_error();
	return text;
}

char *
tls_summary_of(struct tls_ctx *ctx, const char *key)
{
	static const struct {
		const char *key;
		char *(*name)(SSL_CTX *ctx);
	} rows[] = {
		{"verify_mode", name_verify_mode},
		{"minimum_version", name_minimum},
		{"maximum_version", name_maximum},
		{"ciphers", name_ciphers_up_to_tls12},
		{"ciphersuites", name_ciphersuites},
		{"groups", name_groups},
		{"options", name_options},
		{"verify_flags", name_verify_flags},
	};

	for (size_t i = 0; i < N_OF(rows); i++) {
		if (strcmp(rows[i].key, key) == 0)
			return rows[i].name(tls_ctx_ssl(ctx));
	}
	return NULL;
}
