/* Both directions of one connection. */
#include "proxy/relay.h"

#include "stream/stream.h"

void
relay_init(struct relay *relay, struct stream *client, struct stream *backend)
{
	relay->client = client;
	relay->backend = backend;
	pump_init(&relay->up, client, backend);
	pump_init(&relay->down, backend, client);
}

/*
 * A source that vanished takes nothing any more either: stop the other way.
 * A sink that vanished is different: what it had sent before may still wait
 * in the kernel, ending included, so that way goes on until it says so.
 */
static void
run(struct pump *pump, struct pump *other, struct scratch *scratch)
{
	if (pump->state != PUMP_OPEN)
		return;
	pump_run(pump, scratch);
	if (pump->state == PUMP_SOURCE_CUT || pump->state == PUMP_SOURCE_FAILED)
		pump_give_up(other);
}

static void
flush(struct stream *sink, struct pump *pump, struct scratch *scratch)
{
	enum stream_next next = sink->ops->flush(sink, scratch);

	if (next != STREAM_CUT && next != STREAM_FAILED)
		return;
	/* What is left of the rest has nowhere to go. */
	sink->rest.at = sink->rest.len;
	if (pump->state == PUMP_OPEN || pump->state == PUMP_ENDED)
		pump->state = PUMP_SINK_CUT;
}

void
relay_read_client(struct relay *relay, struct scratch *scratch)
{
	run(&relay->up, &relay->down, scratch);
}

void
relay_read_backend(struct relay *relay, struct scratch *scratch)
{
	run(&relay->down, &relay->up, scratch);
}

void
relay_write_client(struct relay *relay, struct scratch *scratch)
{
	flush(relay->client, &relay->down, scratch);
}

void
relay_write_backend(struct relay *relay, struct scratch *scratch)
{
	flush(relay->backend, &relay->up, scratch);
}

bool
relay_backend_got_end(const struct relay *relay)
{
	return relay->up.state == PUMP_ENDED && relay->backend->ended;
}

bool
relay_client_got_end(const struct relay *relay)
{
	return relay->down.state == PUMP_ENDED && relay->client->ended;
}

/* Is this way done with, rest included? */
static bool
is_over(const struct pump *pump)
{
	switch (pump->state) {
	case PUMP_OPEN:
		return false;
	case PUMP_ENDED:
		return pump->sink->ended;
	case PUMP_SOURCE_CUT:
	case PUMP_SOURCE_FAILED:
		return !stream_has_rest(pump->sink);
	case PUMP_SINK_CUT:
		return true;
	}
	return true;
}

static bool
is_in_order(const struct pump *pump)
{
	return pump->state == PUMP_OPEN || pump->state == PUMP_ENDED;
}

enum relay_status
relay_status(const struct relay *relay)
{
	const struct pump *up = &relay->up, *down = &relay->down;

	if (is_over(up) && is_over(down))
		return RELAY_OVER;
	if (!is_in_order(up) || !is_in_order(down))
		return RELAY_CUT;
	if (up->state == PUMP_ENDED || down->state == PUMP_ENDED)
		return RELAY_HALF_CLOSED;
	return RELAY_OPEN;
}
