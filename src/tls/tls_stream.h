#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stream/stream.h"

struct identity;
struct scratch;
struct tls_ctx;
struct tls_description;
struct tls_failure;

/*
 * The server side of one TLS connection over a socket.
 *
 * SSL never sees the socket. A BIO of our own feeds SSL_read() from what one
 * large recv() brought into the worker's scratch, and gathers the records that
 * SSL_write() makes, so that a batch leaves with one send(). Consequences: SSL
 * never wants to write; ciphertext the socket did not take is the stream's
 * rest; SSL_read() runs until it has eaten all that was received, so nothing
 * is kept outside OpenSSL.
 */
struct tls_stream;

/* Takes FD in every case. CTX is referenced. NULL without memory. */
struct tls_stream *tls_stream_new(struct tls_ctx *ctx, int fd);

/* Bytes that were received before TLS began: they are its first. Copied.
 * Before the first step of the handshake. False without memory. */
bool tls_stream_push(struct tls_stream *tls, const uint8_t *bytes, size_t len);

/* Closes the descriptor unless tls_stream_take_fd() took it. Accepts NULL. */
void tls_stream_free(struct tls_stream **tls);

/* For pumps; valid as long as TLS is. */
struct stream *tls_stream_base(struct tls_stream *tls);

/*
 * One step of the handshake: at most one recv(), then as far as it goes.
 *   MOVED       done: the stream can be read and written
 *   WANT_READ   (what we said may still be in the rest: flush it meanwhile)
 *   CUT         the client went away; tls_stream_heard() tells whether it had
 *               said anything
 *   FAILED      tls_stream_failure() tells; the alert is in the kernel or in
 *               the rest; the caller lingers
 */
enum stream_next tls_stream_handshake(
	struct tls_stream *tls, struct scratch *scratch);

/* Why READ, WRITE, END or the handshake answered FAILED. */
const struct tls_failure *tls_stream_failure(const struct tls_stream *tls);

/* Did the peer ever send a byte? */
bool tls_stream_heard(const struct tls_stream *tls);

/* Bytes that SSL_read() would give without another recv(): after a handshake
 * early data of the client may wait there. */
bool tls_stream_pending(const struct tls_stream *tls);

/* The descriptor; the stream has none afterwards. */
int tls_stream_take_fd(struct tls_stream *tls);

/* Unix time at which the first certificate of the client's chain expires (of
 * a resumed session: the client's own); INT64_MAX without one. */
int64_t tls_stream_valid_until(const struct tls_stream *tls);

/*
 * Would the client of this live connection get in through CTX? A session that
 * was resumed has lost the intermediates of its client: where these are needed
 * the answer is no, and a new handshake will tell. False with OUT filled in.
 */
bool tls_stream_readmit(const struct tls_stream *tls, struct tls_ctx *ctx,
	struct tls_failure *out);

/* The context that the handshake came to: the one that the client's server
 * name has chosen; borrowed. */
struct tls_ctx *tls_stream_ctx(const struct tls_stream *tls);

/* For a PROXY header (tls_describe.h). */
void tls_stream_describe(
	const struct tls_stream *tls, struct tls_description *out);

/* For the log: literals and borrowed text; NULL where there is nothing. */
const char *tls_stream_version(const struct tls_stream *tls);
const char *tls_stream_cipher(const struct tls_stream *tls);
const char *tls_stream_server_name(const struct tls_stream *tls);
bool tls_stream_resumed(const struct tls_stream *tls);
/* Owned by the caller; NULL without a client certificate. After a handshake
 * that the rules refused: who was refused. */
struct identity *tls_stream_identity(const struct tls_stream *tls);
