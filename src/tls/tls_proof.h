#pragma once

#include <stdbool.h>

struct tls_ctx;
struct x509_st;

/*
 * Is there any handshake with CTX in which a client can prove that it has the
 * key of CERT? TLS knows no signature of some sorts of keys (X25519, SM2), and
 * none of an elliptic curve that is neither one of TLS 1.3 nor, with an older
 * version, among the groups of CTX. False is certain; true is not: the client
 * may have no such version, or may not want to.
 */
bool tls_proof_is_possible(
	const struct tls_ctx *ctx, const struct x509_st *cert);
