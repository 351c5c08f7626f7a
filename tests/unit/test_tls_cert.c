#include "tls/tls_cert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tls/tls_key.h"
#include "tls_fixture.h"

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static SSL_CTX *
load(struct fixture *it, const char *lines)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	int status;

	fixture_configure(it, lines);
	status = tls_cert_load_pairs(ctx, it->listener, it->files, it->report);
	assert_int_equal(status, report_errors(it->report) > 0 ? -1 : 0);
	assert_int_equal(ERR_peek_error(), 0);
	if (status == 0)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

static void
assert_loads(struct fixture *it, const char *lines)
{
	SSL_CTX *ctx = load(it, lines);

	if (ctx == NULL || report_warnings(it->report) > 0)
		fail_msg("%s", fixture_report(it));
	SSL_CTX_free(ctx);
}

static void
assert_warns(struct fixture *it, const char *lines, const char *text)
{
	SSL_CTX *ctx = load(it, lines);

	fixture_assert_reported(it, text);
	assert_non_null(ctx);
	SSL_CTX_free(ctx);
}

static void
assert_refused(struct fixture *it, const char *lines, const char *text)
{
	assert_null(load(it, lines));
	fixture_assert_reported(it, text);
}

static void
write_chain(struct fixture *it, const struct cert *certs, size_t n)
{
	char all[16384] = "";

	for (size_t i = 0; i < n; i++) {
		char *pem = cert_pem(&certs[i]);

		strncat(all, pem, sizeof all - strlen(all) - 1);
		free(pem);
	}
	fixture_write_cert(it, "gw", &certs[0]);
	fixture_write(it, "gw.pem", all);
}

#define GW "certfile = gw.pem\nkeyfile = gw.key\n"

static void
a_pair_loads(void **state)
{
	struct fixture *it = *state;
	struct cert gw = cert_make_server("gw", NULL);

	fixture_write_cert(it, "gw", &gw);
	assert_loads(it, GW);
	cert_done(&gw);
}

static void
a_key_in_the_certfile_needs_no_keyfile(void **state)
{
	struct fixture *it = *state;
	struct cert gw = cert_make_server("gw", NULL);
	char *pem = cert_pem(&gw);
	char *key = cert_key_pem(&gw, NULL);
	char both[8192];

	(void)snprintf(both, sizeof both, "%s%s", key, pem);
	fixture_write(it, "gw.pem", both);
	assert_loads(it, "certfile = gw.pem\n");
	free(pem);
	free(key);
	cert_done(&gw);
}

static void
rsa_and_ecdsa_stand_side_by_side(void **state)
{
	struct fixture *it = *state;
	struct cert gw = cert_make_server("gw", NULL);
	struct cert rsa = cert_make(
		&(struct cert_spec){.cn = "gw", .key = CERT_RSA}, NULL);

	fixture_write_cert(it, "gw", &gw);
	fixture_write_cert(it, "rsa", &rsa);
	assert_loads(it, GW "certfile = rsa.pem\nkeyfile = rsa.key\n");
	cert_done(&gw);
	cert_done(&rsa);
}

static void
a_second_pair_of_one_kind_is_an_error(void **state)
{
	struct fixture *it = *state;
	struct cert a = cert_make_server("a", NULL);
	struct cert b = cert_make_server("b", NULL);

	fixture_write_cert(it, "gw", &a);
	fixture_write_cert(it, "b", &b);
	assert_refused(it, GW "certfile = b.pem\nkeyfile = b.key\n",
		"sallyport.ini:6: [listener gw] certfile \"b.pem\" (EC P-256) "
		"has "
		"the same kind of key as certfile \"gw.pem\"");
	cert_done(&a);
	cert_done(&b);
}

