/* Which context serves a client: the server name in its first message. */
#include "tls/tls_hello.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "tls/tls_ctx.h"
#include "tls/tls_ctx_parts.h"
#include "tls/tls_error.h"
#include "tls/tls_sni.h"
#include "tls/tls_switch.h"

/* Of a name that we do not know; DNS has none longer. */
#define SHOWN_MAX 253

/* What the client asks for; NAME points into its message. */
struct server_name {
	const unsigned char *name; /* NULL: it names nobody */
	size_t len;
};

static void
free_failure(void *parent, void *failure, CRYPTO_EX_DATA *data, int index,
	long argl, void *argp)
{
	(void)parent;
	(void)data;
	(void)index;
	(void)argl;
	(void)argp;
	free(failure);
}

/* Indices are -1 without memory, which the getters and setters refuse. */
static int
failure_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_failure);
	return index;
}

/* The context that a connection began with, once it was asked. */
static int
router_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

/* Takes FAILURE, NULL if there was no memory for it. */
static int
refuse(SSL *ssl, struct tls_failure *failure, int code, int *alert_out)
{
	*alert_out = code;
	if (failure != NULL &&
		SSL_set_ex_data(ssl, failure_index(), failure) != 1)
		free(failure);
	return SSL_CLIENT_HELLO_ERROR;
}

static int
refuse_message(SSL *ssl, const char *text, int code, int *alert_out)
{
	struct tls_failure *failure = calloc(1, sizeof *failure);

	if (failure != NULL) {
		failure->token = "tls_protocol_error";
		(void)snprintf(failure->text, sizeof failure->text, "%s", text);
	}
	return refuse(ssl, failure, code, alert_out);
}

/* Printable ASCII as it is, all else as \XX, as in names of certificates. */
static void
append_escaped(char *out, size_t size, const struct server_name *asked)
{
	size_t used = strlen(out);

	for (size_t i = 0; i < asked->len && i < SHOWN_MAX && used + 4 < size;
		i++) {
		unsigned char c = asked->name[i];
		bool plain = c > ' ' && c <= '~' && c != '\\' && c != '"';

		used += (size_t)snprintf(
			out + used, size - used, plain ? "%c" : "\\%02X", c);
	}
	if (asked->len > SHOWN_MAX)
		(void)snprintf(out + used, size - used, "...");
}

static int
refuse_name(SSL *ssl, const struct server_name *asked, int *alert_out)
{
	struct tls_failure *failure = calloc(1, sizeof *failure);

	if (failure != NULL && asked->name == NULL)
		(void)snprintf(failure->text, sizeof failure->text,
			"the client names no server");
	if (failure != NULL && asked->name != NULL) {
		(void)snprintf(failure->text, sizeof failure->text,
			"nobody here is called ");
		append_escaped(failure->text, sizeof failure->text, asked);
	}
	if (failure != NULL)
		failure->token = "unrecognized_name";
	return refuse(ssl, failure, SSL_AD_UNRECOGNIZED_NAME, alert_out);
}

static size_t
read_u16(const unsigned char *bytes)
{
	return (size_t)bytes[0] << 8 | bytes[1];
}

/*
 * RFC 6066 section 3: a list of one or more names, at most one of each type,
 * and host names are the only type there is. -1 when it is anything else.
 */
static int
parse_list(const unsigned char *bytes, size_t len, struct server_name *out)
{
	/* length of the list, type, length of the name, name */
	if (len < 6 || read_u16(bytes) != len - 2)
		return -1;
	if (bytes[2] != TLSEXT_NAMETYPE_host_name ||
		read_u16(bytes + 3) != len - 5)
		return -1;
	*out = (struct server_name){bytes + 5, len - 5};
	return 0;
}

static int
read_name(SSL *ssl, struct server_name *out)
{
	const unsigned char *bytes;
	size_t len;

	*out = (struct server_name){NULL, 0};
	if (SSL_client_hello_get0_ext(
		    ssl, TLSEXT_TYPE_server_name, &bytes, &len) != 1)
		return 0;
	return parse_list(bytes, len, out);
}

/* NULL: nobody. */
static struct tls_ctx *
choose(struct tls_ctx *router, const struct server_name *asked)
{
	struct tls_ctx *found = NULL;

	if (asked->name != NULL)
		found = tls_sni_find(
			router->names, (const char *)asked->name, asked->len);
	if (found == NULL && !router->reject_unknown)
		return router;
	return found;
}

static int
hand_over(SSL *ssl, struct tls_ctx *router, struct tls_ctx *target,
	int *alert_out)
{
	*alert_out = SSL_AD_INTERNAL_ERROR;
	if (SSL_set_ex_data(ssl, router_index(), router) != 1)
		return SSL_CLIENT_HELLO_ERROR;
	if (target != router && !tls_switch(ssl, target))
		return SSL_CLIENT_HELLO_ERROR;
	return SSL_CLIENT_HELLO_SUCCESS;
}

static int
on_client_hello(SSL *ssl, int *alert_out, void *arg)
{
	struct tls_ctx *now = tls_ctx_of_ssl(ssl);
	struct tls_ctx *router = SSL_get_ex_data(ssl, router_index());
	bool again = router != NULL; /* after a HelloRetryRequest */
	struct server_name asked;
	struct tls_ctx *target;

	(void)arg;
	if (!again)
		router = now;
	if (router == NULL || router->names == NULL)
		return SSL_CLIENT_HELLO_SUCCESS;
	if (read_name(ssl, &asked) < 0)
		return refuse_message(ssl, "malformed server_name extension",
			SSL_AD_DECODE_ERROR, alert_out);
	target = choose(router, &asked);
	if (target == NULL)
		return refuse_name(ssl, &asked, alert_out);
	if (!again)
		return hand_over(ssl, router, target, alert_out);
	/* RFC 8446 section 4.1.2 lets it change nothing of this. */
	if (target != now)
		return refuse_message(ssl,
			"the client changed the server name on its second try",
			SSL_AD_ILLEGAL_PARAMETER, alert_out);
	return SSL_CLIENT_HELLO_SUCCESS;
}

/* Answers that the name was understood; then OpenSSL keeps it, also in the
 * sessions of TLS 1.2. */
static int
on_server_name(SSL *ssl, int *alert_out, void *arg)
{
	(void)ssl;
	(void)alert_out;
	(void)arg;
	return SSL_TLSEXT_ERR_OK;
}

void
tls_hello_init(void)
{
	(void)failure_index();
	(void)router_index();
}

void
tls_hello_install(struct ssl_ctx_st *ssl_ctx)
{
	SSL_CTX_set_client_hello_cb(ssl_ctx, on_client_hello, NULL);
	(void)SSL_CTX_set_tlsext_servername_callback(ssl_ctx, on_server_name);
}

bool
tls_hello_explain(struct ssl_st *ssl, struct tls_failure *out)
{
	const struct tls_failure *failure =
		SSL_get_ex_data(ssl, failure_index());

	if (failure == NULL)
		return false;
	*out = *failure;
	return true;
}
