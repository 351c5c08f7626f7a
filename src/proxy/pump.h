#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scratch;
struct stream;

/*
 * Moves bytes one way, from one stream to another, and passes the end on. A
 * pump knows neither TLS nor sockets nor timeouts; it owns nothing.
 */
enum pump_state {
	PUMP_OPEN,          /* more may come */
	PUMP_ENDED,         /* the source ended in order, the sink was told */
	PUMP_SOURCE_CUT,    /* the source vanished: what came was delivered */
	PUMP_SOURCE_FAILED, /* the source broke its protocol */
	PUMP_SINK_CUT       /* the sink takes no more */
};

struct pump {
	struct stream *source;
	struct stream *sink;
	enum pump_state state;
	uint64_t bytes; /* taken from the source, plaintext */
	size_t chunk;   /* how much to ask the source for at once */
};

void pump_init(struct pump *pump, struct stream *source, struct stream *sink);

/*
 * Runs until the source has no more, the sink takes no more, or this
 * connection had its share of the loop turn. Only to be called while open.
 */
void pump_run(struct pump *pump, struct scratch *scratch);

/* Nothing more is to be moved: the other end of the sink is gone. */
void pump_give_up(struct pump *pump);

/* Is there reason to wait for the source? Not while the sink is behind: a
 * slow reader stops its writer. */
bool pump_wants_source(const struct pump *pump);