static void
a_key_of_another_certificate_is_told_by_fingerprints(void **state)
{
	struct fixture *it = *state;
	struct cert a = cert_make_server("localhost", NULL);
	struct cert b = cert_make(
		&(struct cert_spec){.cn = "b", .key = CERT_RSA}, NULL);
	char text[128];

	fixture_write_cert(it, "gw", &a);
	fixture_write_cert(it, "other", &b);
	assert_refused(it, "certfile = gw.pem\nkeyfile = other.key\n",
		"sallyport.ini:5: [listener gw] keyfile \"other.key\" does not "
		"match "
		"certfile \"gw.pem\"\n    certificate public key sha256:");
	tls_key_text(a.key, "CN=localhost", text, sizeof text);
	fixture_assert_reported(it, text);
	tls_key_text(b.key, NULL, text, sizeof text);
	fixture_assert_reported(it, text);
	fixture_assert_no_secret(it, &a);
	fixture_assert_no_secret(it, &b);
	cert_done(&a);
	cert_done(&b);
}

static void
all_findings_of_all_pairs_come_in_one_run(void **state)
{
	struct fixture *it = *state;
	struct cert a = cert_make_server("a", NULL);

	fixture_write_cert(it, "gw", &a);
	assert_refused(it,
		"certfile = no.pem\nkeyfile = no.key\n"
		"certfile = gw.key\nkeyfile = gw.pem\n",
		"certfile \"no.pem\": No such");
	fixture_assert_reported(it, "keyfile \"no.key\": No such");
	fixture_assert_reported(it, "certfile \"gw.key\" holds no certificate "
				    "in PEM; it holds a private key");
	fixture_assert_reported(it, "keyfile \"gw.pem\" holds no private key "
				    "in PEM; it holds a certificate");
	assert_int_equal(report_errors(it->report), 4);
	cert_done(&a);
}

static void
an_expired_leaf_is_a_warning(void **state)
{
	struct fixture *it = *state;
	struct cert gw = cert_make(
		&(struct cert_spec){
			.cn = "gw", .from_s = -7200, .until_s = -60},
		NULL);

	fixture_write_cert(it, "gw", &gw);
	assert_warns(it, GW, "certificate 1 (CN=gw) has expired");
	cert_done(&gw);
}

static void
an_extended_key_usage_without_server_auth_is_a_warning(void **state)
{
	struct fixture *it = *state;
	struct cert gw = cert_make_client("gw", NULL);

	fixture_write_cert(it, "gw", &gw);
	assert_warns(it, GW,
		"certificate 1 (CN=gw) has an extendedKeyUsage without "
		"serverAuth");
	cert_done(&gw);
}

static void
a_chain_in_order_loads(void **state)
{
	struct fixture *it = *state;
	struct cert root = cert_make_ca("root");
	struct cert mid = cert_make(
		&(struct cert_spec){.cn = "mid", .is_ca = true}, &root);
	struct cert gw = cert_make_server("gw", &mid);
	const struct cert certs[] = {gw, mid, root};

	write_chain(it, certs, 3);
	assert_loads(it, GW);
	cert_done(&gw);
	cert_done(&mid);
	cert_done(&root);
}

static void
a_chain_out_of_order_is_a_warning(void **state)
{
	struct fixture *it = *state;
	struct cert root = cert_make_ca("root");
	struct cert mid = cert_make(
		&(struct cert_spec){.cn = "mid", .is_ca = true}, &root);
	struct cert gw = cert_make_server("gw", &mid);
	const struct cert certs[] = {gw, root, mid};

	write_chain(it, certs, 3);
	assert_warns(it, GW,
		"certificate 2 (CN=root) did not sign certificate 1 "
		"(CN=gw), the one before it: the chain is out of order");
	cert_done(&gw);
	cert_done(&mid);
	cert_done(&root);
}

