#pragma once

#include <stdbool.h>

/*
 * Handshakes without OpenSSL 3.0's detours.
 *
 * To decode one public key, OpenSSL before 3.2 sets up every decoder that the
 * provider has (some seventy, PEM and private keys among them) and throws all
 * but one away again: a tenth of a handshake with mutual TLS for each
 * certificate it touches, and it touches the client's once more in every
 * ticket. And the secrets of TLS 1.3 cost it a fifth of a plain handshake, and
 * those of TLS 1.2 a twenty-fifth (tls_kdf.h). So handshakes run in a library
 * context of their own, whose provider is OpenSSL's default one without the
 * decoders that neither certificates nor keys of servers need, and with key
 * derivation functions and a making of X25519 keys (tls_x25519.h) of ours.
 * Certificates and keys are loaded there, too.
 *
 * Only where the process has just OpenSSL's default provider (tls_plain.h).
 */

/* For tls_init(); once is enough. Nothing is said about failures: handshakes
 * then do without. */
void tls_lean_init(void);

/*
 * From begin to end all that OpenSSL does with the default library context
 * happens in the lean one. Do not nest. The indices of ex_data are counted for
 * each context, and an object has room for one count only: whoever wants one
 * (SSL_get_ex_new_index() and its like) takes it before, in tls_init().
 */
void tls_lean_begin(void);
void tls_lean_end(void);

/* Are we between the two, and is there a lean context? Who cannot decode
 * something then may end it, try again, and begin anew. */
bool tls_lean_is_inside(void);
