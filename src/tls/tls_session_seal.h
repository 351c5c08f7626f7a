#pragma once

#include <stddef.h>

struct ssl_session_st;

/*
 * A session in a form that can lie about in shared memory: AES-256-GCM over
 * its DER, bound to its id. Whatever has no seal of ours, an entry that two
 * workers wrote at once for one, never reaches OpenSSL's parser.
 */
#define TLS_SESSION_SEAL_KEY_SIZE 32

/* What a seal adds to the DER. */
#define TLS_SESSION_SEAL_EXTRA 28

/* Length of what was written to OUT; 0: it does not fit, or OpenSSL failed. */
size_t tls_session_seal(struct ssl_session_st *session,
	const unsigned char key[TLS_SESSION_SEAL_KEY_SIZE], unsigned char *out,
	size_t size);

/* The session of ID, which the caller owns. NULL: it is none of ours. */
struct ssl_session_st *tls_session_unseal(const unsigned char *id,
	size_t id_len, const unsigned char key[TLS_SESSION_SEAL_KEY_SIZE],
	const unsigned char *bytes, size_t len);
