#include "tls/tls_hello.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "handshake.h"
#include "tls/tls_ctx.h"
#include "tls/tls_sni.h"
#include "tls_contexts.h"

/* A listener "localhost" with two server names. */
struct stage {
	struct fixture *it;
	struct tls_ctx *root;
	struct tls_ctx *api;
	struct tls_ctx *wild;
	SSL_CTX *client; /* any version, no certificate */
};

static struct tls_ctx *
make_ctx(struct fixture *it, const char *name)
{
	struct cert cert = cert_make_server(name, NULL);
	struct tls_ctx *ctx;
	char lines[256];

	fixture_write_cert(it, name, &cert);
	(void)snprintf(lines, sizeof lines,
		"certfile = %s.pem\nkeyfile = %s.key\n", name, name);
	ctx = context_make(it, name, lines);
	cert_done(&cert);
	return ctx;
}

static void
hand_over_to(struct stage *at, bool reject_unknown)
{
	struct tls_sni *names = tls_sni_new();

	assert_true(tls_sni_add(names, "api.example.com", at->api));
	assert_true(tls_sni_add(names, "*.example.com", at->wild));
	tls_ctx_set_names(at->root, names, reject_unknown);
}

static int
setup(void **state)
{
	struct stage *at = calloc(1, sizeof *at);
	void *fixture = NULL;

	assert_non_null(at);
	assert_int_equal(fixture_setup(&fixture), 0);
	at->it = fixture;
	at->root = make_ctx(at->it, "root");
	at->api = make_ctx(at->it, "api");
	at->wild = make_ctx(at->it, "wild");
	at->client = SSL_CTX_new(TLS_client_method());
	assert_non_null(at->client);
	*state = at;
	return 0;
}

static int
teardown(void **state)
{
	struct stage *at = *state;
	void *fixture = at->it;

	tls_ctx_unref(&at->root);
	tls_ctx_unref(&at->api);
	tls_ctx_unref(&at->wild);
	SSL_CTX_free(at->client);
	free(at);
	return fixture_teardown(&fixture);
}

/* Over TLS 1.2 and 1.3. */
static void
assert_served_by(struct stage *at, const char *name, const char *cn)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *client = client_ctx_new(NULL, versions[i]);
		struct outcome outcome = handshake_for(
			tls_ctx_ssl(at->root), client, NULL, name);

		if (!outcome.server_done)
			fail_msg("%s", outcome.failure.text);
		assert_string_equal(outcome.server_cn, cn);
		assert_string_equal(
			outcome.server_name, name != NULL ? name : "");
		outcome_done(&outcome);
		SSL_CTX_free(client);
	}
}

static void
assert_refused(struct stage *at, const char *name, const char *text)
{
	struct outcome outcome =
		handshake_for(tls_ctx_ssl(at->root), at->client, NULL, name);

	assert_false(outcome.server_done);
	assert_int_equal(outcome.client_got_alert, SSL_AD_UNRECOGNIZED_NAME);
	assert_string_equal(outcome.failure.token, "unrecognized_name");
	assert_string_equal(outcome.failure.text, text);
	outcome_done(&outcome);
}

static void
an_exact_name_chooses_its_context(void **state)
{
	hand_over_to(*state, false);
	assert_served_by(*state, "api.example.com", "api");
}

static void
an_exact_name_in_other_letters_chooses_its_context(void **state)
{
	hand_over_to(*state, false);
	assert_served_by(*state, "API.Example.com", "api");
	assert_served_by(*state, "api.example.com.", "api");
}

static void
a_wildcard_chooses_its_context(void **state)
{
	hand_over_to(*state, false);
	assert_served_by(*state, "www.example.com", "wild");
}

static void
an_unknown_name_is_served_by_the_listener(void **state)
{
	hand_over_to(*state, false);
	assert_served_by(*state, "example.com", "root");
	assert_served_by(*state, "a.b.example.com", "root");
}

static void
no_name_is_served_by_the_listener(void **state)
{
	hand_over_to(*state, false);
	assert_served_by(*state, NULL, "root");
}

static void
a_context_without_names_takes_every_name(void **state)
{
	assert_served_by(*state, "api.example.com", "root");
}

static void
an_unknown_name_is_rejected_where_asked_for(void **state)
{
	hand_over_to(*state, true);
	assert_refused(
		*state, "example.org", "nobody here is called example.org");
	assert_served_by(*state, "api.example.com", "api");
}

static void
no_name_is_rejected_where_asked_for(void **state)
{
	hand_over_to(*state, true);
	assert_refused(*state, NULL, "the client names no server");
}

static void
odd_bytes_of_a_name_are_escaped_in_the_reason(void **state)
{
	hand_over_to(*state, true);
	assert_refused(*state, "a\"b\\c\nd\xff",
		"nobody here is called a\\22b\\5Cc\\0Ad\\FF");
}

static void
a_connection_begins_in_the_context_of_its_listener(void **state)
{
	struct stage *at = *state;
	SSL *ssl;

	ssl = SSL_new(tls_ctx_ssl(at->root));
	assert_ptr_equal(tls_ctx_of_ssl(ssl), at->root);
	SSL_free(ssl);
}

