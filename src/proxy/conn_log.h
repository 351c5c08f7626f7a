#pragma once

#include "proxy/conn_state.h"

struct conn;
struct proxy;

/* The one line of a connection that has ended. Peers that never said a byte
 * are counted and not logged, unless log_probes says so. */
void conn_log(
	const struct conn *conn, enum conn_reason reason, const char *detail);
