#pragma once

#include <stddef.h>

#include "stream/stream.h"

/*
 * A stream without a socket, for tests: says what its script says, and
 * remembers what it was told.
 */

/* What one read gives; TEXT may be NULL. */
struct fake_read {
	enum stream_next next;
	const char *text;
};

#define FAKE_TEXT_MAX 4096

struct fake_stream {
	struct stream base;            /* first: stream_ops cast back */
	const struct fake_read *reads; /* WANT_READ for ever behind the last */
	size_t n_reads, at;
	/* MOVED or WANT_WRITE (then all goes to the rest), CUT, FAILED */
	enum stream_next write_answer;
	enum stream_next flush_answer; /* MOVED sends the rest */
	enum stream_next end_answer;   /* MOVED waits for the rest, too */
	unsigned n_read, n_written, n_flushed, n_ended;
	char got[FAKE_TEXT_MAX]; /* what arrived; a '|' is the end */
};

/* READS are borrowed. */
void fake_init(struct fake_stream *fake, const struct fake_read *reads,
	size_t n_reads);
void fake_done(struct fake_stream *fake);
