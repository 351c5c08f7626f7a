#include "tls/tls_ca.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "tls_fixture.h"

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static int
load(struct fixture *it)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	int status;

	status = tls_ca_load(ctx, it->listener, it->files, it->report);
	SSL_CTX_free(ctx);
	assert_int_equal(status, report_errors(it->report) > 0 ? -1 : 0);
	return status;
}

static void
assert_warns(struct fixture *it, const struct cert_spec *spec, const char *text)
{
	struct cert cert = cert_make(spec, NULL);

	fixture_write_cert(it, "ca", &cert);
	fixture_configure(it, "certfile = gw.pem\ncafile = ca.pem\n");
	assert_int_equal(load(it), 0);
	fixture_assert_reported(it,
		"sallyport.ini:5: warning: [listener gw] cafile \"ca.pem\"");
	fixture_assert_reported(it, text);
	assert_int_equal(report_warnings(it->report), 1);
	cert_done(&cert);
}

static void
a_ca_without_key_usage_is_a_warning(void **state)
{
	struct fixture *it = *state;

	assert_warns(it,
		&(struct cert_spec){.cn = "Old", .is_ca = true, .usage = ""},
		"certificate 1 (CN=Old) has no keyUsage; with strict "
		"verification\n    every client will be refused (\"CA cert "
		"does "
		"not include key usage extension\")");
}

static void
a_ca_that_may_not_sign_is_a_warning(void **state)
{
	struct fixture *it = *state;

	assert_warns(it,
		&(struct cert_spec){
			.cn = "x", .is_ca = true, .usage = "cRLSign"},
		"has a keyUsage without keyCertSign");
}

static void
a_ca_flag_that_is_not_critical_is_a_warning(void **state)
{
	struct fixture *it = *state;

	assert_warns(it,
		&(struct cert_spec){
			.cn = "x", .is_ca = true, .basic = "CA:TRUE"},
		"has a basicConstraints that is not critical");
}

static void
a_ca_without_key_identifier_is_a_warning(void **state)
{
	struct fixture *it = *state;

	assert_warns(it,
		&(struct cert_spec){.cn = "x", .is_ca = true, .no_skid = true},
		"has no subjectKeyIdentifier");
}

static void
a_certificate_that_is_no_ca_is_a_warning(void **state)
{
	struct fixture *it = *state;

	assert_warns(it, &(struct cert_spec){.cn = "x"},
		"certificate 1 (CN=x) is no CA");
}

static void
an_expired_ca_is_a_warning(void **state)
{
	struct fixture *it = *state;

	assert_warns(it,
		&(struct cert_spec){.cn = "x",
			.is_ca = true,
			.from_s = -7200,
			.until_s = -3600},
		"certificate 1 (CN=x) has expired");
}

static void
a_sound_ca_is_not_complained_of(void **state)
{
	struct fixture *it = *state;
	struct cert ca = cert_make_ca("CA");

	fixture_write_cert(it, "ca", &ca);
	fixture_configure(it, "certfile = gw.pem\ncafile = ca.pem\n");
	assert_int_equal(load(it), 0);
	assert_string_equal(fixture_report(it), "");
	cert_done(&ca);
}

static void
the_second_bad_ca_of_a_file_is_told_by_its_number(void **state)
{
	struct fixture *it = *state;
	struct cert ca = cert_make_ca("CA");
	struct cert bad = cert_make(
		&(struct cert_spec){.cn = "bad", .is_ca = true, .usage = ""},
		NULL);
	char *pems[2] = {cert_pem(&ca), cert_pem(&bad)};
	char both[8192];

	(void)snprintf(both, sizeof both, "%s%s", pems[0], pems[1]);
	fixture_write(it, "ca.pem", both);
	fixture_configure(it, "certfile = gw.pem\ncafile = ca.pem\n");
	assert_int_equal(load(it), 0);
	fixture_assert_reported(it, "certificate 2 (CN=bad) has no keyUsage");
	assert_int_equal(report_warnings(it->report), 1);
	free(pems[0]);
	free(pems[1]);
	cert_done(&ca);
	cert_done(&bad);
}

static void
every_bad_file_is_reported_at_its_line(void **state)
{
	struct fixture *it = *state;

	fixture_write(it, "b.pem", "nothing");
	fixture_configure(
		it, "certfile = gw.pem\ncafile = a.pem\ncafile = b.pem\n");
	assert_int_equal(load(it), -1);
	fixture_assert_reported(
		it, "ini:5: [listener gw] cafile \"a.pem\": No such");
	fixture_assert_reported(it,
		"ini:6: [listener gw] cafile \"b.pem\" holds no certificate");
}

static void
names_of_all_cas_go_to_the_client(void **state)
{
	struct fixture *it = *state;
	struct cert a = cert_make_ca("A");
	struct cert b = cert_make_ca("B");
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	fixture_write_cert(it, "a", &a);
	fixture_write_cert(it, "b", &b);
	fixture_configure(
		it, "certfile = gw.pem\ncafile = a.pem\ncafile = b.pem\n");
	assert_int_equal(
		tls_ca_load(ctx, it->listener, it->files, it->report), 0);
	assert_int_equal(sk_X509_NAME_num(SSL_CTX_get_client_CA_list(ctx)), 2);
	SSL_CTX_free(ctx);
	cert_done(&a);
	cert_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_ca_without_key_usage_is_a_warning),
		TEST(a_ca_that_may_not_sign_is_a_warning),
		TEST(a_ca_flag_that_is_not_critical_is_a_warning),
		TEST(a_ca_without_key_identifier_is_a_warning),
		TEST(a_certificate_that_is_no_ca_is_a_warning),
		TEST(an_expired_ca_is_a_warning),
		TEST(a_sound_ca_is_not_complained_of),
		TEST(the_second_bad_ca_of_a_file_is_told_by_its_number),
		TEST(every_bad_file_is_reported_at_its_line),
		TEST(names_of_all_cas_go_to_the_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
