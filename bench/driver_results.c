#include "config.h"

#include "driver_results.h"

#include <stdio.h>

#include <openssl/objects.h>

#include "tally.h"

void
driver_results_handshake(struct driver_results *results, SSL *ssl)
{
	int signature = NID_undef;
	int group = (int)SSL_get_negotiated_group(ssl);

	results->tally->connections++;
	if (SSL_session_reused(ssl))
		results->tally->resumed++;
	else if (SSL_get_peer_signature_type_nid(ssl, &signature) == 1)
		(void)snprintf(results->signature, sizeof results->signature,
			"%s", OBJ_nid2sn(signature));
	(void)snprintf(results->cipher, sizeof results->cipher, "%s",
		SSL_get_cipher_name(ssl));
	(void)snprintf(
		results->group, sizeof results->group, "%s", OBJ_nid2sn(group));
}

void
driver_results_exchange(
	struct driver_results *results, uint64_t upload, uint64_t download)
{
	results->tally->exchanges++;
	results->tally->sent += upload;
	results->tally->received += download;
}

void
driver_results_sample(struct driver_results *results, uint64_t us)
{
	if (results->n_samples < results->samples_max)
		results->samples[results->n_samples] =
			us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
	results->n_samples++;
}
