#include "config.h"

#include "fake_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stream/scratch.h"

static struct fake_stream *
of_base(struct stream *stream)
{
	return (struct fake_stream *)stream;
}

static void
arrive(struct fake_stream *fake, const void *bytes, size_t len)
{
	size_t at = strlen(fake->got);

	assert_true(at + len < sizeof fake->got);
	if (len == 0)
		return; /* BYTES may be NULL */
	memcpy(fake->got + at, bytes, len);
	fake->got[at + len] = '\0';
}

/* The end, when it was asked for and nothing is in its way. */
static void
arrive_end(struct fake_stream *fake)
{
	if (!fake->base.ending || fake->base.ended)
		return;
	fake->base.ended = true;
	arrive(fake, "|", 1);
}

static enum stream_next
fake_read(struct stream *stream, struct scratch *scratch, size_t max,
	size_t *len_out)
{
	struct fake_stream *fake = of_base(stream);
	const struct fake_read *now;

	*len_out = 0;
	fake->n_read++;
	if (fake->at == fake->n_reads)
		return STREAM_WANT_READ;
	now = &fake->reads[fake->at++];
	if (now->text != NULL) {
		*len_out = strlen(now->text);
		assert_true(*len_out <= max);
		memcpy(scratch->plain, now->text, *len_out);
	}
	return now->next;
}

static enum stream_next
fake_write(struct stream *stream, struct scratch *scratch, const uint8_t *bytes,
	size_t len)
{
	struct fake_stream *fake = of_base(stream);

	(void)scratch;
	assert_false(fake->base.ending);
	assert_false(stream_has_rest(stream));
	fake->n_written++;
	if (fake->write_answer == STREAM_MOVED)
		arrive(fake, bytes, len);
	if (fake->write_answer == STREAM_WANT_WRITE)
		assert_true(stream_keep(stream, bytes, len));
	return fake->write_answer;
}

static enum stream_next
fake_flush(struct stream *stream, struct scratch *scratch)
{
	struct fake_stream *fake = of_base(stream);
	struct stream_rest *rest = &stream->rest;

	(void)scratch;
	fake->n_flushed++;
	if (fake->flush_answer != STREAM_MOVED)
		return fake->flush_answer;
	arrive(fake, rest->bytes + rest->at, rest->len - rest->at);
	rest->at = rest->len;
	arrive_end(fake);
	return STREAM_MOVED;
}

static enum stream_next
fake_end(struct stream *stream, struct scratch *scratch)
{
	struct fake_stream *fake = of_base(stream);

	(void)scratch;
	fake->n_ended++;
	if (fake->end_answer != STREAM_MOVED)
		return fake->end_answer;
	stream->ending = true;
	if (stream_has_rest(stream))
		return STREAM_WANT_WRITE;
	arrive_end(fake);
	return STREAM_MOVED;
}

static const struct stream_ops fake_ops = {
	.read = fake_read,
	.write = fake_write,
	.flush = fake_flush,
	.end = fake_end,
};

void
fake_init(
	struct fake_stream *fake, const struct fake_read *reads, size_t n_reads)
{
	*fake = (struct fake_stream){.base = {.ops = &fake_ops, .fd = -1},
		.reads = reads,
		.n_reads = n_reads,
		.write_answer = STREAM_MOVED,
		.flush_answer = STREAM_MOVED,
		.end_answer = STREAM_MOVED};
}

void
fake_done(struct fake_stream *fake)
{
	stream_done(&fake->base);
}
