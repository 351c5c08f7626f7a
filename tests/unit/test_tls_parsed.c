#include "tls/tls_parsed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/ssl.h>

#include "tls/tls_ctx.h"
#include "tls/tls_stock.h"
#include "tls_fixture.h"

#define BASE "certfile = gw.pem\nkeyfile = gw.key\ncafile = ca.pem\n"

static void
nobody_is_asked_at_first(void **state)
{
	struct cert cert = cert_make_ca("CA");

	(void)state;
	tls_parsed_add_key("a", NULL, cert.key);
	assert_null(tls_parsed_key("a", NULL));
	assert_null(tls_parsed_certs("a"));
	cert_done(&cert);
}

static void
what_was_parsed_is_shared(void **state)
{
	static const char file[] = "a", other[] = "b", password[] = "p";
	struct tls_parsed *parsed = tls_parsed_new();
	struct cert cert = cert_make_ca("CA");
	STACK_OF(X509) *certs = sk_X509_new_null();
	STACK_OF(X509) * found;
	EVP_PKEY *key;

	(void)state;
	assert_int_equal(sk_X509_push(certs, cert.x509), 1);
	tls_parsed_use(parsed);
	tls_parsed_add_certs(file, certs);
	tls_parsed_add_key(file, password, cert.key);
	assert_null(tls_parsed_certs(other));
	assert_null(tls_parsed_key(other, password));
	assert_null(tls_parsed_key(file, NULL));
	found = tls_parsed_certs(file);
	key = tls_parsed_key(file, password);
	assert_ptr_not_equal(found, certs);
	assert_ptr_equal(sk_X509_value(found, 0), cert.x509);
	assert_ptr_equal(key, cert.key);
	tls_parsed_free(&parsed);
	assert_null(tls_parsed_certs(file)); /* it is not asked any more */
	sk_X509_free(certs);
	cert_done(&cert);
	assert_int_equal(EVP_PKEY_get_base_id(key), EVP_PKEY_EC);
	assert_non_null(X509_get0_pubkey(sk_X509_value(found, 0)));
	EVP_PKEY_free(key);
	sk_X509_pop_free(found, X509_free);
}

static X509 *
certificate_of(struct tls_ctx *ctx)
{
	return SSL_CTX_get0_certificate(tls_ctx_ssl(ctx));
}

static EVP_PKEY *
key_of(struct tls_ctx *ctx)
{
	return SSL_CTX_get0_privatekey(tls_ctx_ssl(ctx));
}

static void
contexts_of_one_generation_share_what_they_name(void **state)
{
	struct fixture *it = *state;
	struct cert ca = cert_make_ca("CA");
	struct cert server = cert_make_server("gw", &ca);
	struct tls_ctx *one, *two;
	struct tls_stock *stock;

	fixture_write_cert(it, "ca", &ca);
	fixture_write_cert(it, "gw", &server);
	fixture_configure(it, BASE);
	stock = tls_stock_new(it->files, NULL);
	one = tls_stock_get(stock, it->listener, it->report);
	it->listener->tls.num_tickets = 1;
	two = tls_stock_get(stock, it->listener, it->report);
	tls_stock_complete(stock);
	assert_ptr_not_equal(one, two);
	assert_ptr_equal(certificate_of(one), certificate_of(two));
	assert_ptr_equal(key_of(one), key_of(two));
	tls_stock_free(&stock);
	tls_ctx_unref(&one);
	assert_int_equal(SSL_CTX_check_private_key(tls_ctx_ssl(two)), 1);
	tls_ctx_unref(&two);
	cert_done(&server);
	cert_done(&ca);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_is_asked_at_first),
		TEST(what_was_parsed_is_shared),
		TEST(contexts_of_one_generation_share_what_they_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
