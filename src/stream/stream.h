#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scratch;

/*
 * A byte stream over a descriptor, plaintext or TLS: pumps know only this.
 *
 * Level-triggered: an operation that gave less than it was asked for ends the
 * round, the event loop calls again. A stream belongs to one connection; its
 * descriptor belongs to the stream.
 */
enum stream_next {
	STREAM_MOVED,      /* bytes went through; call again */
	STREAM_WANT_READ,  /* wait until the descriptor is readable */
	STREAM_WANT_WRITE, /* wait until it is writable */
	STREAM_ENDED,      /* an orderly end: FIN, or close_notify */
	STREAM_CUT,        /* the peer went away without saying so */
	STREAM_FAILED      /* stream_failure() tells */
};

struct stream;

/*
 * READ up to MAX bytes into the scratch's plain buffer (MAX at most
 * SCRATCH_READ_MAX). *LEN_OUT may be more than 0 with every answer but
 * WANT_READ: those bytes came before the end or the failure and must be
 * delivered first.
 *   MOVED      there may be more
 *   WANT_READ  no more now (*LEN_OUT may be > 0: then deliver, then wait)
 *
 * WRITE takes all LEN bytes in every case but CUT and FAILED.
 *   MOVED      all of it is in the kernel
 *   WANT_WRITE the stream keeps a rest of its own: write nothing more until
 *              FLUSH has answered MOVED
 *
 * END says that no more will be written (close_notify, FIN), behind the last
 * byte. MOVED, WANT_WRITE (FLUSH will do it) or CUT/FAILED.
 */
struct stream_ops {
	enum stream_next (*read)(struct stream *stream, struct scratch *scratch,
		size_t max, size_t *len_out);
	enum stream_next (*write)(struct stream *stream,
		struct scratch *scratch, const uint8_t *bytes, size_t len);
	enum stream_next (*flush)(
		struct stream *stream, struct scratch *scratch);
	enum stream_next (*end)(struct stream *stream, struct scratch *scratch);
};

/* What the socket would not take: bytes[at..len) are still to be sent. */
struct stream_rest {
	uint8_t *bytes;
	size_t at, len, size;
};

struct stream {
	const struct stream_ops *ops;
	int fd;
	int error; /* errno of the last CUT or FAILED that came from a socket */
	bool ending; /* END was asked for: shut down behind the rest */
	bool ended;  /* the FIN is out */
	struct stream_rest rest;
};

/* A plaintext stream over FD, in storage of the caller. */
void stream_init_plain(struct stream *stream, int fd);

/* Frees the rest; closes the descriptor unless it was taken (-1). */
void stream_done(struct stream *stream);

/*
 * For implementations: sends LEN bytes at once; what does not fit, and all of
 * it when there is a rest already, is kept behind the rest. Answers like
 * WRITE.
 */
enum stream_next stream_send(
	struct stream *stream, const uint8_t *bytes, size_t len);
/* Sends the rest; MOVED when none is left (its memory is given back). */
enum stream_next stream_send_rest(struct stream *stream);
/* Keeps BYTES behind the rest without trying the socket. False without
 * memory. */
bool stream_keep(struct stream *stream, const uint8_t *bytes, size_t len);
/* shutdown(SHUT_WR) when ENDING and nothing is left to be sent. */
enum stream_next stream_shut(struct stream *stream);

static inline bool
stream_has_rest(const struct stream *stream)
{
	return stream->rest.at < stream->rest.len;
}
