#include "tls/tls_horizon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include <openssl/ssl.h>

#include "crls.h"
#include "tls/tls_ctx.h"
#include "tls/tls_load.h"
#include "tls/tls_time.h"
#include "tls_fixture.h"

#define DAY  (24L * 60 * 60)
#define BASE "certfile = gw.pem\nkeyfile = gw.key\n"

/* A server certificate as gw.pem, its CA, good for long, as ca.pem, and the
 * CRL of that for eight days. */
static void
write_certs(struct fixture *it, long from_days, long until_days)
{
	struct cert ca = cert_make(
		&(struct cert_spec){
			.cn = "CA", .is_ca = true, .until_s = 9000 * DAY},
		NULL);
	struct cert server = cert_make(&(struct cert_spec){.cn = "gw",
					       .from_s = from_days * DAY,
					       .until_s = until_days * DAY,
					       .eku = "serverAuth"},
		&ca);
	char *crl = crl_pem(&(struct crl_spec){.until_s = 8 * DAY}, &ca);

	fixture_write_cert(it, "ca", &ca);
	fixture_write_cert(it, "gw", &server);
	fixture_write(it, "ca.crl", crl);
	free(crl);
	cert_done(&server);
	cert_done(&ca);
}

static int64_t
until_of(struct tls_ctx *ctx)
{
	return tls_time_unix(
		X509_get0_notAfter(SSL_CTX_get0_certificate(tls_ctx_ssl(ctx))));
}

static void
a_certificate_is_soon_to_expire_and_then_does(void **state)
{
	struct fixture *it = *state;
	struct tls_ctx *ctx;
	int64_t now_s = (int64_t)time(NULL);
	int64_t until_s;

	write_certs(it, -1, 90);
	fixture_configure(it, BASE);
	ctx = fixture_ctx(it);
	until_s = until_of(ctx);
	assert_int_equal(tls_horizon(tls_ctx_ssl(ctx), now_s),
		until_s - TLS_LOAD_SOON_S);
	assert_int_equal(tls_horizon(tls_ctx_ssl(ctx), until_s - DAY), until_s);
	assert_true(tls_horizon(tls_ctx_ssl(ctx), until_s) == INT64_MAX);
	tls_ctx_unref(&ctx);
}

static void
one_that_is_not_yet_valid_will_be(void **state)
{
	struct fixture *it = *state;
	struct tls_ctx *ctx;
	int64_t now_s = (int64_t)time(NULL);

	write_certs(it, 2, 90);
	fixture_configure(it, BASE);
	ctx = fixture_ctx(it);
	assert_in_range(tls_horizon(tls_ctx_ssl(ctx), now_s), now_s + 1,
		now_s + 2 * DAY + 60);
	tls_ctx_unref(&ctx);
}

/* A quarter of its eight days and an hour comes after the two weeks. */
static void
crls_count_as_well(void **state)
{
	struct fixture *it = *state;
	struct tls_ctx *ctx;
	int64_t now_s = (int64_t)time(NULL);
	int64_t first_s;

	write_certs(it, -1, 90);
	fixture_configure(it, BASE "cafile = ca.pem\ncrlfile = ca.crl\n");
	ctx = fixture_ctx(it);
	first_s = tls_horizon(tls_ctx_ssl(ctx), now_s);
	assert_in_range(first_s, now_s + 5 * DAY, now_s + 6 * DAY + 60);
	assert_in_range(tls_horizon(tls_ctx_ssl(ctx), first_s),
		now_s + 8 * DAY - 60, now_s + 8 * DAY + 60);
	tls_ctx_unref(&ctx);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_certificate_is_soon_to_expire_and_then_does),
		TEST(one_that_is_not_yet_valid_will_be),
		TEST(crls_count_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
