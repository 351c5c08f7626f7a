#pragma once

#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

struct tally;

/* What a driver leaves in memory that it shares with the parent. */
struct driver_results {
	struct tally *tally;
	uint32_t *samples; /* microseconds of each exchange */
	size_t samples_max;
	size_t n_samples; /* ever taken; those past the maximum are lost */
	char group[32];   /* of the last handshake: what was agreed on */
	char cipher[64];
	char signature[32]; /* of the last full one */
};

/* A handshake is done. */
void driver_results_handshake(struct driver_results *results, SSL *ssl);

/* An exchange is. */
void driver_results_exchange(
	struct driver_results *results, uint64_t upload, uint64_t download);

/* It took so long. */
void driver_results_sample(struct driver_results *results, uint64_t us);
