#pragma once

#include <stdbool.h>

struct ossl_algorithm_st;

/*
 * The secrets of TLS without OpenSSL 3.0's detours.
 *
 * libssl asks for some twenty secrets in a handshake of TLS 1.3, each time by
 * way of names: digest and HMAC are looked up, allocated and set up anew, and
 * every input is copied, for an HMAC or two of a few bytes. What it asks for in
 * a handshake is answered here straight from OpenSSL's SHA-256 and SHA-384
 * (tls_kdf13.h); anything else that the function can be asked is passed on to
 * the implementation of the provider.
 */

/*
 * Put ourselves in the place of TLS13-KDF in KDFS, a copy of the table that a
 * provider of OpenSSL has for its key derivation functions: the entry that was
 * there serves the rest. False, and KDFS as it was, if it is missing. Once in a
 * process, whose handshakes all run on one thread.
 */
bool tls_kdf_replace(struct ossl_algorithm_st *kdfs);