static void
a_listener_without_certificate_serves_its_names_only(void **state)
{
	struct stage *at = *state;
	SSL_CTX *client = client_ctx_new(NULL, TLS1_3_VERSION);
	struct outcome outcome;

	tls_ctx_unref(&at->root);
	at->root = context_make(at->it, "bare",
		"[server_name api]\n"
		"listener = bare\nserver_name = api.example.com\n"
		"certfile = api.pem\nkeyfile = api.key\n");
	hand_over_to(at, false);
	assert_served_by(at, "api.example.com", "api");
	outcome = handshake(tls_ctx_ssl(at->root), client, NULL);
	assert_false(outcome.server_done);
	outcome_done(&outcome);
	SSL_CTX_free(client);
}

/* ---- messages that no client of OpenSSL would send ---- */

/* A ClientHello of TLS 1.2 with SNI as the body of its server_name. */
static size_t
write_hello(const void *sni, size_t len, char out[1024])
{
	static const unsigned char head[] = {
		0x16, 3, 1, 0, 0, 1, 0, 0, 0, 3, 3};
	static const unsigned char middle[] = {0, /* session id */
		0, 2, 0xc0, 0x2b,                 /* ECDHE-ECDSA-AES128-GCM */
		1, 0,                             /* compression */
		0, 0,                             /* length of extensions */
		0, 10, 0, 4, 0, 2, 0, 23,         /* groups: P-256 */
		0, 13, 0, 4, 0, 2, 4, 3,          /* ecdsa_secp256r1_sha256 */
		0, 0};                            /* server_name */
	size_t at = 0;
	size_t extensions = 8 + 8 + 4 + len;

	memcpy(out, head, sizeof head);
	memset(out + sizeof head, 7, 32); /* random */
	at = sizeof head + 32;
	memcpy(out + at, middle, sizeof middle);
	out[at + 7] = (char)(extensions >> 8);
	out[at + 8] = (char)extensions;
	at += sizeof middle;
	out[at++] = (char)(len >> 8);
	out[at++] = (char)len;
	if (len > 0)
		memcpy(out + at, sni, len);
	at += len;
	out[3] = (char)((at - 5) >> 8);
	out[4] = (char)(at - 5);
	out[7] = (char)((at - 9) >> 8);
	out[8] = (char)(at - 9);
	return at;
}

static struct tls_failure
send_sni(struct stage *at, const void *sni, size_t len)
{
	char bytes[1024];
	size_t n = write_hello(sni, len, bytes);
	struct outcome outcome =
		handshake_with_bytes(tls_ctx_ssl(at->root), bytes, n);

	return outcome.failure;
}

static void
assert_malformed(struct stage *at, const void *sni, size_t len)
{
	struct tls_failure failure = send_sni(at, sni, len);

	if (failure.token == NULL)
		fail_msg("%zu bytes were accepted", len);
	assert_string_equal(failure.token, "tls_protocol_error");
	assert_string_equal(failure.text, "malformed server_name extension");
}

static void
a_well_formed_extension_is_accepted(void **state)
{
	hand_over_to(*state, true);
	assert_null(send_sni(*state,
		"\0\x12\0\0\x0f"
		"api.example.com",
		20)
			    .token);
}

static void
malformed_extensions_are_decode_errors(void **state)
{
	hand_over_to(*state, false);
	assert_malformed(*state, "", 0);
	assert_malformed(*state, "\0", 1);
	assert_malformed(*state, "\0\0", 2);
	assert_malformed(*state, "\0\3\0\0\0", 5);           /* empty name */
	assert_malformed(*state, "\0\3\0\0\1", 5);           /* cut */
	assert_malformed(*state, "\0\4\0\0\1", 5);           /* cut */
	assert_malformed(*state, "\0\5\0\0\1a", 6);          /* list too long */
	assert_malformed(*state, "\0\4\0\0\1ab", 7);         /* rest */
	assert_malformed(*state, "\0\4\1\0\1a", 6);          /* other type */
	assert_malformed(*state, "\0\10\0\0\1a\0\0\1b", 10); /* two names */
	assert_malformed(*state,
		"\xff\xff\0\xff\xff"
		"a",
		6);
}

static void
names_of_odd_bytes_are_just_unknown(void **state)
{
	struct tls_failure failure;

	hand_over_to(*state, true);
	failure = send_sni(*state, "\0\x06\0\0\3a\0b", 8);
	assert_string_equal(failure.token, "unrecognized_name");
	assert_string_equal(failure.text, "nobody here is called a\\00b");
	failure = send_sni(*state, "\0\x04\0\0\1.", 6);
	assert_string_equal(failure.token, "unrecognized_name");
}

static void
a_name_longer_than_any_is_cut_in_the_reason(void **state)
{
	unsigned char sni[805] = {3, 35, 0, 3, 32};
	struct tls_failure failure;

	hand_over_to(*state, true);
	memset(sni + 5, 0x80, 800);
	failure = send_sni(*state, sni, sizeof sni);
	assert_string_equal(failure.token, "unrecognized_name");
	assert_true(strlen(failure.text) < sizeof failure.text);
	memset(sni + 5, 'a', 800);
	failure = send_sni(*state, sni, sizeof sni);
	assert_non_null(strstr(failure.text, "aaa..."));
}

