/* Who the client really is, told by a PROXY header in front of TLS. */
#include "proxy/conn_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cidr.h"
#include "net/proxy_header.h"
#include "proxy/conn.h"
#include "proxy/listener.h"

void
conn_source_done(struct conn_source *source)
{
	free(source->bytes);
	*source = (struct conn_source){0};
}

static bool
is_trusted(const struct conn *conn)
{
	const struct listener *listener = conn->listener;
	size_t i;

	for (i = 0; i < listener->n_trusted_proxies; i++)
		if (cidr_matches_sockaddr(
			    &listener->trusted_proxies[i], &conn->peer.sa))
			return true;
	/* Whoever reaches a unix socket was let in by its mode. */
	return conn->peer.sa.sa_family == AF_UNIX;
}

static enum conn_source_status
refuse(struct conn *conn, const char *why)
{
	conn_close(conn, CONN_PROXY_HEADER, why);
	return CONN_SOURCE_GONE;
}

/* One recv() into the buffer, which holds the longest header there may be. */
static enum conn_source_status
fill(struct conn *conn)
{
	struct conn_source *source = &conn->source;
	ssize_t n;

	if (source->bytes == NULL)
		source->bytes = malloc(PROXY_HEADER_ACCEPT_MAX);
	if (source->bytes == NULL) {
		conn_close(conn, CONN_NO_MEMORY, NULL);
		return CONN_SOURCE_GONE;
	}
	n = recv(conn->fd, source->bytes + source->len,
		PROXY_HEADER_ACCEPT_MAX - source->len, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return CONN_SOURCE_MORE;
	if (n <= 0) {
		conn_close(conn,
			source->len == 0 ? CONN_PROBE : CONN_CLIENT_CUT, NULL);
		return CONN_SOURCE_GONE;
	}
	source->len += (size_t)n;
	return CONN_SOURCE_DONE;
}

static void
set_peer(union conn_peer *peer, const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		memcpy(&peer->in, address, sizeof peer->in);
	else if (address->ss_family == AF_INET6)
		memcpy(&peer->in6, address, sizeof peer->in6);
}

/* Everything behind the header is TLS's. */
static enum conn_source_status
take(struct conn *conn, size_t header_len)
{
	struct conn_source *source = &conn->source;

	source->len -= header_len;
	memmove(source->bytes, source->bytes + header_len, source->len);
	conn->has_source = true;
	return CONN_SOURCE_DONE;
}

static enum conn_source_status
decode(struct conn *conn)
{
	struct sockaddr_storage from, to;
	const char *why = NULL;
	size_t len = 0;

	switch (proxy_header_decode(
		conn->source.bytes, conn->source.len, &len, &from, &to, &why)) {
	case PROXY_HEADER_MORE:
		if (conn->source.len == PROXY_HEADER_ACCEPT_MAX)
			return refuse(conn, "PROXY header too long");
		return CONN_SOURCE_MORE;
	case PROXY_HEADER_BAD:
		return refuse(conn, why);
	case PROXY_HEADER_LOCAL:
		return take(conn, len);
	case PROXY_HEADER_DONE:
		set_peer(&conn->peer, &from);
		set_peer(&conn->destination, &to);
		return take(conn, len);
	}
	return CONN_SOURCE_GONE;
}

enum conn_source_status
conn_source_read(struct conn *conn)
{
	enum conn_source_status status;

	if (!conn->listener->accept_proxy_protocol || conn->has_source)
		return CONN_SOURCE_DONE;
	if (!is_trusted(conn))
		return refuse(conn, "not one of trusted_proxies");
	status = fill(conn);
	return status == CONN_SOURCE_DONE ? decode(conn) : status;
}
