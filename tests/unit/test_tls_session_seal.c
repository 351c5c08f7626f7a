#include "tls/tls_session_seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

static const unsigned char key[TLS_SESSION_SEAL_KEY_SIZE] = "key";
static const unsigned char other[TLS_SESSION_SEAL_KEY_SIZE] = "other";
static const unsigned char id[32] = "id";

/* A session, and the same sealed. */
struct stage {
	SSL_CTX *ctx;
	SSL *ssl;
	SSL_SESSION *session;
	unsigned char sealed[1024];
	size_t len;
};

static struct stage stage;

static SSL_SESSION *
make_session(SSL *ssl)
{
	static const unsigned char suite[] = {0xc0, 0x2f};
	SSL_SESSION *session = SSL_SESSION_new();

	assert_non_null(session);
	assert_int_equal(SSL_SESSION_set1_id(session, id, sizeof id), 1);
	assert_int_equal(
		SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION), 1);
	assert_int_equal(
		SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, suite)),
		1);
	assert_int_equal(
		SSL_SESSION_set1_master_key(session, key, sizeof key), 1);
	return session;
}

static int
setup(void **state)
{
	stage.ctx = SSL_CTX_new(TLS_method());
	stage.ssl = SSL_new(stage.ctx);
	assert_non_null(stage.ssl);
	stage.session = make_session(stage.ssl);
	stage.len = tls_session_seal(
		stage.session, key, stage.sealed, sizeof stage.sealed);
	assert_true(stage.len > TLS_SESSION_SEAL_EXTRA);
	*state = &stage;
	return 0;
}

static int
teardown(void **state)
{
	struct stage *at = *state;

	/* Nobody else's next error is ours. */
	assert_int_equal(ERR_peek_error(), 0);
	SSL_SESSION_free(at->session);
	SSL_free(at->ssl);
	SSL_CTX_free(at->ctx);
	return 0;
}

static void
what_was_sealed_is_opened(void **state)
{
	const struct stage *at = *state;
	SSL_SESSION *back =
		tls_session_unseal(id, sizeof id, key, at->sealed, at->len);
	unsigned char master[32];

	assert_non_null(back);
	assert_int_equal(
		SSL_SESSION_get_master_key(back, master, sizeof master), 32);
	assert_memory_equal(master, key, sizeof key);
	SSL_SESSION_free(back);
}

static void
no_two_seals_are_the_same(void **state)
{
	const struct stage *at = *state;
	unsigned char again[1024];

	assert_int_equal(
		tls_session_seal(at->session, key, again, sizeof again),
		at->len);
	assert_memory_not_equal(again, at->sealed, 12);
	assert_memory_not_equal(again + 12, at->sealed + 12, at->len - 12);
}

static void
another_key_opens_nothing(void **state)
{
	const struct stage *at = *state;

	assert_null(
		tls_session_unseal(id, sizeof id, other, at->sealed, at->len));
}

static void
another_id_opens_nothing(void **state)
{
	const struct stage *at = *state;

	assert_null(tls_session_unseal(
		other, sizeof other, key, at->sealed, at->len));
	assert_null(tls_session_unseal(
		id, sizeof id - 1, key, at->sealed, at->len));
}

static void
no_byte_can_be_changed(void **state)
{
	struct stage *at = *state;

	for (size_t i = 0; i < at->len; i++) {
		at->sealed[i] ^= 1;
		assert_null(tls_session_unseal(
			id, sizeof id, key, at->sealed, at->len));
		at->sealed[i] ^= 1;
	}
}

static void
what_was_cut_off_is_not_opened(void **state)
{
	const struct stage *at = *state;

	for (size_t len = 0; len < at->len; len++)
		assert_null(tls_session_unseal(
			id, sizeof id, key, at->sealed, len));
}

static void
what_does_not_fit_is_not_sealed(void **state)
{
	struct stage *at = *state;

	assert_int_equal(
		tls_session_seal(at->session, key, at->sealed, at->len - 1), 0);
	assert_int_equal(
		tls_session_seal(at->session, key, at->sealed, at->len),
		at->len);
	assert_int_equal(tls_session_seal(at->session, key, at->sealed, 0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_sealed_is_opened),
		TEST(no_two_seals_are_the_same),
		TEST(another_key_opens_nothing),
		TEST(another_id_opens_nothing),
		TEST(no_byte_can_be_changed),
		TEST(what_was_cut_off_is_not_opened),
		TEST(what_does_not_fit_is_not_sealed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
