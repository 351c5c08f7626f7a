#pragma once

#include <stdbool.h>

struct ossl_algorithm_st;

/*
 * The key schedule of TLS 1.3 (RFC 8446 section 7.1) without OpenSSL 3.0's
 * detours.
 *
 * libssl asks for some twenty secrets in a handshake, each time by way of
 * names: digest and HMAC are looked up, allocated and set up anew, and every
 * input is copied, for one HMAC or two of a few bytes. What it asks for in
 * a handshake is answered here straight from its own SHA-256 and SHA-384;
 * anything else that TLS13-KDF can be asked, errors included, is passed on to
 * the implementation of the provider.
 */

/*
 * Put ourselves in the place of TLS13-KDF in KDFS, a copy of the table that a
 * provider of OpenSSL has for its key derivation functions: the entry that
 * was there serves the rest. False, and KDFS as it was, if there is none like
 * that. Once in a process, whose handshakes all run on one thread.
 */
bool tls_kdf_replace(struct ossl_algorithm_st *kdfs);
