#pragma once

#include <stdbool.h>

struct ossl_algorithm_st;

/*
 * Keys for X25519 (RFC 7748) by the quicker of the two ways that OpenSSL has.
 *
 * A public key is X25519(a, 9) by definition (section 6.1). OpenSSL 3.0 has
 * the Montgomery ladder in assembly, for shared secrets, but computes public
 * keys on the Edwards curve in C, which takes a quarter more: 45 us beside 36,
 * in every handshake. Here a new key asks the ladder; both are OpenSSL's, both
 * in constant time.
 */

/*
 * Put ourselves in the place of X25519 in KEYMGMTS, a copy of the table that a
 * provider of OpenSSL has for its key management. The entry that was there
 * serves everything but the making of a key, and its objects are passed on as
 * they are; EXCHANGES is the provider's table for key exchange, PROVIDER what
 * its functions are called with. False, and KEYMGMTS as it was, if there is
 * none like that. Once in a process, whose handshakes all run on one thread.
 */
bool tls_x25519_replace(struct ossl_algorithm_st *keymgmts,
	const struct ossl_algorithm_st *exchanges, void *provider);
