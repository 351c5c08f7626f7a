#include "config.h"

#include "tls/tls_stream.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "authz/identity.h"
#include "handshake.h"
#include "sockets.h"
#include "stream/scratch.h"
#include "tls/tls_ctx.h"
#include "tls/tls_error.h"
#include "tls_client.h"
#include "tls_fixture.h"

#define MUCH ((size_t)1024 * 1024)

/* How often OpenSSL asked for memory that holds a whole record. */
static size_t n_buffers;

static void *
count_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	if (size >= (size_t)16 * 1024)
		n_buffers++;
	return malloc(size);
}

static void *
plain_realloc(void *bytes, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return realloc(bytes, size);
}

static void
plain_free(void *bytes, const char *file, int line)
{
	(void)file;
	(void)line;
	free(bytes);
}

/* One side of the server, one client. */
struct pair {
	struct pki pki;
	struct cert cert; /* the client's */
	struct tls_client client;
	struct tls_stream *tls;
	struct stream *stream; /* of TLS */
	struct scratch *scratch;
};

static struct pair *
pair_of(struct fixture *it, int version, void (*sockets)(int *, int *))
{
	struct pair *p = calloc(1, sizeof *p);
	int peer, local;

	assert_non_null(p);
	p->scratch = scratch_new();
	p->pki = pki_make(it, "");
	p->cert = cert_make_client("billing", &p->pki.ca);
	sockets(&peer, &local);
	tls_client_init(&p->client, peer, &p->cert, version);
	p->tls = tls_stream_new(p->pki.ctx, local);
	assert_non_null(p->tls);
	p->stream = tls_stream_base(p->tls);
	return p;
}

static void
pair_done(struct pair *p)
{
	int fd = p->stream->fd;

	tls_stream_free(&p->tls);
	assert_null(p->tls);
	assert_false(fd >= 0 && is_open(fd));
	tls_client_done(&p->client);
	cert_done(&p->cert);
	pki_done(&p->pki);
	scratch_free(&p->scratch);
	free(p);
}

static enum stream_next
server_step(struct pair *p)
{
	return tls_stream_handshake(p->tls, p->scratch);
}

static enum stream_next
server_flush(struct pair *p)
{
	return p->stream->ops->flush(p->stream, p->scratch);
}

/* Both sides until the server is done or has failed. */
static enum stream_next
shake_hands(struct pair *p)
{
	enum stream_next next = STREAM_WANT_READ;

	for (int i = 0; i < 1000 && next == STREAM_WANT_READ; i++) {
		tls_client_step(&p->client);
		next = server_step(p);
		(void)server_flush(p);
	}
	return next;
}

/* Tickets and what else came with the handshake. */
static struct pair *
established(struct fixture *it, int version, void (*sockets)(int *, int *))
{
	struct pair *p = pair_of(it, version, sockets);
	char byte;

	assert_int_equal(shake_hands(p), STREAM_MOVED);
	tls_client_step(&p->client);
	assert_true(p->client.is_done);
	assert_int_equal(tls_client_read(&p->client, &byte, 1), 0);
	assert_false(tls_stream_pending(p->tls));
	return p;
}

static enum stream_next
server_read(struct pair *p, size_t *len_out)
{
	return p->stream->ops->read(
		p->stream, p->scratch, SCRATCH_READ_MAX, len_out);
}

/* Reads until there is an answer other than "later"; TEXT must have come. */
static enum stream_next
server_expect(struct pair *p, const char *text)
{
	enum stream_next next;
	char got[256] = "";
	size_t at = 0, len;

	do {
		wait_readable(p->stream->fd);
		next = server_read(p, &len);
		assert_true(at + len < sizeof got);
		memcpy(got + at, p->scratch->plain, len);
		at += len;
	} while ((next == STREAM_MOVED || next == STREAM_WANT_READ) &&
		 at < strlen(text));
	got[at] = '\0';
	assert_string_equal(got, text);
	return next;
}

/* Reads until the stream has come to an end of some kind; TEXT must have come
 * by then. */
