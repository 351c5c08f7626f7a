#pragma once

#include <stdbool.h>

/* The states of a connection's life, and the reasons of its end. */
enum conn_state {
	CONN_HANDSHAKING, /* TLS with the client, from accept() on */
	CONN_CONNECTING,  /* the client is in; to the backend */
	CONN_RELAYING,    /* bytes both ways */
	CONN_HALF_CLOSED, /* one side ended in order, the other goes on */
	CONN_CUTTING,     /* a side was cut: what came before is delivered */
	CONN_CLOSED,
	CONN_N_STATES
};

enum conn_reason {
	CONN_DONE,               /* both directions ended in order */
	CONN_CLIENT_CUT,         /* vanished without close_notify, or reset */
	CONN_BACKEND_CUT,        /* reset */
	CONN_TLS_FAILED,         /* the client broke TLS after the handshake */
	CONN_REFUSED,            /* the handshake failed; the detail says why */
	CONN_PROBE,              /* went away without a byte */
	CONN_HANDSHAKE_TIMEOUT,  /* not done in time */
	CONN_IDLE_TIMEOUT,       /* no bytes either way */
	CONN_HALF_CLOSE_TIMEOUT, /* no bytes after one side had ended */
	CONN_PROXY_HEADER,       /* what came in front of TLS was not one */
	CONN_BACKEND_TIMEOUT,    /* no connection in connect_timeout */
	CONN_BACKEND_FAILED,     /* refused or unreachable */
	CONN_BACKEND_UNRESOLVED, /* its host name has no address now */
	CONN_DEAUTHORIZED,       /* expired, or may not be here any more */
	CONN_DRAINED,            /* drain_timeout passed */
	CONN_STOPPED,            /* told to stop at once */
	CONN_NO_MEMORY,          /* ours ran out */
	CONN_N_REASONS
};

/* Is FROM -> TO a legal move? */
bool conn_state_may_move(enum conn_state from, enum conn_state to);

/* The words of the log. */
const char *conn_state_name(enum conn_state state);
const char *conn_reason_name(enum conn_reason reason);
