#pragma once

#include <stddef.h>
#include <stdint.h>

struct conn;

/*
 * The PROXY header that somebody in front of us sends before TLS begins, on
 * listeners with accept_proxy_protocol: who the client really is.
 */
struct conn_source {
	uint8_t *bytes; /* what has come so far; NULL before and after */
	size_t len;
};

enum conn_source_status {
	CONN_SOURCE_DONE, /* nothing to be read, or it was read: go on */
	CONN_SOURCE_MORE, /* wait for more */
	CONN_SOURCE_GONE  /* the connection was closed */
};

/*
 * Reads what there is. When the header is complete the connection has its real
 * peer and destination, and what came behind it waits in source->bytes for
 * TLS.
 */
enum conn_source_status conn_source_read(struct conn *conn);

void conn_source_done(struct conn_source *source);
