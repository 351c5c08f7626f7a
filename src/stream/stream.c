/* Plaintext streams, and what every stream does with a slow socket. */
#include "stream/stream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "stream/scratch.h"

static enum stream_next
cut(struct stream *stream, int errnum)
{
	stream->error = errnum;
	return STREAM_CUT;
}

/*
 * The kernel tells of a reset once. When a write has heard of it, recv() says
 * what it says of a FIN. EPIPE alone does not count: then the FIN came first.
 */
static bool
was_cut(const struct stream *stream)
{
	return stream->error != 0 && stream->error != EPIPE;
}

static enum stream_next
plain_read(struct stream *stream, struct scratch *scratch, size_t max,
	size_t *len_out)
{
	ssize_t n;

	assert(max > 0 && max <= SCRATCH_READ_MAX);
	*len_out = 0;
	do {
		n = recv(stream->fd, scratch->plain, max, 0);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return was_cut(stream) ? STREAM_CUT : STREAM_ENDED;
	if (n < 0)
		return errno == EAGAIN ? STREAM_WANT_READ : cut(stream, errno);
	*len_out = (size_t)n;
	/* Less than asked for: the kernel has no more. Asking again would
	 * cost a system call per round trip to hear just that. */
	return (size_t)n < max ? STREAM_WANT_READ : STREAM_MOVED;
}

static enum stream_next
plain_write(struct stream *stream, struct scratch *scratch,
	const uint8_t *bytes, size_t len)
{
	(void)scratch;
	return stream_send(stream, bytes, len);
}

static enum stream_next
plain_flush(struct stream *stream, struct scratch *scratch)
{
	(void)scratch;
	return stream_send_rest(stream);
}

static enum stream_next
plain_end(struct stream *stream, struct scratch *scratch)
{
	(void)scratch;
	stream->ending = true;
	return stream_shut(stream);
}

static const struct stream_ops plain_ops = {
	.read = plain_read,
	.write = plain_write,
	.flush = plain_flush,
	.end = plain_end,
};

void
stream_init_plain(struct stream *stream, int fd)
{
	*stream = (struct stream){.ops = &plain_ops, .fd = fd};
}

static void
drop_rest(struct stream *stream)
{
	free(stream->rest.bytes);
	stream->rest = (struct stream_rest){0};
}

void
stream_done(struct stream *stream)
{
	drop_rest(stream);
	fd_close(&stream->fd);
}

bool
stream_keep(struct stream *stream, const uint8_t *bytes, size_t len)
{
	struct stream_rest *rest = &stream->rest;
	uint8_t *grown;

	if (len == 0)
		return true;
	if (rest->len + len > rest->size) {
		grown = realloc(rest->bytes, rest->len + len);
		if (grown == NULL)
			return false;
		rest->bytes = grown;
		rest->size = rest->len + len;
	}
	memcpy(rest->bytes + rest->len, bytes, len);
	rest->len += len;
	return true;
}

/* Sends as much as the socket takes; how much goes to *SENT_OUT. What is
 * followed by the FIN need not leave before it: one segment less. */
static enum stream_next
send_some(struct stream *stream, const uint8_t *bytes, size_t len,
	size_t *sent_out)
{
	const int flags = MSG_NOSIGNAL | (stream->ending ? MSG_MORE : 0);
	ssize_t n;

	*sent_out = 0;
	while (*sent_out < len) {
		n = send(stream->fd, bytes + *sent_out, len - *sent_out, flags);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return STREAM_WANT_WRITE;
		if (n < 0)
			return cut(stream, errno);
		*sent_out += (size_t)n;
		/* A short send means a full socket; level-triggered events
		 * tell when it is not. */
		if (*sent_out < len)
			return STREAM_WANT_WRITE;
	}
	return STREAM_MOVED;
}

enum stream_next
stream_send(struct stream *stream, const uint8_t *bytes, size_t len)
{
	enum stream_next next = STREAM_WANT_WRITE;
	size_t sent = 0;

	if (!stream_has_rest(stream))
		next = send_some(stream, bytes, len, &sent);
	if (next != STREAM_WANT_WRITE)
		return next;
	if (!stream_keep(stream, bytes + sent, len - sent))
		return cut(stream, ENOMEM);
	return STREAM_WANT_WRITE;
}

enum stream_next
stream_send_rest(struct stream *stream)
{
	struct stream_rest *rest = &stream->rest;
	enum stream_next next;
	size_t sent;

	if (stream_has_rest(stream)) {
		next = send_some(stream, rest->bytes + rest->at,
			rest->len - rest->at, &sent);
		rest->at += sent;
		if (next != STREAM_MOVED)
			return next;
		drop_rest(stream);
	}
	return stream_shut(stream);
}

enum stream_next
stream_shut(struct stream *stream)
{
	if (!stream->ending || stream->ended)
		return STREAM_MOVED;
	if (stream_has_rest(stream))
		return STREAM_WANT_WRITE;
	stream->ended = true;
	if (shutdown(stream->fd, SHUT_WR) < 0)
		return cut(stream, errno);
	return STREAM_MOVED;
}