static enum stream_next
server_expect_last(struct pair *p, const char *text)
{
	enum stream_next next = STREAM_MOVED;
	char got[256] = "";
	size_t at = 0, len;

	while (next == STREAM_MOVED || next == STREAM_WANT_READ) {
		wait_readable(p->stream->fd);
		next = server_read(p, &len);
		assert_true(at + len < sizeof got);
		memcpy(got + at, p->scratch->plain, len);
		at += len;
	}
	assert_string_equal(got, text);
	return next;
}

static enum stream_next
server_write(struct pair *p, const void *bytes, size_t len)
{
	return p->stream->ops->write(p->stream, p->scratch, bytes, len);
}

static enum stream_next
server_end(struct pair *p)
{
	return p->stream->ops->end(p->stream, p->scratch);
}

static void
client_expect(struct pair *p, const char *text)
{
	char got[256] = "";
	size_t at = 0;

	while (at < strlen(text)) {
		at += tls_client_read(
			&p->client, got + at, sizeof got - 1 - at);
		if (at < strlen(text))
			wait_readable(p->client.fd);
	}
	assert_string_equal(got, text);
}

static void
client_say(struct pair *p, const char *text)
{
	assert_int_equal(
		tls_client_write(&p->client, text, strlen(text)), strlen(text));
}

static void
assert_no_buffer_kept(struct pair *p)
{
	assert_null(p->stream->rest.bytes);
	assert_false(tls_stream_pending(p->tls));
}

/* ---- the handshake ---- */

static void
a_handshake_ends_in_a_stream_that_knows_its_client(void **state)
{
	struct pair *p = established(*state, TLS1_3_VERSION, tcp_pair);
	struct identity *identity = tls_stream_identity(p->tls);

	assert_string_equal(tls_stream_version(p->tls), "TLSv1.3");
	assert_non_null(tls_stream_cipher(p->tls));
	assert_null(tls_stream_server_name(p->tls));
	assert_false(tls_stream_resumed(p->tls));
	assert_non_null(identity);
	assert_string_equal(identity->subject, "CN=billing");
	identity_free(&identity);
	assert_no_buffer_kept(p);
	pair_done(p);
}

static void
a_silent_client_is_waited_for(void **state)
{
	struct pair *p = pair_of(*state, TLS1_3_VERSION, tcp_pair);

	assert_int_equal(server_step(p), STREAM_WANT_READ);
	assert_false(tls_stream_heard(p->tls));
	pair_done(p);
}

static void
a_client_that_goes_without_a_word_was_not_heard(void **state)
{
	struct pair *p = pair_of(*state, TLS1_3_VERSION, tcp_pair);

	assert_int_equal(shutdown(p->client.fd, SHUT_WR), 0);
	wait_readable(p->stream->fd);
	assert_int_equal(server_step(p), STREAM_CUT);
	assert_false(tls_stream_heard(p->tls));
	pair_done(p);
}

static void
a_client_that_goes_in_the_middle_was_heard(void **state)
{
	struct pair *p = pair_of(*state, TLS1_3_VERSION, tcp_pair);

	tls_client_step(&p->client);
	wait_readable(p->stream->fd);
	assert_int_equal(server_step(p), STREAM_WANT_READ);
	assert_int_equal(shutdown(p->client.fd, SHUT_WR), 0);
	wait_readable(p->stream->fd);
	assert_int_equal(server_step(p), STREAM_CUT);
	assert_true(tls_stream_heard(p->tls));
	pair_done(p);
}

/* The client's bytes, one at a time, between two pairs of sockets. */
static void
shake_hands_in_small_pieces(struct fixture *it, int version)
{
	struct pair *p = pair_of(it, version, tcp_pair);
	enum stream_next next = STREAM_WANT_READ;
	struct tls_client *client = &p->client;
	int near_fd, far_fd, server_peer = client->fd;
	char byte;

	tcp_pair(&far_fd, &near_fd); /* the near one does not block */
	client->fd = near_fd;
	assert_int_equal(SSL_set_fd(client->ssl, near_fd), 1);
	for (int i = 0; i < 100000 && next == STREAM_WANT_READ; i++) {
		tls_client_step(client);
		if (recv(far_fd, &byte, 1, MSG_DONTWAIT) == 1)
			assert_int_equal(send(server_peer, &byte, 1, 0), 1);
		next = server_step(p);
		while (recv(server_peer, &byte, 1, MSG_DONTWAIT) == 1)
			assert_int_equal(send(far_fd, &byte, 1, 0), 1);
	}
	assert_int_equal(next, STREAM_MOVED);
	assert_no_buffer_kept(p);
	assert_int_equal(close(far_fd), 0);
	assert_int_equal(close(server_peer), 0);
	pair_done(p);
}