static void
a_stranger_in_the_chain_is_a_warning(void **state)
{
	struct fixture *it = *state;
	struct cert root = cert_make_ca("root");
	struct cert mid = cert_make(
		&(struct cert_spec){.cn = "mid", .is_ca = true}, &root);
	struct cert gw = cert_make_server("gw", &mid);
	const struct cert certs[] = {gw, root};

	write_chain(it, certs, 2);
	assert_warns(
		it, GW, "the one before it: it does not belong to this chain");
	cert_done(&gw);
	cert_done(&mid);
	cert_done(&root);
}

static void
a_leaf_that_does_not_come_first_is_an_error(void **state)
{
	struct fixture *it = *state;
	struct cert root = cert_make_ca("root");
	struct cert mid = cert_make(
		&(struct cert_spec){.cn = "mid", .is_ca = true}, &root);
	struct cert gw = cert_make_server("gw", &mid);
	const struct cert certs[] = {mid, gw};

	write_chain(it, certs, 2);
	fixture_write_cert(it, "leaf", &gw);
	assert_refused(it, "certfile = gw.pem\nkeyfile = leaf.key\n",
		"keyfile \"leaf.key\" belongs to certificate 2 of certfile "
		"\"gw.pem\": the leaf must come first");
	cert_done(&gw);
	cert_done(&mid);
	cert_done(&root);
}

static void
the_chain_is_sent(void **state)
{
	struct fixture *it = *state;
	struct cert root = cert_make_ca("root");
	struct cert mid = cert_make(
		&(struct cert_spec){.cn = "mid", .is_ca = true}, &root);
	struct cert gw = cert_make_server("gw", &mid);
	const struct cert certs[] = {gw, mid};

	write_chain(it, certs, 2);
	SSL_CTX *ctx = load(it, GW);
	STACK_OF(X509) *sent = NULL;

	assert_non_null(ctx);
	SSL_CTX_get0_chain_certs(ctx, &sent);
	assert_int_equal(sk_X509_num(sent), 1);
	SSL_CTX_free(ctx);
	cert_done(&gw);
	cert_done(&mid);
	cert_done(&root);
}

static void
a_key_too_short_for_the_security_level_is_an_error(void **state)
{
	struct fixture *it = *state;
	struct cert gw = cert_make(
		&(struct cert_spec){.cn = "gw", .key = CERT_RSA, .bits = 1024},
		NULL);

	fixture_write_cert(it, "gw", &gw);
	assert_refused(it, GW,
		"certfile \"gw.pem\" (RSA 1024) cannot be used: ee key too "
		"small");
	cert_done(&gw);
}

static void
a_missing_keyfile_is_not_looked_for_in_the_certfile(void **state)
{
	struct fixture *it = *state;
	struct cert gw = cert_make_server("gw", NULL);
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	fixture_write_cert(it, "gw", &gw);
	fixture_configure(it, GW "certfile = b.pem\n");
	assert_int_equal(
		tls_cert_load_pairs(ctx, it->listener, it->files, it->report),
		-1);
	fixture_assert_reported(it, "certfile \"b.pem\": No such file");
	assert_null(strstr(fixture_report(it), "private key"));
	SSL_CTX_free(ctx);
	cert_done(&gw);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pair_loads),
		TEST(a_key_in_the_certfile_needs_no_keyfile),
		TEST(rsa_and_ecdsa_stand_side_by_side),
		TEST(a_second_pair_of_one_kind_is_an_error),
		TEST(a_key_of_another_certificate_is_told_by_fingerprints),
		TEST(all_findings_of_all_pairs_come_in_one_run),
		TEST(an_expired_leaf_is_a_warning),
		TEST(an_extended_key_usage_without_server_auth_is_a_warning),
		TEST(a_chain_in_order_loads),
		TEST(a_chain_out_of_order_is_a_warning),
		TEST(a_stranger_in_the_chain_is_a_warning),
		TEST(a_leaf_that_does_not_come_first_is_an_error),
		TEST(the_chain_is_sent),
		TEST(a_key_too_short_for_the_security_level_is_an_error),
		TEST(a_missing_keyfile_is_not_looked_for_in_the_certfile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
