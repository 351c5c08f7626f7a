#pragma once

#include "stream/stream.h"

struct bio_st;
struct scratch;
struct stream;

/*
 * SSL's idea of a network: it reads what one large recv() brought into the
 * worker's scratch, and writes into the scratch, from where all records leave
 * with one send(). A blocked socket is none of its business.
 *
 * All SSLs of a process share one, as only one of them works at a time: an
 * idle connection has no use for 200 bytes of its own.
 */

/* A reference that SSL_set_bio() may take. NULL without memory. */
struct bio_st *tls_bio_ref(void);

/* Until the next call the records are those of STREAM, in SCRATCH. Before each
 * operation of an SSL. */
void tls_bio_use(struct stream *stream, struct scratch *scratch);

/* Sends what was gathered; what the socket does not take becomes the stream's
 * rest. */
enum stream_next tls_bio_send(void);
