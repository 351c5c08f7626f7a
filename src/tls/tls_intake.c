/* What came from a TLS peer and SSL has not asked for yet. */
#include "tls/tls_intake.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "stream/scratch.h"

static bool
keep(struct tls_intake *intake, const uint8_t *bytes, size_t len)
{
	assert(intake->len == 0 && len > 0 && len <= SCRATCH_READ_MAX);
	intake->bytes = malloc(len);
	if (intake->bytes == NULL)
		return false;
	memcpy(intake->bytes, bytes, len);
	intake->len = len;
	return true;
}

bool
tls_intake_push(struct tls_intake *intake, const uint8_t *bytes, size_t len)
{
	if (!keep(intake, bytes, len))
		return false;
	intake->heard = true;
	return true;
}

enum stream_next
tls_intake_fill(struct tls_intake *intake, struct stream *from,
	struct scratch *scratch, size_t max, bool *drained_out)
{
	ssize_t n;

	scratch->in_at = 0;
	scratch->in_len = 0;
	*drained_out = false;
	if (intake->len > 0) {
		memcpy(scratch->in, intake->bytes, intake->len);
		scratch->in_len = intake->len;
		tls_intake_done(intake);
		/* Mostly a request that came with the last message of the
		 * handshake, and all there is. */
		*drained_out = true;
		return STREAM_MOVED;
	}
	do {
		n = recv(from->fd, scratch->in, max, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return STREAM_WANT_READ;
	if (n <= 0) {
		/* An end of TCP without close_notify cuts the stream. */
		from->error = n < 0 ? errno : 0;
		return STREAM_CUT;
	}
	intake->heard = true;
	scratch->in_len = (size_t)n;
	*drained_out = (size_t)n < max;
	return STREAM_MOVED;
}

bool
tls_intake_keep(struct tls_intake *intake, struct scratch *scratch)
{
	size_t len = scratch->in_len - scratch->in_at;

	if (len == 0)
		return true;
	if (!keep(intake, scratch->in + scratch->in_at, len))
		return false;
	scratch->in_at = scratch->in_len;
	return true;
}

void
tls_intake_done(struct tls_intake *intake)
{
	free(intake->bytes);
	intake->bytes = NULL;
	intake->len = 0;
}
