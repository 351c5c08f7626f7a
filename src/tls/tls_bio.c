/* SSL's idea of a network: the worker's scratch. */
#include "tls/tls_bio.h"

#include <string.h>

#include <openssl/bio.h>

#include "stream/scratch.h"

/* Whose turn it is. */
static struct stream *stream_now;
static struct scratch *scratch_now;

static int
bio_read(BIO *bio, char *out, int size)
{
	struct scratch *scratch = scratch_now;
	size_t len = scratch->in_len - scratch->in_at;

	BIO_clear_retry_flags(bio);
	if (len == 0 || size <= 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	if (len > (size_t)size)
		len = (size_t)size;
	memcpy(out, scratch->in + scratch->in_at, len);
	scratch->in_at += len;
	return (int)len;
}

void
tls_bio_use(struct stream *stream, struct scratch *scratch)
{
	stream_now = stream;
	scratch_now = scratch;
	scratch->out_len = 0;
}

enum stream_next
tls_bio_send(void)
{
	struct scratch *scratch = scratch_now;
	size_t len = scratch->out_len;

	scratch->out_len = 0;
	if (len == 0)
		return stream_has_rest(stream_now) ? STREAM_WANT_WRITE
						   : STREAM_MOVED;
	return stream_send(stream_now, scratch->out, len);
}

static int
bio_write(BIO *bio, const char *bytes, int len)
{
	struct scratch *scratch = scratch_now;
	size_t room = SCRATCH_WRITE_MAX - scratch->out_len;
	enum stream_next next;

	BIO_clear_retry_flags(bio);
	if (len <= 0)
		return 0;
	if ((size_t)len > room) {
		/* A certificate chain longer than the scratch: rare. */
		next = tls_bio_send();
		if (next == STREAM_CUT)
			return -1;
		room = SCRATCH_WRITE_MAX;
	}
	if ((size_t)len > room)
		len = (int)room;
	memcpy(scratch->out + scratch->out_len, bytes, (size_t)len);
	scratch->out_len += (size_t)len;
	return len;
}

static long
bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO_METHOD *
new_method(void)
{
	BIO_METHOD *method = BIO_meth_new(
		BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "scratch");

	if (method == NULL)
		return NULL;
	(void)BIO_meth_set_read(method, bio_read);
	(void)BIO_meth_set_write(method, bio_write);
	(void)BIO_meth_set_ctrl(method, bio_ctrl);
	return method;
}

/*
 * Made once per process, on first use: there are no threads. SSL puts a buffer
 * of its own in front of it for the time of a handshake. The link back to that
 * is then the latest one's, but nobody follows it: SSL takes its buffer away
 * again before it lets go of the BIO.
 */
struct bio_st *
tls_bio_ref(void)
{
	static BIO_METHOD *method;
	static BIO *bio;

	if (method == NULL)
		method = new_method();
	if (bio == NULL && method != NULL)
		bio = BIO_new(method);
	if (bio == NULL || BIO_up_ref(bio) != 1)
		return NULL;
	BIO_set_init(bio, 1);
	return bio;
}
