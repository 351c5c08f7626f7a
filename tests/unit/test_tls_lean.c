#include "tls/tls_lean.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/decoder.h>
#include <openssl/x509.h>

#include "certs.h"

static int
setup(void **state)
{
	(void)state;
	tls_lean_init();
	return 0;
}

/* As a handshake gets it. */
static X509 *
decode_inside(const X509 *cert)
{
	unsigned char *der = NULL;
	const unsigned char *at;
	int len = i2d_X509(cert, &der);
	X509 *decoded;

	assert_true(len > 0);
	at = der;
	tls_lean_begin();
	decoded = d2i_X509(NULL, &at, len);
	tls_lean_end();
	OPENSSL_free(der);
	assert_non_null(decoded);
	return decoded;
}

/* Signed by itself, so that the key has something to verify. */
static void
assert_key_works(enum cert_key kind)
{
	struct cert cert =
		cert_make(&(struct cert_spec){.cn = "x", .key = kind}, NULL);
	X509 *decoded = decode_inside(cert.x509);
	EVP_PKEY *key = X509_get0_pubkey(decoded);

	assert_non_null(key);
	assert_int_equal(EVP_PKEY_eq(key, cert.key), 1);
	tls_lean_begin();
	assert_int_equal(X509_verify(decoded, key), 1);
	tls_lean_end();
	/* What comes of it is used outside as well. */
	assert_int_equal(X509_verify(decoded, key), 1);
	assert_int_equal(X509_verify(cert.x509, key), 1);
	X509_free(decoded);
	cert_done(&cert);
}

static void
keys_of_every_kind_are_decoded(void **state)
{
	(void)state;
	assert_key_works(CERT_EC);
	assert_key_works(CERT_RSA);
	assert_key_works(CERT_ED25519);
}

/* That the key of a certificate would be tried with. */
static int
count_decoders(void)
{
	EVP_PKEY *key = NULL;
	OSSL_DECODER_CTX *ctx = OSSL_DECODER_CTX_new_for_pkey(
		&key, NULL, NULL, NULL, EVP_PKEY_PUBLIC_KEY, NULL, NULL);
	int n;

	assert_non_null(ctx);
	n = OSSL_DECODER_CTX_get_num_decoders(ctx);
	OSSL_DECODER_CTX_free(ctx);
	return n;
}

static void
there_are_few_inside_and_all_outside(void **state)
{
	int before = count_decoders(), inside, after;

	(void)state;
	tls_lean_begin();
	inside = count_decoders();
	tls_lean_end();
	after = count_decoders();
	assert_int_equal(before, after);
	if (OpenSSL_version_num() < 0x30200000L)
		assert_true(inside * 2 < before);
	else
		assert_int_equal(inside, before);
}

static void
it_tells_who_is_inside(void **state)
{
	(void)state;
	assert_false(tls_lean_is_inside());
	tls_lean_begin();
	assert_int_equal(
		tls_lean_is_inside(), OpenSSL_version_num() < 0x30200000L);
	tls_lean_end();
	assert_false(tls_lean_is_inside());
}

static void
a_second_start_changes_nothing(void **state)
{
	(void)state;
	tls_lean_init();
	assert_key_works(CERT_EC);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_every_kind_are_decoded),
		cmocka_unit_test(there_are_few_inside_and_all_outside),
		cmocka_unit_test(it_tells_who_is_inside),
		cmocka_unit_test(a_second_start_changes_nothing),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
