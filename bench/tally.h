#pragma once

#include <stddef.h>
#include <stdint.h>

/* What one process has done; it alone writes, others may read at any time. */
struct tally {
	uint64_t connections; /* accepted, or made and used */
	uint64_t exchanges;   /* orders fulfilled */
	uint64_t sent;        /* bytes of plaintext */
	uint64_t received;
	uint64_t resumed; /* handshakes that took up a session */
	uint64_t tickets; /* sessions that proxies gave us */
	uint64_t cut;     /* connections that ended amid an order */
};

struct tally tally_sum(const struct tally *tallies, size_t n);

/* Writes it to stdout as members of a JSON object, without the braces. */
void tally_print(const struct tally *tally);
