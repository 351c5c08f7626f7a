#pragma once

#include "stream/stream.h"

struct bio_st;
struct scratch;

/*
 * SSL's idea of a network: it reads what one large recv() brought into the
 * worker's scratch, and writes into the scratch, from where all records leave
 * with one send(). A blocked socket is none of its business.
 */
struct tls_bio {
	struct stream *stream;   /* whose records these are */
	struct scratch *scratch; /* set for the time of an operation */
};

/* A BIO over FEED, which outlives it. NULL without memory. */
struct bio_st *tls_bio_new(struct tls_bio *feed);

/* Sends what was gathered; what the socket does not take becomes the stream's
 * rest. */
enum stream_next tls_bio_send(struct tls_bio *feed);
