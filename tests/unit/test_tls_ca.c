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

#include "handshake.h"
#include "tls/tls_ctx.h"
#include "tls_contexts.h"
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
		"certificate 1 (CN=Old) has no keyUsage; with verify_flags "
		"x509_strict\n    every client will be refused (\"CA cert "
		"does not include key usage extension\"); reissue the CA or "
		"set verify_flags = -x509_strict");
}

/* With its key whoever breaks it signs clients; and where OpenSSL minds none
 * of them gets in. */
static void
a_weak_key_is_a_warning(void **state)
{
	struct fixture *it = *state;

	assert_warns(it,
		&(struct cert_spec){.cn = "Old",
			.is_ca = true,
			.key = CERT_RSA,
			.bits = 1024},
		"certificate 1 (CN=Old) has a weak key, RSA 1024: use RSA "
		"2048, EC P-256 or better");
}

/* Its key is what is trusted. */
static void
a_weak_signature_of_a_ca_does_not_matter(void **state)
{
	struct fixture *it = *state;
	struct cert root = cert_make_ca("Root CA");
	struct cert cert = cert_make(
		&(struct cert_spec){
			.cn = "Old", .is_ca = true, .digest = EVP_sha1()},
		&root);

	fixture_write_cert(it, "ca", &cert);
	fixture_configure(it, "certfile = gw.pem\ncafile = ca.pem\n");
	assert_int_equal(load(it), 0);
	assert_int_equal(report_warnings(it->report), 0);
	cert_done(&cert);
	cert_done(&root);
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

/* ---- where CAs come from, with real clients ---- */

#define CERT "certfile = gw.pem\nkeyfile = gw.key\n"

/* A server, and a CA with a client that is not configured anywhere yet. */
struct house {
	struct cert ca;
	struct cert client;
};

static struct house
house_make(struct fixture *it)
{
	struct house house = {.ca = cert_make_ca("Test CA")};
	struct cert server = cert_make_server("gw", NULL);

	house.client = cert_make_client("billing", &house.ca);
	fixture_write_cert(it, "gw", &server);
	cert_done(&server);
	return house;
}

static void
house_done(struct house *house)
{
	cert_done(&house->ca);
	cert_done(&house->client);
}

/* The client of HOUSE meets a listener with LINES. */
static struct outcome
visit(struct fixture *it, const struct house *house, const char *lines)
{
	struct tls_ctx *ctx = context_make(it, "gw", lines);
	SSL_CTX *client = client_ctx_new(&house->client, TLS1_3_VERSION);
	struct outcome outcome = handshake(tls_ctx_ssl(ctx), client, NULL);

	SSL_CTX_free(client);
	tls_ctx_unref(&ctx);
	return outcome;
}

static void
assert_admitted(
	struct fixture *it, const struct house *house, const char *lines)
{
	struct outcome outcome = visit(it, house, lines);

	if (!outcome.server_done)
		fail_msg("refused: %s", outcome.failure.text);
	assert_string_equal(outcome.subject, "CN=billing");
	outcome_done(&outcome);
}

/* How a file says it in an indented value. */
static char *
indented(const char *pem)
{
	char *out = calloc(1, 2 * strlen(pem) + 8);
	size_t at = 0;

	assert_non_null(out);
	for (size_t i = 0; pem[i] != '\0'; i++) {
		if (i == 0 || pem[i - 1] == '\n')
			out[at++] = ' ';
		out[at++] = pem[i];
	}
	return out;
}

static void
cas_may_stand_in_the_configuration(void **state)
{
	struct fixture *it = *state;
	struct house house = house_make(it);
	char *pem = cert_pem(&house.ca);
	char *text = indented(pem);
	char lines[3000];

	(void)snprintf(lines, sizeof lines, CERT "cadata =\n%s", text);
	assert_admitted(it, &house, lines);
	free(text);
	free(pem);
	house_done(&house);
}

static void
broken_cadata_is_an_error(void **state)
{
	struct fixture *it = *state;
	struct house house = house_make(it);

	context_fails(it, CERT "cadata = nonsense\n",
		"context.ini:6: [listener gw] cadata holds no certificate in "
		"PEM");
	context_fails(it,
		CERT "cadata =\n -----BEGIN CERTIFICATE-----\n MAMCAQE=\n"
		     " -----END CERTIFICATE-----\n",
		"cadata: certificate 1 cannot be read");
	house_done(&house);
}

static void
cas_may_be_hash_links_of_a_directory(void **state)
{
	struct fixture *it = *state;
	struct house house = house_make(it);
	char *pem = cert_pem(&house.ca);
	struct outcome outcome;

	fixture_write(it, "9d66eef0.0", pem);
	assert_admitted(it, &house, CERT "capath = .\n");
	outcome = visit(it, &house, CERT "capath = .\n");
	assert_string_equal(outcome.ca_name, "Test CA");
	outcome_done(&outcome);
	free(pem);
	house_done(&house);
}

static void
every_hash_link_counts(void **state)
{
	struct fixture *it = *state;
	struct house house = house_make(it);
	struct cert other = cert_make_ca("Test CA"); /* the same hash */
	char *pem = cert_pem(&house.ca);
	char *other_pem = cert_pem(&other);

	fixture_write(it, "9d66eef0.0", other_pem);
	fixture_write(it, "9d66eef0.1", pem);
	assert_admitted(it, &house, CERT "capath = .\n");
	free(pem);
	free(other_pem);
	cert_done(&other);
	house_done(&house);
}

static void
a_capath_without_hash_links_is_an_error(void **state)
{
	struct fixture *it = *state;
	struct house house = house_make(it);

	fixture_write_cert(it, "ca", &house.ca);
	context_fails(it, CERT "capath = .\n",
		"context.ini:6: [listener gw] capath \".\" holds no hash links "
		"(\"9d66eef0.0\") to certificates; run \"openssl rehash .\"");
	house_done(&house);
}

static void
a_capath_that_is_not_there_is_an_error(void **state)
{
	struct fixture *it = *state;
	struct house house = house_make(it);

	context_fails(it, CERT "capath = none\n",
		"[listener gw] capath \"none\": No such file or directory");
	house_done(&house);
}

static void
a_bad_file_of_a_capath_is_told_by_its_name(void **state)
{
	struct fixture *it = *state;
	struct house house = house_make(it);

	fixture_write(it, "9d66eef0.0", "nothing");
	context_fails(it, CERT "capath = .\n",
		"capath \"./9d66eef0.0\" holds no certificate in PEM");
	house_done(&house);
}

static void
the_default_certificates_may_be_trusted(void **state)
{
	struct fixture *it = *state;
	struct house house = house_make(it);
	char *pem = cert_pem(&house.ca);
	struct outcome outcome;
	char path[512];

	fixture_write(it, "system.pem", pem);
	(void)snprintf(path, sizeof path, "%s/system.pem", it->dir);
	assert_int_equal(setenv("SSL_CERT_FILE", path, 1), 0);
	assert_admitted(it, &house, CERT "load_default_certs = yes\n");
	/* Their names are not told. */
	outcome = visit(it, &house, CERT "load_default_certs = yes\n");
	assert_int_equal(outcome.n_ca_names, 0);
	outcome_done(&outcome);
	assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
	free(pem);
	house_done(&house);
}

static void
missing_default_certificates_are_an_error(void **state)
{
	struct fixture *it = *state;
	struct house house = house_make(it);

	assert_int_equal(setenv("SSL_CERT_FILE", "/nonexistent.pem", 1), 0);
	context_fails(it, CERT "load_default_certs = yes\n",
		"[listener gw] load_default_certs: ");
	assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
	house_done(&house);
}

static void
names_of_cas_are_told_or_not(void **state)
{
	struct fixture *it = *state;
	struct house house = house_make(it);
	struct outcome outcome;

	fixture_write_cert(it, "ca", &house.ca);
	outcome = visit(it, &house, CERT "cafile = ca.pem\n");
	assert_int_equal(outcome.n_ca_names, 1);
	assert_string_equal(outcome.ca_name, "Test CA");
	outcome_done(&outcome);
	outcome =
		visit(it, &house, CERT "cafile = ca.pem\nsend_ca_names = no\n");
	assert_true(outcome.server_done);
	assert_int_equal(outcome.n_ca_names, 0);
	assert_string_equal(outcome.subject, "CN=billing");
	outcome_done(&outcome);
	house_done(&house);
}

static void
without_strictness_no_defect_is_told_of(void **state)
{
	struct fixture *it = *state;
	struct cert server = cert_make_server("gw", NULL);
	struct cert old = cert_make(
		&(struct cert_spec){.cn = "Old", .is_ca = true, .usage = ""},
		NULL);
	struct house house = {old, cert_make_client("billing", &old)};

	fixture_write_cert(it, "gw", &server);
	fixture_write_cert(it, "ca", &old);
	context_is_fine(
		it, CERT "cafile = ca.pem\nverify_flags = -x509_strict\n");
	assert_admitted(it, &house,
		CERT "cafile = ca.pem\nverify_flags = -x509_strict\n");
	cert_done(&server);
	house_done(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_ca_without_key_usage_is_a_warning),
		TEST(a_weak_key_is_a_warning),
		TEST(a_weak_signature_of_a_ca_does_not_matter),
		TEST(a_ca_that_may_not_sign_is_a_warning),
		TEST(a_ca_flag_that_is_not_critical_is_a_warning),
		TEST(a_ca_without_key_identifier_is_a_warning),
		TEST(a_certificate_that_is_no_ca_is_a_warning),
		TEST(an_expired_ca_is_a_warning),
		TEST(a_sound_ca_is_not_complained_of),
		TEST(the_second_bad_ca_of_a_file_is_told_by_its_number),
		TEST(every_bad_file_is_reported_at_its_line),
		TEST(names_of_all_cas_go_to_the_client),
		TEST(cas_may_stand_in_the_configuration),
		TEST(broken_cadata_is_an_error),
		TEST(cas_may_be_hash_links_of_a_directory),
		TEST(every_hash_link_counts),
		TEST(a_capath_without_hash_links_is_an_error),
		TEST(a_capath_that_is_not_there_is_an_error),
		TEST(a_bad_file_of_a_capath_is_told_by_its_name),
		TEST(the_default_certificates_may_be_trusted),
		TEST(missing_default_certificates_are_an_error),
		TEST(names_of_cas_are_told_or_not),
		TEST(without_strictness_no_defect_is_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
