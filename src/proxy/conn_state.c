/* The states of a connection's life, and the reasons of its end. */
#include "proxy/conn_state.h"

#include <assert.h>
#include <stddef.h>

#define TO(state) (1U << (state))

/* Every legal move. A move that is missing here is a bug of ours. */
static const unsigned moves[CONN_N_STATES] = {
	[CONN_HANDSHAKING] = TO(CONN_CONNECTING) | TO(CONN_CLOSED),
	[CONN_CONNECTING] = TO(CONN_RELAYING) | TO(CONN_CLOSED),
	[CONN_RELAYING] =
		TO(CONN_HALF_CLOSED) | TO(CONN_CUTTING) | TO(CONN_CLOSED),
	[CONN_HALF_CLOSED] = TO(CONN_CUTTING) | TO(CONN_CLOSED),
	[CONN_CUTTING] = TO(CONN_CLOSED),
	[CONN_CLOSED] = 0,
};

bool
conn_state_may_move(enum conn_state from, enum conn_state to)
{
	assert(from < CONN_N_STATES && to < CONN_N_STATES);
	return (moves[from] & TO(to)) != 0;
}

static const char *const state_names[CONN_N_STATES] = {
	[CONN_HANDSHAKING] = "handshaking",
	[CONN_CONNECTING] = "connecting",
	[CONN_RELAYING] = "relaying",
	[CONN_HALF_CLOSED] = "half_closed",
	[CONN_CUTTING] = "cutting",
	[CONN_CLOSED] = "closed",
};

static const char *const reason_names[CONN_N_REASONS] = {
	[CONN_DONE] = "done",
	[CONN_CLIENT_CUT] = "client_cut",
	[CONN_BACKEND_CUT] = "backend_cut",
	[CONN_TLS_FAILED] = "tls_failed",
	[CONN_REFUSED] = "refused",
	[CONN_PROBE] = "probe",
	[CONN_HANDSHAKE_TIMEOUT] = "handshake_timeout",
	[CONN_IDLE_TIMEOUT] = "idle_timeout",
	[CONN_HALF_CLOSE_TIMEOUT] = "half_close_timeout",
	[CONN_PROXY_HEADER] = "proxy_header",
	[CONN_BACKEND_TIMEOUT] = "backend_timeout",
	[CONN_BACKEND_FAILED] = "backend_failed",
	[CONN_BACKEND_UNRESOLVED] = "backend_unresolved",
	[CONN_DEAUTHORIZED] = "deauthorized",
	[CONN_DRAINED] = "drained",
	[CONN_STOPPED] = "stopped",
	[CONN_NO_MEMORY] = "no_memory",
};

const char *
conn_state_name(enum conn_state state)
{
	assert(state < CONN_N_STATES);
	return state_names[state];
}

const char *
conn_reason_name(enum conn_reason reason)
{
	assert(reason < CONN_N_REASONS);
	return reason_names[reason];
}