static void
a_tls13_handshake_in_small_pieces_works(void **state)
{
	shake_hands_in_small_pieces(*state, TLS1_3_VERSION);
}

static void
a_tls12_handshake_in_small_pieces_works(void **state)
{
	shake_hands_in_small_pieces(*state, TLS1_2_VERSION);
}

/* ServerHello out, the client's Finished on its way, with more behind it. */
static struct pair *
finished_with_request(struct fixture *it, const char *request)
{
	struct pair *p = pair_of(it, TLS1_3_VERSION, tcp_pair);

	tls_client_step(&p->client);
	wait_readable(p->stream->fd);
	assert_int_equal(server_step(p), STREAM_WANT_READ);
	wait_readable(p->client.fd);
	tls_client_step(&p->client);
	assert_true(p->client.is_done);
	client_say(p, request);
	return p;
}

static void
bytes_behind_finished_wait_for_the_first_read(void **state)
{
	struct pair *p = finished_with_request(*state, "GET / HTTP/1.0");
	int waiting = 0;
	size_t len;

	/* All of it in one piece. */
	wait_readable(p->stream->fd);
	assert_int_equal(server_step(p), STREAM_MOVED);
	assert_int_equal(ioctl(p->stream->fd, FIONREAD, &waiting), 0);
	assert_int_equal(waiting, 0);
	assert_true(tls_stream_pending(p->tls));
	/* The kernel is not asked for more: it will tell. */
	assert_int_equal(server_read(p, &len), STREAM_WANT_READ);
	assert_int_equal(len, 14);
	assert_memory_equal(p->scratch->plain, "GET / HTTP/1.0", 14);
	assert_no_buffer_kept(p);
	assert_int_equal(server_read(p, &len), STREAM_WANT_READ);
	pair_done(p);
}

static void
an_end_behind_finished_is_not_lost(void **state)
{
	struct pair *p = finished_with_request(*state, "quit");
	size_t len;

	tls_client_end(&p->client);
	assert_int_equal(shutdown(p->client.fd, SHUT_WR), 0);
	wait_readable(p->stream->fd);
	assert_int_equal(server_step(p), STREAM_MOVED);
	assert_int_equal(server_read(p, &len), STREAM_ENDED);
	assert_int_equal(len, 4);
	assert_no_buffer_kept(p);
	pair_done(p);
}

static void
a_client_without_a_certificate_gets_its_alert(void **state)
{
	struct pair *p = pair_of(*state, TLS1_3_VERSION, tcp_pair);
	char byte;

	tls_client_done(&p->client);
	stream_done(p->stream);
	tcp_pair(&p->client.fd, &p->stream->fd);
	tls_client_init(&p->client, p->client.fd, NULL, TLS1_3_VERSION);
	assert_int_equal(shake_hands(p), STREAM_FAILED);
	assert_string_equal(tls_stream_failure(p->tls)->token,
		"client_certificate_required");
	/* In TLS 1.3 the client took itself for connected. */
	wait_readable(p->client.fd);
	tls_client_step(&p->client);
	(void)tls_client_read(&p->client, &byte, 1);
	assert_int_equal(p->client.got_alert, SSL_AD_CERTIFICATE_REQUIRED);
	pair_done(p);
}