/* No single byte of a ClientHello may bring the server down. */
static void
every_mutation_of_an_extension_is_survived(void **state)
{
	unsigned char sni[20];

	hand_over_to(*state, false);
	for (size_t i = 0; i < sizeof sni; i++) {
		for (unsigned value = 0; value < 256; value += 5) {
			memcpy(sni,
				"\0\x12\0\0\x0f"
				"api.example.com",
				20);
			sni[i] = (unsigned char)value;
			(void)send_sni(*state, sni, sizeof sni);
		}
	}
}

/* ---- a second ClientHello ---- */

/* The client offers a key share of a group that the server does not want, so
 * that it has to say hello again. */
static void
a_name_holds_after_a_hello_retry_request(void **state)
{
	struct stage *at = *state;
	SSL_CTX *client = client_ctx_new(NULL, TLS1_3_VERSION);
	struct outcome outcome;

	ctx_set_groups(tls_ctx_ssl(at->root), "P-384");
	ctx_set_groups(client, "X25519:P-384");
	hand_over_to(at, false);
	outcome = handshake_for(
		tls_ctx_ssl(at->root), client, NULL, "api.example.com");
	assert_true(outcome.server_done);
	assert_string_equal(outcome.server_cn, "api");
	assert_string_equal(outcome.group, "secp384r1");
	outcome_done(&outcome);
	SSL_CTX_free(client);
}

/* One message of each side, by hand, for a client that is asked again. */
struct pair {
	SSL *server;
	SSL *client;
};

static struct pair
pair_new(struct tls_ctx *ctx, SSL_CTX *client_ctx)
{
	struct pair pair = {SSL_new(tls_ctx_ssl(ctx)), SSL_new(client_ctx)};
	BIO *bios[2];

	assert_int_equal(BIO_new_bio_pair(&bios[0], 0, &bios[1], 0), 1);
	SSL_set_bio(pair.server, bios[0], bios[0]);
	SSL_set_bio(pair.client, bios[1], bios[1]);
	SSL_set_accept_state(pair.server);
	SSL_set_connect_state(pair.client);
	return pair;
}

static void
pair_done(struct pair *pair)
{
	SSL_free(pair->server);
	SSL_free(pair->client);
	ERR_clear_error();
}

/* The client asks for FIRST, and after a HelloRetryRequest for SECOND. */
static void
assert_change_refused(struct stage *at, const char *first, const char *second)
{
	SSL_CTX *client_ctx = client_ctx_new(NULL, TLS1_3_VERSION);
	struct tls_failure failure;
	struct pair pair;

	ctx_set_groups(client_ctx, "X25519:P-384");
	pair = pair_new(at->root, client_ctx);
	ask_for_name(pair.client, first);
	assert_int_equal(SSL_do_handshake(pair.client), -1);
	assert_int_equal(SSL_do_handshake(pair.server), -1);
	assert_int_equal(SSL_get_error(pair.server, -1), SSL_ERROR_WANT_READ);
	ask_for_name(pair.client, second);
	assert_int_equal(SSL_do_handshake(pair.client), -1);
	assert_int_equal(SSL_do_handshake(pair.server), -1);
	assert_int_equal(SSL_get_error(pair.server, -1), SSL_ERROR_SSL);
	tls_error_explain(pair.server, &failure);
	assert_string_equal(failure.text,
		"the client changed the server name on its second try");
	pair_done(&pair);
	SSL_CTX_free(client_ctx);
}

static void
a_name_must_not_change_after_a_hello_retry_request(void **state)
{
	struct stage *at = *state;

	ctx_set_groups(tls_ctx_ssl(at->root), "P-384");
	hand_over_to(at, false);
	assert_change_refused(at, "api.example.com", "www.example.com");
	assert_change_refused(at, "api.example.com", "example.org");
	assert_change_refused(at, "example.org", "api.example.com");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_exact_name_chooses_its_context),
		TEST(an_exact_name_in_other_letters_chooses_its_context),
		TEST(a_wildcard_chooses_its_context),
		TEST(an_unknown_name_is_served_by_the_listener),
		TEST(no_name_is_served_by_the_listener),
		TEST(a_context_without_names_takes_every_name),
		TEST(an_unknown_name_is_rejected_where_asked_for),
		TEST(no_name_is_rejected_where_asked_for),
		TEST(odd_bytes_of_a_name_are_escaped_in_the_reason),
		TEST(a_connection_begins_in_the_context_of_its_listener),
		TEST(a_listener_without_certificate_serves_its_names_only),
		TEST(a_well_formed_extension_is_accepted),
		TEST(malformed_extensions_are_decode_errors),
		TEST(names_of_odd_bytes_are_just_unknown),
		TEST(a_name_longer_than_any_is_cut_in_the_reason),
		TEST(every_mutation_of_an_extension_is_survived),
		TEST(a_name_holds_after_a_hello_retry_request),
		TEST(a_name_must_not_change_after_a_hello_retry_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
