#include "config.h"

#include "tally.h"

#include <inttypes.h>
#include <stdio.h>

struct tally
tally_sum(const struct tally *tallies, size_t n)
{
	struct tally sum = {0};

	for (size_t i = 0; i < n; i++) {
		sum.connections += tallies[i].connections;
		sum.exchanges += tallies[i].exchanges;
		sum.sent += tallies[i].sent;
		sum.received += tallies[i].received;
		sum.resumed += tallies[i].resumed;
		sum.tickets += tallies[i].tickets;
		sum.cut += tallies[i].cut;
	}
	return sum;
}

void
tally_print(const struct tally *tally)
{
	printf("\"connections\": %" PRIu64 ", \"exchanges\": %" PRIu64
	       ", \"sent\": %" PRIu64 ", \"received\": %" PRIu64
	       ", \"resumed\": %" PRIu64 ", \"tickets\": %" PRIu64
	       ", \"cut\": %" PRIu64,
		tally->connections, tally->exchanges, tally->sent,
		tally->received, tally->resumed, tally->tickets, tally->cut);
}
