/* Which protocol is spoken inside TLS. */
#include "tls/tls_alpn.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "base/mem.h"
#include "conf/report.h"
#include "conf/settings.h"

#define PROTOCOL_MAX UCHAR_MAX

/* What a ClientHello could offer at all. */
#define WIRE_MAX 65535

static int
on_select(SSL *ssl, const unsigned char **out, unsigned char *out_len,
	const unsigned char *offered, unsigned offered_len, void *arg)
{
	const struct tls_alpn *alpn = arg;
	unsigned char *chosen = NULL;

	(void)ssl;
	if (SSL_select_next_proto(&chosen, out_len, alpn->wire, alpn->len,
		    offered, offered_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int
add_protocol(struct tls_alpn *alpn, const char *name)
{
	size_t len = strlen(name);
	unsigned char *end;

	if (len == 0 || len > PROTOCOL_MAX || alpn->len + len + 1 > WIRE_MAX)
		return -1;
	alpn->wire = xreallocarray(alpn->wire, alpn->len + len + 1, 1);
	end = alpn->wire + alpn->len;
	*end = (unsigned char)len;
	memcpy(end + 1, name, len);
	alpn->len += (unsigned)len + 1;
	return 0;
}

int
tls_alpn_set(struct ssl_ctx_st *ssl_ctx, struct tls_alpn *alpn,
	const struct listener_settings *listener, struct report *report)
{
	const struct text_list *names = &listener->tls.alpn_protocols;
	int status = 0;

	for (size_t i = 0; i < names->n; i++) {
		if (add_protocol(alpn, names->items[i]) == 0)
			continue;
		settings_report(listener, "alpn_protocols", i, REPORT_ERROR,
			report,
			"alpn_protocols: \"%.32s\" must have 1 to %d bytes",
			names->items[i], PROTOCOL_MAX);
		status = -1;
	}
	if (alpn->len > 0)
		SSL_CTX_set_alpn_select_cb(ssl_ctx, on_select, alpn);
	return status;
}

void
tls_alpn_done(struct tls_alpn *alpn)
{
	free(alpn->wire);
	*alpn = (struct tls_alpn){NULL, 0};
}
