/* One direction of a connection. */
#include "proxy/pump.h"

#include <assert.h>

#include "stream/scratch.h"
#include "stream/stream.h"

/*
 * How often one event may fill the scratch before the loop goes round. The
 * events are level-triggered, so a connection with more comes up again behind
 * all others that are ready: that is the whole of our fairness.
 */
#define ROUNDS_PER_EVENT 4

/*
 * Large reads are what makes bulk cheap, but what a slow sink does not take
 * of one has to be kept. So a pump starts small, doubles as long as it fills
 * what it asked for and the sink takes it all, and halves when the sink
 * leaves most of it.
 */
#define CHUNK_MIN   ((size_t)16 * 1024)
#define CHUNK_START ((size_t)32 * 1024)

void
pump_init(struct pump *pump, struct stream *source, struct stream *sink)
{
	*pump = (struct pump){.source = source,
		.sink = sink,
		.state = PUMP_OPEN,
		.chunk = CHUNK_START};
}

void
pump_give_up(struct pump *pump)
{
	if (pump->state == PUMP_OPEN)
		pump->state = PUMP_SINK_CUT;
}

bool
pump_wants_source(const struct pump *pump)
{
	return pump->state == PUMP_OPEN && !stream_has_rest(pump->sink);
}

static void
adapt_chunk(struct pump *pump, size_t len)
{
	const struct stream_rest *rest = &pump->sink->rest;
	size_t left = rest->len - rest->at;

	if (left == 0 && len >= pump->chunk && pump->chunk < SCRATCH_READ_MAX)
		pump->chunk *= 2;
	else if (left > len / 2 && pump->chunk > CHUNK_MIN)
		pump->chunk /= 2;
}

/* Hands LEN bytes of the scratch to the sink. */
static void
deliver(struct pump *pump, struct scratch *scratch, size_t len)
{
	enum stream_next next;

	pump->bytes += len;
	next = pump->sink->ops->write(pump->sink, scratch, scratch->plain, len);
	if (next == STREAM_CUT || next == STREAM_FAILED)
		pump->state = PUMP_SINK_CUT;
	adapt_chunk(pump, len);
}

/* The source said that nothing more comes: NEXT tells how. */
static void
finish(struct pump *pump, struct scratch *scratch, enum stream_next next)
{
	enum stream_next end;

	switch (next) {
	case STREAM_MOVED:
	case STREAM_WANT_READ:
	case STREAM_WANT_WRITE:
		return;
	case STREAM_CUT:
		pump->state = PUMP_SOURCE_CUT;
		return;
	case STREAM_FAILED:
		pump->state = PUMP_SOURCE_FAILED;
		return;
	case STREAM_ENDED:
		break;
	}
	end = pump->sink->ops->end(pump->sink, scratch);
	/* A sink that has gone, and has taken every byte before it went, has
	 * missed nothing but our good-bye: a client that says close_notify and
	 * closes, before the backend has ended its side, is in order. */
	if (end == STREAM_CUT && !stream_has_rest(pump->sink))
		pump->sink->ended = true;
	pump->state = end == STREAM_FAILED ? PUMP_SINK_CUT : PUMP_ENDED;
}

void
pump_run(struct pump *pump, struct scratch *scratch)
{
	enum stream_next next = STREAM_MOVED;
	size_t len;
	int round;

	assert(pump->state == PUMP_OPEN);

	for (round = 0; round < ROUNDS_PER_EVENT; round++) {
		if (!pump_wants_source(pump))
			return;
		next = pump->source->ops->read(
			pump->source, scratch, pump->chunk, &len);
		if (len > 0)
			deliver(pump, scratch, len);
		if (pump->state == PUMP_OPEN)
			finish(pump, scratch, next);
		if (next != STREAM_MOVED)
			return;
	}
}
