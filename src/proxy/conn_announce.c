/* Tells the backend who came. */
#include "proxy/conn_announce.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "authz/identity.h"
#include "net/proxy_header.h"
#include "proxy/conn.h"
#include "proxy/conn_steps.h"
#include "proxy/listener.h"
#include "proxy/proxy.h"
#include "tls/tls_describe.h"
#include "tls/tls_stream.h"

/* Where the client connected to: what a proxy in front said, or our side. */
static void
find_destination(const struct conn *conn, union conn_peer *out)
{
	socklen_t len = sizeof *out;

	*out = conn->destination;
	if (out->sa.sa_family == AF_UNSPEC &&
		getsockname(conn_client(conn)->fd, &out->sa, &len) < 0)
		out->sa.sa_family = AF_UNSPEC;
}

static void
put_identity(struct proxy_info *info, const struct identity *identity)
{
	if (identity == NULL)
		return;
	info->cn = identity->cn.n == 1 ? identity->cn.items[0] : NULL;
	info->uri_sans = (const char *const *)identity->uri.items;
	info->n_uri_sans = identity->uri.n;
}

static void
put_description(
	struct proxy_info *info, const struct tls_description *description)
{
	info->is_tls = true;
	info->cert_in_session = description->cert_der != NULL;
	info->has_client_cert =
		description->cert_der != NULL && !description->is_resumed;
	info->is_verified = true; /* the handshake would have failed */
	info->version = description->version;
	info->cipher = description->cipher;
	info->sig_alg = description->sig_alg;
	info->key_alg =
		description->key_alg[0] != '\0' ? description->key_alg : NULL;
	info->group = description->group;
	info->sig_scheme = description->sig_scheme;
	info->alpn = description->alpn;
	info->alpn_len = description->alpn_len;
	info->cert_der = description->cert_der;
	info->cert_der_len = description->cert_der_len;
}

static size_t
encode(struct conn *conn, uint8_t *out, size_t size)
{
	const struct listener *listener = conn->listener;
	struct identity *identity = tls_stream_identity(conn->tls);
	struct tls_description description;
	struct proxy_info info = {0};
	union conn_peer destination;
	char id[20];
	size_t len;

	tls_stream_describe(conn->tls, &description);
	find_destination(conn, &destination);
	(void)snprintf(id, sizeof id, "%016" PRIx64, conn->id);
	info.source = &conn->peer.sa;
	info.destination = &destination.sa;
	info.authority = tls_stream_server_name(conn->tls);
	info.unique_id = id;
	put_description(&info, &description);
	put_identity(&info, identity);
	len = proxy_header_encode(listener->proxy_protocol,
		listener->proxy_tlvs, &info, out, size);
	tls_description_done(&description);
	identity_free(&identity);
	return len;
}

int
conn_announce(struct conn *conn)
{
	uint8_t header[PROXY_HEADER_MAX];
	enum stream_next next;
	size_t len;

	if (conn->listener->proxy_protocol == PROXY_HEADER_NONE)
		return 0;
	len = encode(conn, header, sizeof header);
	if (len == 0)
		return -1;
	next = stream_send(&conn->backend, header, len);
	return next == STREAM_MOVED || next == STREAM_WANT_WRITE ? 0 : -1;
}
