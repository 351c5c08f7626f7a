#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stream/stream.h"

struct scratch;

/*
 * What came from a TLS peer and SSL has not asked for yet: ciphertext that has
 * to be kept, because the scratch is everybody's. That is so before the first
 * step of a handshake and after its last; while data is relayed SSL eats all
 * of it. The storage is the caller's, zeroed; the bytes are the intake's.
 */
struct tls_intake {
	uint8_t *bytes;
	size_t len;
	bool heard; /* the peer has ever sent a byte */
};

/* Copies what was received before TLS began: LEN is not 0, and nothing is kept
 * yet. False without memory. */
bool tls_intake_push(
	struct tls_intake *intake, const uint8_t *bytes, size_t len);

/*
 * Fills SCRATCH's input with what is kept, or with one recv() of at most MAX
 * bytes from FROM's descriptor.
 *   MOVED       there are bytes and perhaps more. *DRAINED_OUT: the kernel has
 *               no more, or will tell by itself
 *   WANT_READ   there are none
 *   CUT         FROM's error tells why; 0: an end of TCP
 */
enum stream_next tls_intake_fill(struct tls_intake *intake, struct stream *from,
	struct scratch *scratch, size_t max, bool *drained_out);

/* Keeps what SSL has left in SCRATCH's input. Nothing may be kept yet. False
 * without memory. */
bool tls_intake_keep(struct tls_intake *intake, struct scratch *scratch);

/* Frees what is kept. */
void tls_intake_done(struct tls_intake *intake);
