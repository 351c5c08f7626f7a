/* One TLS connection as a stream: SSL fed from, and emptied into, scratch. */
#include "tls/tls_stream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "authz/identity.h"
#include "authz/policy.h"
#include "stream/scratch.h"
#include "tls/tls_bio.h"
#include "tls/tls_ctx.h"
#include "tls/tls_describe.h"
#include "tls/tls_error.h"
#include "tls/tls_flood.h"
#include "tls/tls_intake.h"
#include "tls/tls_lean.h"
#include "tls/tls_offline.h"
#include "tls/tls_peer.h"
#include "tls/tls_session_claim.h"
#include "tls/tls_verify.h"

/* Nobody needs more for one flight of a handshake, and what is left over when
 * it is done has to be kept until the backend is there. */
#define HANDSHAKE_READ_MAX ((size_t)16 * 1024)

struct tls_stream {
	struct stream base; /* first: stream_ops cast back */
	SSL *ssl;
	struct tls_ctx *ctx;
	struct tls_intake intake;
	struct tls_flood flood;
	struct tls_failure *failure; /* allocated when there is one */
};

static struct tls_stream *
of_base(struct stream *stream)
{
	return (struct tls_stream *)stream;
}

static void
begin(struct tls_stream *tls, struct scratch *scratch)
{
	tls_bio_use(&tls->base, scratch);
	/* An entry that somebody left would be taken for ours. To look first
	 * is cheaper: OpenSSL clears all sixteen places, used or not. */
	if (ERR_peek_error() != 0)
		ERR_clear_error();
}

static enum stream_next
fail_with(struct tls_stream *tls)
{
	if (tls->failure == NULL)
		tls->failure = calloc(1, sizeof *tls->failure);
	if (tls->failure != NULL)
		tls_error_explain(tls->ssl, tls->failure);
	ERR_clear_error();
	return STREAM_FAILED;
}

static enum stream_next
fail_with_flood(struct tls_stream *tls)
{
	tls->failure = calloc(1, sizeof *tls->failure);
	if (tls->failure != NULL)
		*tls->failure = *tls_flood_failure();
	return STREAM_FAILED;
}

/* ---- stream_ops ---- */

/*
 * Has SSL_read() nothing left to do? It gives one record at a time and asks
 * the BIO for no more than that one, so with both empty it could only answer
 * WANT_READ; and to say so allocates and frees a record's buffer, a tenth of
 * the instructions of a small round trip.
 */
static bool
has_eaten_all(const struct tls_stream *tls, const struct scratch *scratch)
{
	return scratch->in_at == scratch->in_len &&
	       SSL_has_pending(tls->ssl) == 0;
}

/* SSL_read() until it has eaten all that was received. */
static enum stream_next
decrypt(struct tls_stream *tls, struct scratch *scratch, size_t *len_out)
{
	size_t got;

	while (*len_out < SCRATCH_PLAIN_MAX) {
		if (tls_flood_of_messages(&tls->flood))
			return fail_with_flood(tls);
		if (SSL_read_ex(tls->ssl, scratch->plain + *len_out,
			    SCRATCH_PLAIN_MAX - *len_out, &got) != 1)
			break;
		*len_out += got;
		tls_flood_ebb(&tls->flood);
		if (has_eaten_all(tls, scratch))
			return STREAM_WANT_READ;
	}
	assert(*len_out < SCRATCH_PLAIN_MAX);
	switch (SSL_get_error(tls->ssl, 0)) {
	case SSL_ERROR_WANT_READ:
		return STREAM_WANT_READ;
	case SSL_ERROR_ZERO_RETURN:
		return STREAM_ENDED;
	default:
		return fail_with(tls);
	}
}

static enum stream_next
tls_read(struct stream *stream, struct scratch *scratch, size_t max,
	size_t *len_out)
{
	struct tls_stream *tls = of_base(stream);
	enum stream_next next, sent;
	bool drained;

	*len_out = 0;
	next = tls_intake_fill(&tls->intake, stream, scratch, max, &drained);
	if (next != STREAM_MOVED)
		return next;
	begin(tls, scratch);
	next = decrypt(tls, scratch, len_out);
	sent = tls_bio_send(); /* KeyUpdate answers, alerts */
	if (next != STREAM_WANT_READ)
		return next;
	if (sent == STREAM_CUT)
		return STREAM_CUT;
	if (tls_flood_of_answers(stream))
		return fail_with_flood(tls);
	return drained ? STREAM_WANT_READ : STREAM_MOVED;
}

static enum stream_next
tls_write(struct stream *stream, struct scratch *scratch, const uint8_t *bytes,
	size_t len)
{
	struct tls_stream *tls = of_base(stream);
	size_t at = 0, written;

	begin(tls, scratch);
	while (at < len) {
		if (SSL_write_ex(tls->ssl, bytes + at, len - at, &written) != 1)
			return fail_with(tls);
		at += written;
	}
	return tls_bio_send();
}

static enum stream_next
tls_flush(struct stream *stream, struct scratch *scratch)
{
	(void)scratch;
	return stream_send_rest(stream);
}

static enum stream_next
tls_end(struct stream *stream, struct scratch *scratch)
{
	struct tls_stream *tls = of_base(stream);
	enum stream_next next;

	begin(tls, scratch);
	if (SSL_shutdown(tls->ssl) < 0)
		return fail_with(tls);
	stream->ending = true;
	next = tls_bio_send();
	return next == STREAM_MOVED ? stream_shut(stream) : next;
}

static const struct stream_ops tls_ops = {
	.read = tls_read,
	.write = tls_write,
	.flush = tls_flush,
	.end = tls_end,
};

