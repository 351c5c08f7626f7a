#pragma once

#include <stddef.h>

struct error;
struct identity;
struct ssl_st;
struct policy_decision;
struct tls_ctx;
struct tls_failure;

/*
 * A client's certificates without the client: what a handshake would make of
 * them. For `sallyport authorize`, and for live connections under new rules;
 * reads no file and dies without memory.
 */
struct tls_offline;

struct tls_offline *tls_offline_new(void);
void tls_offline_free(struct tls_offline **offline);

/*
 * The certificates in LEN bytes of PEM, at least one, are what the client
 * sends next; the first of all is its own. Whatever else is in there, a
 * private key for one, is not looked at. Returns 0, or -1 with ERR.
 */
int tls_offline_add(struct tls_offline *offline, const char *pem, size_t len,
	struct error *err);

/* The same of a connection: the certificate, and as much of its chain as the
 * client sent (none in a resumed session). NULL: it sent no certificate. */
struct tls_offline *tls_offline_of_ssl(struct ssl_st *ssl);

/*
 * Does with them what a handshake with CTX does: the same trust anchors, CRLs,
 * purpose, flags, security level, callback and rules. Whether the client has
 * the key is not known here. Returns 0 with what let it in in DECISION_OUT, or
 * -1 with why not in FAILURE_OUT. There must be a certificate.
 */
int tls_offline_verify(const struct tls_offline *offline, struct tls_ctx *ctx,
	struct policy_decision *decision_out, struct tls_failure *failure_out);

/*
 * Whether a client may prove to CTX that the key is its own, once its
 * certificates are good: 0, or -1 with why nobody can in FAILURE_OUT. A live
 * connection has proven it, and is not asked.
 */
int tls_offline_prove(const struct tls_offline *offline,
	const struct tls_ctx *ctx, struct tls_failure *failure_out);

/* Of the client's own certificate, verified or not; without its issuer's. The
 * caller frees. */
struct identity *tls_offline_identity(const struct tls_offline *offline);
