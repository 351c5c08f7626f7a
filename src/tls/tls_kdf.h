#pragma once

#include <stdbool.h>

struct ossl_algorithm_st;

/*
 * The secrets of TLS without OpenSSL 3.0's detours.
 *
 * libssl asks for some twenty secrets in a handshake of TLS 1.3, and four in
 * one of TLS 1.2, each time by way of names: digest and HMAC are looked up,
 * allocated and set up anew, and every input is copied, for a few HMACs of a
 * few bytes. What it asks for in a handshake is answered here straight from
 * OpenSSL's SHA-256 and SHA-384 (tls_kdf13.h, tls_kdf12.h); anything else that
 * these functions can be asked is passed on to the implementation of the
 * provider.
 */

/*
 * Put ourselves in the places of TLS13-KDF and TLS1-PRF in KDFS, a copy of the
 * table that a provider of OpenSSL has for its key derivation functions: the
 * entries that were there serve the rest. False, and KDFS as it was, if one is
 * missing. Once in a process, whose handshakes all run on one thread.
 */
bool tls_kdf_replace(struct ossl_algorithm_st *kdfs);
