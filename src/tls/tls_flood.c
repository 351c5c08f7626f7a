/* Watch over what a TLS client makes us do for nothing. */
#include "tls/tls_flood.h"

#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "stream/scratch.h"
#include "stream/stream.h"
#include "tls/tls_error.h"

/*
 * What a client does not take of us is at most one scratch full, for then no
 * more is written. A client that goes on to make us answer (each attempt to
 * renegotiate costs an alert) and takes nothing would fill our memory.
 */
#define REST_MAX (SCRATCH_WRITE_MAX + (size_t)64 * 1024)

/* Sees every message; SSL_read() handles a KeyUpdate without a word. */
static void
on_message(int is_ours, int version, int type, const void *bytes, size_t len,
	SSL *ssl, void *arg)
{
	struct tls_flood *flood = arg;

	(void)version;
	(void)ssl;
	if (is_ours == 0 && type == SSL3_RT_HANDSHAKE && len > 0 &&
		*(const uint8_t *)bytes == SSL3_MT_KEY_UPDATE)
		flood->key_updates++;
}

void
tls_flood_watch(struct tls_flood *flood, struct ssl_st *ssl)
{
	SSL_set_msg_callback(ssl, on_message);
	SSL_set_msg_callback_arg(ssl, flood);
}

bool
tls_flood_of_answers(const struct stream *stream)
{
	return stream->rest.len > REST_MAX;
}

const struct tls_failure *
tls_flood_failure(void)
{
	static const struct tls_failure failure = {
		.token = "tls_protocol_error",
		.text = "flood of messages without data"};

	return &failure;
}
