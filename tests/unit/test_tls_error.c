#include "tls/tls_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "tls/tls_ctx.h"
#include "handshake.h"
#include "tls_fixture.h"

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static void
assert_bytes(struct fixture *it, const char *bytes, size_t len,
	const char *token, const char *text)
{
	struct pki pki = pki_make(it, "");
	struct outcome outcome =
		handshake_with_bytes(tls_ctx_ssl(pki.ctx), bytes, len);

	assert_non_null(outcome.failure.token);
	assert_string_equal(outcome.failure.token, token);
	if (text != NULL)
		assert_string_equal(outcome.failure.text, text);
	outcome_done(&outcome);
	pki_done(&pki);
}

#define BYTES(text) text, sizeof(text) - 1

static void
plain_http_is_not_tls(void **state)
{
	struct fixture *it = *state;

	assert_bytes(it, BYTES("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "not_tls",
		"plain HTTP on a TLS port");
}

static void
an_http_proxy_request_is_not_tls(void **state)
{
	struct fixture *it = *state;

	assert_bytes(it, BYTES("CONNECT x:443 HTTP/1.1\r\n\r\n"), "not_tls",
		"an HTTP proxy request on a TLS port");
}

static void
an_ssh_client_is_not_tls(void **state)
{
	struct fixture *it = *state;

	assert_bytes(it, BYTES("SSH-2.0-OpenSSH_9.2\r\n"), "not_tls",
		"the first bytes are not TLS");
}

static void
bytes_of_zero_are_not_tls(void **state)
{
	struct fixture *it = *state;

	assert_bytes(
		it, BYTES("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "not_tls", NULL);
}

static void
a_first_record_of_another_kind_is_not_tls(void **state)
{
	struct fixture *it = *state;

	assert_bytes(it, BYTES("\x17\3\3\0\5hello"), "not_tls", NULL);
}

static void
a_first_handshake_message_that_is_no_hello_is_not_tls(void **state)
{
	struct fixture *it = *state;

	assert_bytes(it, BYTES("\x16\3\1\0\4\x14\0\0\0"), "not_tls", NULL);
}

static void
a_client_hello_that_ends_early_is_a_protocol_error(void **state)
{
	struct fixture *it = *state;

	assert_bytes(it, BYTES("\x16\3\1\0\6\1\0\0\2\3\3"),
		"tls_protocol_error", NULL);
}

static void
an_alert_without_a_meaning_of_its_own_is_only_named(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");
	SSL *ssl = SSL_new(tls_ctx_ssl(pki.ctx));
	struct tls_failure failure;

	ERR_raise(ERR_LIB_SSL, SSL_R_TLSV1_ALERT_INTERNAL_ERROR);
	tls_error_explain(ssl, &failure);
	assert_string_equal(failure.token, "client_refused_us");
	assert_string_equal(
		failure.text, "the client sent alert \"internal error\"");
	SSL_free(ssl);
	pki_done(&pki);
}

static void
a_client_that_does_not_trust_us_is_told_by_its_alert(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");
	struct cert cert = cert_make_client("x", &pki.ca);
	SSL_CTX *client = client_ctx_new(&cert, TLS1_3_VERSION);
	struct outcome outcome;

	SSL_CTX_set_verify(client, SSL_VERIFY_PEER, NULL);
	outcome = handshake(tls_ctx_ssl(pki.ctx), client, NULL);
	assert_string_equal(outcome.failure.token, "client_refused_us");
	assert_string_equal(outcome.failure.text,
		"the client sent alert \"unknown CA\": it does not know the CA "
		"of our certificate");
	outcome_done(&outcome);
	SSL_CTX_free(client);
	cert_done(&cert);
	pki_done(&pki);
}

static void
a_client_of_an_old_version_is_told_with_it(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");
	struct outcome outcome = connect_with(&pki, NULL, TLS1_1_VERSION);

	assert_string_equal(outcome.failure.token, "protocol_version");
	assert_string_equal(outcome.failure.text,
		"the client knows no TLS version above TLSv1.1");
	outcome_done(&outcome);
	pki_done(&pki);
}

static void
a_client_without_a_cipher_of_ours_is_told(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");
	SSL_CTX *client = client_ctx_new(NULL, TLS1_2_VERSION);
	struct outcome outcome;

	assert_int_equal(SSL_CTX_set_cipher_list(client, "AES128-SHA"), 1);
	outcome = handshake(tls_ctx_ssl(pki.ctx), client, NULL);
	assert_string_equal(outcome.failure.token, "no_shared_cipher");
	assert_int_equal(outcome.client_got_alert, SSL_AD_HANDSHAKE_FAILURE);
	outcome_done(&outcome);
	SSL_CTX_free(client);
	pki_done(&pki);
}

static void
an_empty_queue_is_still_explained(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(it, "");
	SSL *ssl = SSL_new(tls_ctx_ssl(pki.ctx));
	struct tls_failure failure;

	tls_error_explain(ssl, &failure);
	assert_string_equal(failure.token, "tls_protocol_error");
	assert_string_equal(failure.text, "no reason known");
	SSL_free(ssl);
	pki_done(&pki);
}

static void
the_queue_is_told_in_order_and_emptied(void **state)
{
	char text[256];

	(void)state;
	ERR_raise(ERR_LIB_PEM, PEM_R_BAD_END_LINE);
	ERR_raise(ERR_LIB_PEM, PEM_R_BAD_END_LINE);
	ERR_raise(ERR_LIB_SSL, SSL_R_NO_SHARED_CIPHER);
	assert_string_equal(tls_error_queue_text(text, sizeof text),
		"bad end line; no shared cipher");
	assert_int_equal(ERR_peek_error(), 0);
	assert_string_equal(
		tls_error_queue_text(text, sizeof text), "no reason known");
}

static void
a_queue_longer_than_the_room_is_cut_and_emptied(void **state)
{
	char text[10];

	(void)state;
	ERR_raise(ERR_LIB_PEM, PEM_R_BAD_END_LINE);
	ERR_raise(ERR_LIB_SSL, SSL_R_NO_SHARED_CIPHER);
	assert_string_equal(
		tls_error_queue_text(text, sizeof text), "bad end l");
	assert_int_equal(ERR_peek_error(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(plain_http_is_not_tls),
		TEST(an_http_proxy_request_is_not_tls),
		TEST(an_ssh_client_is_not_tls),
		TEST(bytes_of_zero_are_not_tls),
		TEST(a_first_record_of_another_kind_is_not_tls),
		TEST(a_first_handshake_message_that_is_no_hello_is_not_tls),
		TEST(a_client_hello_that_ends_early_is_a_protocol_error),
		TEST(an_alert_without_a_meaning_of_its_own_is_only_named),
		TEST(a_client_that_does_not_trust_us_is_told_by_its_alert),
		TEST(a_client_of_an_old_version_is_told_with_it),
		TEST(a_client_without_a_cipher_of_ours_is_told),
		TEST(an_empty_queue_is_still_explained),
		TEST(the_queue_is_told_in_order_and_emptied),
		TEST(a_queue_longer_than_the_room_is_cut_and_emptied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
