/* The one line of a connection that has ended. */
#include "proxy/conn_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authz/identity.h"
#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"
#include "proxy/conn.h"
#include "proxy/listener.h"
#include "proxy/proxy.h"
#include "tls/tls_error.h"
#include "tls/tls_stream.h"

/* Names of a certificate in one line; it may have thousands. */
#define NAMES_MAX 16

/* Lines that strangers can cause at will. What is held back is counted. */
static struct log_limit refused_limit = {.burst = 200, .per_second = 50};

/* The longest line there is. */
#define FIELDS_MAX 24

struct line {
	struct log_field fields[FIELDS_MAX];
	size_t n;
};

static void
put(struct line *line, const char *key, const char *text)
{
	if (text != NULL)
		line->fields[line->n++] =
			(struct log_field){.key = key, .text = text};
}

static void
put_number(struct line *line, const char *key, uint64_t number)
{
	line->fields[line->n++] =
		(struct log_field){.key = key, .number = number};
}

static void
put_identity(
	struct line *line, const struct identity *identity, const char *names)
{
	if (identity == NULL)
		return;
	put(line, "subject", identity->subject);
	put(line, "issuer", identity->issuer);
	put(line, "serial", identity->serial);
	put(line, "names", names);
}

/* What both sides agreed on; nothing before they did. */
static void
put_tls(struct line *line, const struct conn *conn)
{
	if (conn->tls == NULL)
		return;
	put(line, "server_name", tls_stream_server_name(conn->tls));
	if (conn->state == CONN_HANDSHAKING)
		return;
	put(line, "tls", tls_stream_version(conn->tls));
	put(line, "cipher", tls_stream_cipher(conn->tls));
	put(line, "resumed", tls_stream_resumed(conn->tls) ? "yes" : "no");
}

static void
put_traffic(struct line *line, const struct conn *conn, const char *backend)
{
	if (conn->state == CONN_HANDSHAKING)
		return;
	put(line, "backend", backend);
	put_number(line, "up", conn->relay.up.bytes);
	put_number(line, "down", conn->relay.down.bytes);
}

static const char *
reason_text(const struct conn *conn, enum conn_reason reason)
{
	if (reason == CONN_REFUSED)
		return tls_stream_failure(conn->tls)->token;
	return conn_reason_name(reason);
}

static const char *
message_of(const struct conn *conn, enum conn_reason reason)
{
	if (conn->state != CONN_HANDSHAKING)
		return "closed";
	return strcmp(reason_text(conn, reason), TLS_FAILURE_DENIED) == 0
		       ? "denied"
		       : "refused";
}

/* The worse of both: a broken backend is news, a client's end is not. */
static enum log_level
level_of(enum conn_reason reason)
{
	switch (reason) {
	case CONN_BACKEND_FAILED:
	case CONN_BACKEND_TIMEOUT:
	case CONN_BACKEND_UNRESOLVED:
	case CONN_NO_MEMORY:
		return LOG_LEVEL_WARN;
	case CONN_DONE:
	case CONN_CLIENT_CUT:
	case CONN_BACKEND_CUT:
	case CONN_TLS_FAILED:
	case CONN_REFUSED:
	case CONN_PROBE:
	case CONN_HANDSHAKE_TIMEOUT:
	case CONN_IDLE_TIMEOUT:
	case CONN_PROXY_HEADER:
	case CONN_HALF_CLOSE_TIMEOUT:
	case CONN_DEAUTHORIZED:
	case CONN_DRAINED:
	case CONN_STOPPED:
	case CONN_N_REASONS:
		break;
	}
	return LOG_LEVEL_INFO;
}

static bool
is_wanted(const struct conn *conn, enum conn_reason reason,
	uint64_t *held_back_out)
{
	*held_back_out = 0;
	if (!log_enabled(level_of(reason)))
		return false;
	if (reason == CONN_PROBE && !conn->listener->log_probes)
		return false;
	if (conn->state == CONN_HANDSHAKING)
		return log_limit_allows(
			&refused_limit, clock_monotonic_ms(), held_back_out);
	return conn->listener->access_log || level_of(reason) < LOG_LEVEL_INFO;
}

void
conn_log(const struct conn *conn, enum conn_reason reason, const char *detail)
{
	struct line line = {.n = 0};
	char id[20], peer[ADDR_TEXT_MAX], backend[ADDR_TEXT_MAX];
	struct identity *identity = NULL;
	struct addr addr;
	char *names = NULL;
	uint64_t held_back;

	if (!is_wanted(conn, reason, &held_back))
		return;
	if (conn->tls != NULL)
		identity = tls_stream_identity(conn->tls);
	if (identity != NULL)
		names = identity_names_text(identity, NAMES_MAX);
	(void)snprintf(id, sizeof id, "%016" PRIx64, conn->id);
	addr_from_sockaddr(&conn->peer.sa, sizeof conn->peer, &addr);

	put(&line, "listener", conn->listener->name);
	put(&line, "conn", id);
	put(&line, "peer", addr_format(&addr, peer));
	put_tls(&line, conn);
	put_identity(&line, identity, names);
	put_traffic(&line, conn,
		addr_format(&conn->listener->backend.configured, backend));
	put_number(&line, "ms", clock_monotonic_ms() - conn->born_ms);
	put(&line, "reason", reason_text(conn, reason));
	put(&line, "detail", detail);
	if (held_back > 0)
		put_number(&line, "held_back", held_back);
	log_event(level_of(reason), message_of(conn, reason), line.fields,
		line.n);
	free(names);
	identity_free(&identity);
}