/* ---- life ---- */

struct tls_stream *
tls_stream_new(struct tls_ctx *ctx, int fd)
{
	struct tls_stream *tls = calloc(1, sizeof *tls);
	BIO *bio = NULL;

	if (tls == NULL) {
		struct stream orphan = {.fd = fd};

		stream_done(&orphan);
		return NULL;
	}
	tls->base.ops = &tls_ops;
	tls->base.fd = fd;
	tls->ctx = tls_ctx_ref(ctx);
	tls->ssl = tls_ctx_new_ssl(ctx);
	bio = tls_bio_ref();
	if (tls->ssl == NULL || bio == NULL)
		goto fail;
	SSL_set_bio(tls->ssl, bio, bio); /* owns it */
	SSL_set_accept_state(tls->ssl);
	tls_flood_watch(&tls->flood, tls->ssl);
	return tls;

fail:
	(void)BIO_free(bio);
	tls_stream_free(&tls);
	return NULL;
}

void
tls_stream_free(struct tls_stream **tls)
{
	if (*tls == NULL)
		return;
	SSL_free((*tls)->ssl);
	ERR_clear_error();
	tls_ctx_unref(&(*tls)->ctx);
	tls_intake_done(&(*tls)->intake);
	free((*tls)->failure);
	stream_done(&(*tls)->base);
	free(*tls);
	*tls = NULL;
}

bool
tls_stream_push(struct tls_stream *tls, const uint8_t *bytes, size_t len)
{
	return len == 0 || tls_intake_push(&tls->intake, bytes, len);
}

struct stream *
tls_stream_base(struct tls_stream *tls)
{
	return &tls->base;
}

int
tls_stream_take_fd(struct tls_stream *tls)
{
	int fd = tls->base.fd;

	tls->base.fd = -1;
	return fd;
}

/* What SSL_do_handshake() left us with. */
static enum stream_next
handshake_result(struct tls_stream *tls, int result)
{
	if (result == 1)
		return STREAM_MOVED;
	if (SSL_get_error(tls->ssl, result) == SSL_ERROR_WANT_READ)
		return STREAM_WANT_READ;
	return fail_with(tls);
}

enum stream_next
tls_stream_handshake(struct tls_stream *tls, struct scratch *scratch)
{
	enum stream_next next, sent;
	bool drained;

	next = tls_intake_fill(&tls->intake, &tls->base, scratch,
		HANDSHAKE_READ_MAX, &drained);
	if (next != STREAM_MOVED)
		return next;
	begin(tls, scratch);
	tls_lean_begin();
	next = handshake_result(tls, SSL_do_handshake(tls->ssl));
	tls_lean_end();
	if (!tls_intake_keep(&tls->intake, scratch) && next != STREAM_FAILED) {
		tls->base.error = ENOMEM;
		return STREAM_CUT;
	}
	sent = tls_bio_send();
	return sent == STREAM_CUT && next != STREAM_FAILED ? sent : next;
}

/* ---- questions ---- */

const struct tls_failure *
tls_stream_failure(const struct tls_stream *tls)
{
	static const struct tls_failure no_memory = {
		.token = "tls_protocol_error", .text = "out of memory"};

	return tls->failure == NULL ? &no_memory : tls->failure;
}

int64_t
tls_stream_valid_until(const struct tls_stream *tls)
{
	return tls_session_claim_client_end(tls->ssl);
}

struct tls_ctx *
tls_stream_ctx(const struct tls_stream *tls)
{
	return tls_ctx_of_ssl(tls->ssl);
}

static bool
readmit_nobody(struct tls_ctx *ctx, struct tls_failure *out)
{
	if ((SSL_CTX_get_verify_mode(tls_ctx_ssl(ctx)) &
		    SSL_VERIFY_FAIL_IF_NO_PEER_CERT) == 0)
		return true;
	*out = (struct tls_failure){.token = "client_certificate_required",
		.text = "the client sent no certificate"};
	return false;
}

bool
tls_stream_readmit(const struct tls_stream *tls, struct tls_ctx *ctx,
	struct tls_failure *out)
{
	struct tls_offline *offline = tls_offline_of_ssl(tls->ssl);
	struct policy_decision decision;
	bool fine;

	if (offline == NULL)
		return readmit_nobody(ctx, out);
	fine = tls_offline_verify(offline, ctx, &decision, out) == 0;
	tls_offline_free(&offline);
	return fine;
}

bool
tls_stream_heard(const struct tls_stream *tls)
{
	return tls->intake.heard;
}

bool
tls_stream_pending(const struct tls_stream *tls)
{
	return tls->intake.len > 0;
}

const char *
tls_stream_version(const struct tls_stream *tls)
{
	return SSL_get_version(tls->ssl);
}

const char *
tls_stream_cipher(const struct tls_stream *tls)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(tls->ssl);

	return cipher == NULL ? NULL : SSL_CIPHER_get_name(cipher);
}

const char *
tls_stream_server_name(const struct tls_stream *tls)
{
	return SSL_get_servername(tls->ssl, TLSEXT_NAMETYPE_host_name);
}

void
tls_stream_describe(const struct tls_stream *tls, struct tls_description *out)
{
	tls_describe(tls->ssl, out);
}

bool
tls_stream_resumed(const struct tls_stream *tls)
{
	return SSL_session_reused(tls->ssl) == 1;
}

struct identity *
tls_stream_identity(const struct tls_stream *tls)
{
	struct x509_st *denied = tls_verify_denied(tls->ssl);

	return denied != NULL ? tls_peer_identity_of(denied)
			      : tls_peer_identity(tls->ssl);
}
