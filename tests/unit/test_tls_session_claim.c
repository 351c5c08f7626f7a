#include "tls/tls_session_claim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "tls/tls_entrance.h"
#include "tls/tls_time.h"

static void
a_session_that_says_nothing_does_not_hold(void **state)
{
	const struct tls_entrance entrance = {.until_s = TLS_TIME_FOREVER};
	SSL_SESSION *session = SSL_SESSION_new();

	(void)state;
	assert_false(tls_session_claim_holds(session, &entrance, 0));
	assert_int_equal(SSL_SESSION_set1_ticket_appdata(session, "x", 1), 1);
	assert_false(tls_session_claim_holds(session, &entrance, 0));
	SSL_SESSION_free(session);
}

static void
a_session_holds_until_its_second(void **state)
{
	struct tls_entrance entrance = {
		.digest = {1, 2, 3}, .until_s = TLS_TIME_FOREVER};
	unsigned char data[40] = {1, 2, 3};
	SSL_SESSION *session = SSL_SESSION_new();

	(void)state;
	data[38] = 1; /* 256 seconds */
	assert_int_equal(
		SSL_SESSION_set1_ticket_appdata(session, data, sizeof data), 1);
	assert_true(tls_session_claim_holds(session, &entrance, 255));
	assert_false(tls_session_claim_holds(session, &entrance, 256));
	entrance.digest[31] = 1;
	assert_false(tls_session_claim_holds(session, &entrance, 255));
	SSL_SESSION_free(session);
}

static void
a_session_without_a_claim_is_over(void **state)
{
	SSL_SESSION *session = SSL_SESSION_new();

	(void)state;
	assert_true(tls_session_claim_over_s(session) > (int64_t)time(NULL));
	tls_session_claim_nothing(session);
	assert_true(tls_session_claim_over_s(session) <= (int64_t)time(NULL));
	SSL_SESSION_free(session);
}

static void
a_context_of_somebody_else_claims_nothing(void **state)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	SSL *ssl = SSL_new(ctx);
	SSL_SESSION *session = SSL_SESSION_new();
	void *data = NULL;
	size_t len = 0;

	(void)state;
	assert_false(tls_session_claim_write(ssl, session));
	assert_int_equal(
		SSL_SESSION_get0_ticket_appdata(session, &data, &len), 1);
	assert_int_equal(len, 0);
	SSL_SESSION_free(session);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

static void
a_client_without_certificate_has_no_end(void **state)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	SSL *ssl = SSL_new(ctx);

	(void)state;
	assert_true(tls_session_claim_client_end(ssl) == TLS_TIME_FOREVER);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_that_says_nothing_does_not_hold),
		cmocka_unit_test(a_session_holds_until_its_second),
		cmocka_unit_test(a_session_without_a_claim_is_over),
		cmocka_unit_test(a_context_of_somebody_else_claims_nothing),
		cmocka_unit_test(a_client_without_certificate_has_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
