#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * A worker's large buffers, shared by all of its connections, so that an idle
 * connection owns none.
 *
 * Nothing may stay in them between two events: what a socket would not take
 * is copied to the stream it was meant for.
 */

/* One recv() of up to this many bytes feeds all records in it, and all
 * records made of it leave with one send(). Measured against HAProxy = 1.00
 * on a 1 GB download: 64 KiB 0.82, 256 KiB 0.71; 512 KiB loses again when
 * few connections share the L2 cache. */
#define SCRATCH_READ_MAX ((size_t)256 * 1024)

/* A read may complete a record whose first part waited inside OpenSSL: one
 * record of plaintext more than was received. */
#define SCRATCH_PLAIN_MAX (SCRATCH_READ_MAX + (size_t)32 * 1024)

/* Room for SCRATCH_PLAIN_MAX of plaintext in 16 KiB records of TLS 1.2 or 1.3
 * (at most 325 bytes each on top: RFC 5246 6.2.3, RFC 8446 5.2). */
#define SCRATCH_WRITE_MAX (SCRATCH_PLAIN_MAX + (size_t)18 * 512)

struct scratch {
	/* Ciphertext that came with one recv(). */
	uint8_t *in;
	size_t in_len, in_at;
	/* Plaintext on its way from one stream to the other. */
	uint8_t *plain;
	/* Ciphertext that is to leave with one send(). */
	uint8_t *out;
	size_t out_len;
};

struct scratch *scratch_new(void);
void scratch_free(struct scratch **scratch);