static void
a_client_that_does_not_speak_tls_fails_with_a_reason(void **state)
{
	struct pair *p = pair_of(*state, TLS1_3_VERSION, tcp_pair);

	assert_int_equal(
		send(p->client.fd, "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
	wait_readable(p->stream->fd);
	assert_int_equal(server_step(p), STREAM_FAILED);
	assert_string_equal(tls_stream_failure(p->tls)->token, "not_tls");
	assert_true(strlen(tls_stream_failure(p->tls)->text) > 0);
	pair_done(p);
}

static void
a_slow_client_finds_the_servers_flight_in_the_rest(void **state)
{
	struct pair *p = pair_of(*state, TLS1_3_VERSION, unix_pair);
	char fill[512] = {0};

	tls_client_step(&p->client);
	/* No room for the answer. */
	while (send(p->stream->fd, fill, sizeof fill, MSG_DONTWAIT) > 0)
		;
	assert_int_equal(server_step(p), STREAM_WANT_READ);
	assert_true(stream_has_rest(p->stream));
	assert_int_equal(server_flush(p), STREAM_WANT_WRITE);
	while (recv(p->client.fd, fill, sizeof fill, MSG_DONTWAIT) > 0)
		;
	assert_int_equal(shake_hands(p), STREAM_MOVED);
	assert_no_buffer_kept(p);
	pair_done(p);
}

/* All streams share one BIO, and OpenSSL hangs a buffer of its own on it. */
static void
handshakes_in_turns_do_not_mix(void **state)
{
	struct pair *p = pair_of(*state, TLS1_3_VERSION, tcp_pair);
	struct pair q = {.pki = p->pki, .scratch = p->scratch};
	int peer, local;

	tcp_pair(&peer, &local);
	tls_client_init(&q.client, peer, &p->cert, TLS1_3_VERSION);
	q.tls = tls_stream_new(q.pki.ctx, local);
	assert_non_null(q.tls);
	q.stream = tls_stream_base(q.tls);

	tls_client_step(&p->client);
	assert_int_equal(server_step(p), STREAM_WANT_READ);
	tls_client_step(&q.client);
	assert_int_equal(server_step(&q), STREAM_WANT_READ);
	assert_int_equal(shake_hands(p), STREAM_MOVED);
	assert_int_equal(shake_hands(&q), STREAM_MOVED);

	client_say(&q, "second");
	client_say(p, "first");
	assert_int_equal(server_expect(p, "first"), STREAM_WANT_READ);
	assert_int_equal(server_expect(&q, "second"), STREAM_WANT_READ);
	tls_stream_free(&q.tls);
	tls_client_done(&q.client);
	assert_int_equal(server_write(p, "still here", 10), STREAM_MOVED);
	client_expect(p, "still here");
	pair_done(p);
}

/* In the middle of its handshake. */
static void
one_that_goes_leaves_the_others_alone(void **state)
{
	struct pair *p = pair_of(*state, TLS1_3_VERSION, tcp_pair);
	struct tls_client client;
	struct tls_stream *tls;
	int peer, local;

	tls_client_step(&p->client);
	assert_int_equal(server_step(p), STREAM_WANT_READ);
	tcp_pair(&peer, &local);
	tls_client_init(&client, peer, &p->cert, TLS1_3_VERSION);
	tls = tls_stream_new(p->pki.ctx, local);
	assert_non_null(tls);
	tls_client_step(&client);
	assert_int_equal(
		tls_stream_handshake(tls, p->scratch), STREAM_WANT_READ);
	tls_stream_free(&tls);
	tls_client_done(&client);
	assert_int_equal(shake_hands(p), STREAM_MOVED);
	pair_done(p);
}

/* ---- bytes ---- */

static void
records_go_both_ways(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	struct pair *p;

	for (size_t i = 0; i < 2; i++) {
		if (i > 0) {
			(void)fixture_teardown(state);
			(void)fixture_setup(state);
		}
		p = established(*state, versions[i], tcp_pair);
		client_say(p, "ping");
		assert_int_equal(server_expect(p, "ping"), STREAM_WANT_READ);
		assert_int_equal(server_write(p, "pong", 4), STREAM_MOVED);
		client_expect(p, "pong");
		assert_no_buffer_kept(p);
		pair_done(p);
	}
}

static void
bytes_one_by_one_arrive_one_by_one(void **state)
{
	static const char text[] = "one by one";
	struct pair *p = established(*state, TLS1_3_VERSION, tcp_pair);

	for (size_t i = 0; text[i] != '\0'; i++)
		assert_int_equal(server_write(p, text + i, 1), STREAM_MOVED);
	client_expect(p, text);
	for (size_t i = 0; text[i] != '\0'; i++)
		assert_int_equal(tls_client_write(&p->client, text + i, 1), 1);
	(void)server_expect(p, text);
	pair_done(p);
}

static void
part_of_a_record_is_nothing_yet(void **state)
{
	struct pair *p = established(*state, TLS1_3_VERSION, tcp_pair);
	BIO *mem = BIO_new(BIO_s_mem());
	char *record;
	long len;
	size_t got;

	assert_non_null(mem);
	SSL_set0_wbio(p->client.ssl, mem);
	client_say(p, "halves");
	len = BIO_get_mem_data(mem, &record);
	assert_int_equal(send(p->client.fd, record, 9, 0), 9);
	wait_readable(p->stream->fd);
	assert_int_equal(server_read(p, &got), STREAM_WANT_READ);
	assert_int_equal(got, 0);
	assert_false(tls_stream_pending(p->tls));
	assert_int_equal(
		send(p->client.fd, record + 9, (size_t)len - 9, 0), len - 9);
	assert_int_equal(server_expect(p, "halves"), STREAM_WANT_READ);
	pair_done(p);
}

static void
a_record_arrives_without_the_half_behind_it(void **state)
{
	struct pair *p = established(*state, TLS1_3_VERSION, tcp_pair);
	BIO *mem = BIO_new(BIO_s_mem());
	char *records;
	long len;

	assert_non_null(mem);
	SSL_set0_wbio(p->client.ssl, mem);
	client_say(p, "whole");
	client_say(p, "half");
	len = BIO_get_mem_data(mem, &records);
	assert_int_equal(
		send(p->client.fd, records, (size_t)len - 7, 0), len - 7);
	assert_int_equal(server_expect(p, "whole"), STREAM_WANT_READ);
	assert_int_equal(send(p->client.fd, records + len - 7, 7, 0), 7);
	assert_int_equal(server_expect(p, "half"), STREAM_WANT_READ);
	pair_done(p);
}

static void
a_small_record_costs_one_buffer(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	struct pair *p;

	for (size_t i = 0; i < 2; i++) {
		if (i > 0) {
			(void)fixture_teardown(state);
			(void)fixture_setup(state);
		}
		p = established(*state, versions[i], tcp_pair);
		client_say(p, "ping");
		wait_readable(p->stream->fd);
		n_buffers = 0;
		assert_int_equal(server_expect(p, "ping"), STREAM_WANT_READ);
		assert_int_equal(n_buffers, 1);
		pair_done(p);
	}
}

static void
what_others_left_in_the_error_queue_is_not_ours(void **state)
{
	struct pair *p = established(*state, TLS1_3_VERSION, tcp_pair);

	client_say(p, "ping");
	ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
	assert_int_equal(server_expect(p, "ping"), STREAM_WANT_READ);
	ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
	assert_int_equal(server_write(p, "pong", 4), STREAM_MOVED);
	client_expect(p, "pong");
	pair_done(p);
}

static uint8_t
byte_at(size_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

static uint8_t *
much(void)
{
	uint8_t *bytes = malloc(MUCH);

	assert_non_null(bytes);
	for (size_t i = 0; i < MUCH; i++)
		bytes[i] = byte_at(i);
	return bytes;
}

static void
assert_much(const uint8_t *bytes, size_t at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != byte_at(at + i))
			fail_msg("byte %zu differs", at + i);
}

static void
a_megabyte_goes_down_through_a_slow_socket(void **state)
{
	struct pair *p = established(*state, TLS1_3_VERSION, unix_pair);
	uint8_t *bytes = much(), got[4096];
	size_t sent = 0, came = 0, len;

	while (came < MUCH) {
		if (!stream_has_rest(p->stream) && sent < MUCH) {
			len = MUCH - sent < SCRATCH_READ_MAX ? MUCH - sent
							     : SCRATCH_READ_MAX;
			assert_int_equal(server_write(p, bytes + sent, len),
				STREAM_WANT_WRITE);
			sent += len;
		}
		(void)server_flush(p);
		len = tls_client_read(&p->client, got, sizeof got);
		assert_much(got, came, len);
		came += len;
	}
	assert_no_buffer_kept(p);
	free(bytes);
	pair_done(p);
}

static void
a_megabyte_goes_up_through_a_slow_socket(void **state)
{
	struct pair *p = established(*state, TLS1_3_VERSION, unix_pair);
	uint8_t *bytes = much();
	size_t sent = 0, came = 0, len;

	while (came < MUCH) {
		if (sent < MUCH)
			sent += tls_client_write(
				&p->client, bytes + sent, MUCH - sent);
		(void)server_read(p, &len);
		assert_much(p->scratch->plain, came, len);
		came += len;
	}
	assert_int_equal(sent, MUCH);
	assert_no_buffer_kept(p);
	free(bytes);
	pair_done(p);
}

static void
a_megabyte_goes_up_in_large_reads(void **state)
{
	struct pair *p = established(*state, TLS1_3_VERSION, tcp_pair);
	uint8_t *bytes = much();
	size_t sent = 0, came = 0, len;

	while (came < MUCH) {
		while (sent < MUCH && (len = tls_client_write(&p->client,
					       bytes + sent, MUCH - sent)) > 0)
			sent += len;
		(void)server_read(p, &len);
		assert_true(len < SCRATCH_PLAIN_MAX);
		assert_much(p->scratch->plain, came, len);
		came += len;
	}
	free(bytes);
	pair_done(p);
}

/* ---- ends ---- */

static void
close_notify_is_an_end_with_what_came_before(void **state)
{
	struct pair *p = established(*state, TLS1_3_VERSION, tcp_pair);

	client_say(p, "bye");
	tls_client_end(&p->client);
	assert_int_equal(shutdown(p->client.fd, SHUT_WR), 0);
	assert_int_equal(server_expect_last(p, "bye"), STREAM_ENDED);
	/* The other way is open. */
	assert_int_equal(server_write(p, "answer", 6), STREAM_MOVED);
	client_expect(p, "answer");
	pair_done(p);
}

static void
a_fin_without_close_notify_is_a_cut(void **state)
{
	struct pair *p = established(*state, TLS1_3_VERSION, tcp_pair);
	size_t len;

	client_say(p, "half");
	assert_int_equal(shutdown(p->client.fd, SHUT_WR), 0);
	assert_int_equal(server_expect(p, "half"), STREAM_WANT_READ);
	wait_readable(p->stream->fd);
	assert_int_equal(server_read(p, &len), STREAM_CUT);
	assert_int_equal(len, 0);
	assert_int_equal(p->stream->error, 0);
	pair_done(p);
}

static void
a_reset_is_a_cut_with_its_errno(void **state)
{
	struct pair *p = established(*state, TLS1_3_VERSION, tcp_pair);
	size_t len;

	close_with_reset(p->client.fd);
	p->client.fd = -1;
	wait_readable(p->stream->fd);
	assert_int_equal(server_read(p, &len), STREAM_CUT);
	assert_int_equal(p->stream->error, ECONNRESET);
	pair_done(p);
}

static void
garbage_fails_behind_what_was_good(void **state)
{
	static const char garbage[] = "\x17\x03\x03\x00\x20"
				      "this is no ciphertext of a kind.";
	struct pair *p = established(*state, TLS1_3_VERSION, tcp_pair);
	char byte;

	client_say(p, "good");
	assert_int_equal(send(p->client.fd, garbage, sizeof garbage - 1, 0),
		sizeof garbage - 1);
	assert_int_equal(server_expect_last(p, "good"), STREAM_FAILED);
	assert_true(strlen(tls_stream_failure(p->tls)->text) > 0);
	assert_string_equal(
		tls_stream_failure(p->tls)->token, "tls_protocol_error");
	/* The client is told. */
	wait_readable(p->client.fd);
	(void)tls_client_read(&p->client, &byte, 1);
	assert_int_equal(p->client.got_alert, SSL_AD_BAD_RECORD_MAC);
	/* Nothing more can be said. */
	assert_int_equal(server_write(p, "x", 1), STREAM_FAILED);
	pair_done(p);
}

static void
an_end_is_close_notify_and_fin(void **state)
{
	struct pair *p = established(*state, TLS1_3_VERSION, tcp_pair);
	char byte;

	assert_int_equal(server_write(p, "last", 4), STREAM_MOVED);
	assert_int_equal(server_end(p), STREAM_MOVED);
	assert_true(p->stream->ended);
	client_expect(p, "last");
	wait_readable(p->client.fd);
	assert_int_equal(tls_client_read(&p->client, &byte, 1), 0);
	assert_true(p->client.got_close);
	wait_readable(p->client.fd);
	assert_int_equal(recv(p->client.fd, &byte, 1, 0), 0);
	/* And the other way goes on. */
	client_say(p, "more");
	assert_int_equal(server_expect(p, "more"), STREAM_WANT_READ);
	pair_done(p);
}

static void
an_end_waits_behind_the_rest(void **state)
{
	struct pair *p = established(*state, TLS1_3_VERSION, unix_pair);
	uint8_t *bytes = much(), got[4096];
	size_t came = 0;

	assert_int_equal(
		server_write(p, bytes, SCRATCH_READ_MAX), STREAM_WANT_WRITE);
	assert_int_equal(server_end(p), STREAM_WANT_WRITE);
	assert_false(p->stream->ended);
	while (!p->client.got_close) {
		came += tls_client_read(&p->client, got, sizeof got);
		(void)server_flush(p);
	}
	assert_int_equal(came, SCRATCH_READ_MAX);
	assert_true(p->stream->ended);
	assert_no_buffer_kept(p);
	free(bytes);
	pair_done(p);
}

static void
writing_to_a_client_that_has_gone_is_a_cut(void **state)
{
	struct pair *p = established(*state, TLS1_3_VERSION, tcp_pair);

	close_with_reset(p->client.fd);
	p->client.fd = -1;
	wait_readable(p->stream->fd);
	assert_int_equal(server_write(p, "x", 1), STREAM_CUT);
	pair_done(p);
}

/* ---- the client changes its keys ---- */

static void
update_keys(struct pair *p)
{
	assert_int_equal(
		SSL_key_update(p->client.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
	tls_client_step(&p->client);
}

static void
a_key_update_is_followed_and_answered(void **state)
{
	struct pair *p = established(*state, TLS1_3_VERSION, tcp_pair);

	client_say(p, "old ");
	update_keys(p);
	client_say(p, "new");
	assert_int_equal(server_expect(p, "old new"), STREAM_WANT_READ);
	assert_int_equal(server_write(p, "both new", 8), STREAM_MOVED);
	client_expect(p, "both new");
	assert_no_buffer_kept(p);
	pair_done(p);
}

static void
a_key_update_after_our_end_does_not_cut_an_upload(void **state)
{
	struct pair *p = established(*state, TLS1_3_VERSION, tcp_pair);
	char byte;

	assert_int_equal(server_end(p), STREAM_MOVED);
	wait_readable(p->client.fd);
	assert_int_equal(tls_client_read(&p->client, &byte, 1), 0);
	client_say(p, "old ");
	update_keys(p);
	client_say(p, "new");
	assert_int_equal(server_expect(p, "old new"), STREAM_WANT_READ);
	pair_done(p);
}

static void
a_flood_of_key_updates_fails(void **state)
{
	struct pair *p = established(*state, TLS1_3_VERSION, tcp_pair);
	enum stream_next next = STREAM_WANT_READ;
	size_t len;

	for (int i = 0; i < 1000 && next == STREAM_WANT_READ; i++) {
		update_keys(p);
		wait_readable(p->stream->fd);
		next = server_read(p, &len);
	}
	assert_int_equal(next, STREAM_FAILED);
	assert_non_null(strstr(tls_stream_failure(p->tls)->text, "flood"));
	pair_done(p);
}

static void
key_updates_between_data_are_no_flood(void **state)
{
	struct pair *p = established(*state, TLS1_3_VERSION, tcp_pair);

	for (int i = 0; i < 200; i++) {
		update_keys(p);
		client_say(p, "x");
		assert_int_equal(server_expect(p, "x"), STREAM_WANT_READ);
	}
	pair_done(p);
}

/* A client that makes us answer and never takes an answer must not fill our
 * memory. */
static void
answers_that_nobody_takes_do_not_pile_up(void **state)
{
	struct pair *p = established(*state, TLS1_3_VERSION, tcp_pair);
	uint8_t *bytes = much();

	assert_true(stream_keep(p->stream, bytes, SCRATCH_WRITE_MAX));
	client_say(p, "fine");
	assert_int_equal(server_expect(p, "fine"), STREAM_WANT_READ);
	assert_true(stream_keep(p->stream, bytes, (size_t)128 * 1024));
	client_say(p, "no more");
	assert_int_equal(server_expect(p, "no more"), STREAM_FAILED);
	free(bytes);
	pair_done(p);
}

/* ---- life ---- */

static void
a_descriptor_that_was_taken_stays_open(void **state)
{
	struct pair *p = established(*state, TLS1_3_VERSION, tcp_pair);
	int fd = tls_stream_take_fd(p->tls);

	assert_int_equal(p->stream->fd, -1);
	pair_done(p);
	assert_true(is_open(fd));
	assert_int_equal(close(fd), 0);
}

static void
a_stream_outlives_its_context_owner(void **state)
{
	struct pair *p = pair_of(*state, TLS1_3_VERSION, tcp_pair);

	tls_ctx_unref(&p->pki.ctx);
	assert_int_equal(shake_hands(p), STREAM_MOVED);
	pair_done(p);
}

static void
freeing_nothing_is_allowed(void **state)
{
	struct tls_stream *tls = NULL;

	(void)state;
	tls_stream_free(&tls);
	assert_null(tls);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_handshake_ends_in_a_stream_that_knows_its_client),
		TEST(a_silent_client_is_waited_for),
		TEST(a_client_that_goes_without_a_word_was_not_heard),
		TEST(a_client_that_goes_in_the_middle_was_heard),
		TEST(a_tls13_handshake_in_small_pieces_works),
		TEST(a_tls12_handshake_in_small_pieces_works),
		TEST(bytes_behind_finished_wait_for_the_first_read),
		TEST(an_end_behind_finished_is_not_lost),
		TEST(a_client_without_a_certificate_gets_its_alert),
		TEST(a_client_that_does_not_speak_tls_fails_with_a_reason),
		TEST(a_slow_client_finds_the_servers_flight_in_the_rest),
		TEST(handshakes_in_turns_do_not_mix),
		TEST(one_that_goes_leaves_the_others_alone),
		TEST(records_go_both_ways),
		TEST(bytes_one_by_one_arrive_one_by_one),
		TEST(part_of_a_record_is_nothing_yet),
		TEST(a_record_arrives_without_the_half_behind_it),
		TEST(a_small_record_costs_one_buffer),
		TEST(what_others_left_in_the_error_queue_is_not_ours),
		TEST(a_megabyte_goes_down_through_a_slow_socket),
		TEST(a_megabyte_goes_up_through_a_slow_socket),
		TEST(a_megabyte_goes_up_in_large_reads),
		TEST(close_notify_is_an_end_with_what_came_before),
		TEST(a_fin_without_close_notify_is_a_cut),
		TEST(a_reset_is_a_cut_with_its_errno),
		TEST(garbage_fails_behind_what_was_good),
		TEST(an_end_is_close_notify_and_fin),
		TEST(an_end_waits_behind_the_rest),
		TEST(writing_to_a_client_that_has_gone_is_a_cut),
		TEST(a_key_update_is_followed_and_answered),
		TEST(a_key_update_after_our_end_does_not_cut_an_upload),
		TEST(a_flood_of_key_updates_fails),
		TEST(key_updates_between_data_are_no_flood),
		TEST(answers_that_nobody_takes_do_not_pile_up),
		TEST(a_descriptor_that_was_taken_stays_open),
		TEST(a_stream_outlives_its_context_owner),
		cmocka_unit_test(freeing_nothing_is_allowed),
	};

	/* Before OpenSSL's first allocation. */
	if (CRYPTO_set_mem_functions(count_malloc, plain_realloc, plain_free) !=
		1)
		return EXIT_FAILURE;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
