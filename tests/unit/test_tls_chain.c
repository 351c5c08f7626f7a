#include "tls/tls_chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tls/tls_roots.h"
#include "tls_fixture.h"

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#define LINES "certfile = chain.pem\ncafile = ca.pem\n"
#define PLACE "sallyport.ini:4: warning: [listener gw] certfile \"chain.pem\" "

/* A root, an intermediate and a server. */
struct pki {
	struct cert root, middle, leaf;
};

static struct pki
pki_make(const struct cert_spec *middle, const struct cert_spec *leaf)
{
	static const struct cert_spec good_middle = {
		.cn = "Middle", .is_ca = true};
	static const struct cert_spec good_leaf = {
		.cn = "leaf", .eku = "serverAuth", .san = "DNS:localhost"};
	struct pki pki;

	pki.root = cert_make_ca("Root");
	pki.middle =
		cert_make(middle != NULL ? middle : &good_middle, &pki.root);
	pki.leaf = cert_make(leaf != NULL ? leaf : &good_leaf, &pki.middle);
	return pki;
}

static void
pki_done(struct pki *pki)
{
	cert_done(&pki->root);
	cert_done(&pki->middle);
	cert_done(&pki->leaf);
}

/* NAME holds A and B, which may be NULL. */
static void
write_file(struct fixture *it, const char *name, const struct cert *a,
	const struct cert *b)
{
	char *first = cert_pem(a);
	char *second = b != NULL ? cert_pem(b) : strdup("");
	char text[8192];

	(void)snprintf(text, sizeof text, "%s%s", first, second);
	fixture_write(it, name, text);
	free(first);
	free(second);
}

static void
check(struct fixture *it, const char *lines)
{
	struct tls_roots *roots = tls_roots_new();

	fixture_configure(it, lines);
	tls_roots_add(roots, it->listener, it->files);
	tls_chain_check(roots, it->listener, it->files, it->report);
	tls_roots_free(&roots);
}

static void
assert_fine(struct fixture *it)
{
	assert_string_equal(fixture_report(it), "");
}

/* One finding, with this text behind the place. */
static void
assert_warned(struct fixture *it, const char *text)
{
	char wanted[1024];

	(void)snprintf(wanted, sizeof wanted, "%s%s\n", PLACE, text);
	fixture_assert_reported(it, wanted);
	assert_int_equal(report_warnings(it->report), 1);
	assert_int_equal(report_errors(it->report), 0);
}

static void
a_chain_below_a_known_root_is_fine(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(NULL, NULL);

	write_file(it, "chain.pem", &pki.leaf, &pki.middle);
	write_file(it, "ca.pem", &pki.root, NULL);
	check(it, LINES);
	assert_fine(it);
	pki_done(&pki);
}

static void
a_chain_below_a_root_that_only_clients_know_is_fine(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(NULL, NULL);

	write_file(it, "chain.pem", &pki.leaf, &pki.middle);
	check(it, "certfile = chain.pem\n");
	assert_fine(it);
	pki_done(&pki);
}

static void
a_chain_with_its_root_is_fine(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(NULL, NULL);
	struct cert leaf = cert_make_server("direct", &pki.root);

	write_file(it, "chain.pem", &leaf, &pki.root);
	check(it, "certfile = chain.pem\n");
	assert_fine(it);
	cert_done(&leaf);
	pki_done(&pki);
}

static void
a_self_signed_certificate_is_fine(void **state)
{
	struct fixture *it = *state;
	struct cert leaf = cert_make_server("alone", NULL);

	write_file(it, "chain.pem", &leaf, NULL);
	check(it, "certfile = chain.pem\n");
	assert_fine(it);
	cert_done(&leaf);
}

static void
an_issuer_that_nobody_knows_is_missed(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(NULL, NULL);

	write_file(it, "chain.pem", &pki.leaf, NULL);
	write_file(it, "ca.pem", &pki.root, NULL);
	check(it, LINES);
	assert_warned(it,
		"certificate 1 (CN=leaf) is issued by \"CN=Middle\", which is "
		"neither in the file nor a root that is known here;\n"
		"    clients that lack the intermediate will refuse: append it "
		"to the file");
	pki_done(&pki);
}

static void
an_intermediate_that_is_known_but_not_sent_is_missed(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(NULL, NULL);

	write_file(it, "chain.pem", &pki.leaf, NULL);
	write_file(it, "ca.pem", &pki.middle, &pki.root);
	check(it, LINES);
	assert_warned(it,
		"certificate 1 (CN=leaf) is issued by \"CN=Middle\", an "
		"intermediate CA that is not in the file;\n"
		"    clients that lack the intermediate will refuse: append it "
		"to the file");
	pki_done(&pki);
}

static void
a_ca_of_the_same_name_is_not_the_issuer(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(NULL, NULL);
	struct cert impostor = cert_make_ca("Middle");

	write_file(it, "chain.pem", &pki.leaf, NULL);
	write_file(it, "ca.pem", &impostor, NULL);
	check(it, LINES);
	fixture_assert_reported(it, "neither in the file nor a root");
	cert_done(&impostor);
	pki_done(&pki);
}

static void
nothing_is_missed_when_not_all_cas_could_be_read(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(NULL, NULL);

	write_file(it, "chain.pem", &pki.leaf, NULL);
	check(it, LINES);
	assert_fine(it);
	pki_done(&pki);
}

static void
an_intermediate_without_key_usage_is_refused_strictly_only(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(
		&(struct cert_spec){.cn = "Middle", .is_ca = true, .usage = ""},
		NULL);

	write_file(it, "chain.pem", &pki.leaf, &pki.middle);
	check(it, "certfile = chain.pem\n");
	assert_warned(it,
		"certificate 2 (CN=Middle): clients that verify strictly will "
		"refuse it (\"CA cert does not include key usage extension\")");
	pki_done(&pki);
}

static void
a_root_that_strict_clients_refuse_is_named(void **state)
{
	struct fixture *it = *state;
	struct cert root = cert_make(
		&(struct cert_spec){.cn = "Old", .is_ca = true, .usage = ""},
		NULL);
	struct cert leaf = cert_make_server("leaf", &root);

	write_file(it, "chain.pem", &leaf, NULL);
	write_file(it, "ca.pem", &root, NULL);
	check(it, LINES);
	assert_warned(it,
		"is issued by a CA (CN=Old) that clients that verify strictly "
		"will refuse (\"CA cert does not include key usage "
		"extension\")");
	cert_done(&leaf);
	cert_done(&root);
}

static void
an_intermediate_that_is_no_ca_is_refused(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(&(struct cert_spec){.cn = "Middle"}, NULL);

	write_file(it, "chain.pem", &pki.leaf, &pki.middle);
	write_file(it, "ca.pem", &pki.root, NULL);
	check(it, LINES);
	fixture_assert_reported(it, "clients will refuse");
	pki_done(&pki);
}

static void
a_path_that_is_too_long_is_refused(void **state)
{
	struct fixture *it = *state;
	struct cert root =
		cert_make(&(struct cert_spec){.cn = "Root",
				  .is_ca = true,
				  .basic = "critical,CA:TRUE,pathlen:0"},
			NULL);
	struct cert middle = cert_make(
		&(struct cert_spec){.cn = "Middle", .is_ca = true}, &root);
	struct cert leaf = cert_make_server("leaf", &middle);

	write_file(it, "chain.pem", &leaf, &middle);
	write_file(it, "ca.pem", &root, NULL);
	check(it, LINES);
	assert_warned(it,
		"is issued by a CA (CN=Root) that clients will refuse "
		"(\"path length constraint exceeded\")");
	cert_done(&leaf);
	cert_done(&middle);
	cert_done(&root);
}

static void
a_name_that_the_ca_may_not_certify_is_refused(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(
		&(struct cert_spec){.cn = "Middle",
			.is_ca = true,
			.constraints = "critical,permitted;DNS:corp.example"},
		NULL);

	write_file(it, "chain.pem", &pki.leaf, &pki.middle);
	check(it, "certfile = chain.pem\n");
	assert_warned(it, "certificate 1 (CN=leaf): clients will refuse it "
			  "(\"permitted subtree violation\")");
	pki_done(&pki);
}

static void
a_key_usage_that_fits_no_server_is_refused(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(NULL, &(struct cert_spec){.cn = "leaf",
						.eku = "serverAuth",
						.usage = "critical,cRLSign",
						.san = "DNS:localhost"});

	write_file(it, "chain.pem", &pki.leaf, &pki.middle);
	check(it, "certfile = chain.pem\n");
	fixture_assert_reported(it,
		PLACE "certificate 1 (CN=leaf): clients will refuse it (\"");
	pki_done(&pki);
}

static void
a_leaf_without_names_is_warned_of(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(NULL,
		&(struct cert_spec){.cn = "localhost", .eku = "serverAuth"});

	write_file(it, "chain.pem", &pki.leaf, &pki.middle);
	check(it, "certfile = chain.pem\n");
	assert_warned(it,
		"certificate 1 (CN=localhost) has no subjectAltName; clients "
		"find no server name in it");
	pki_done(&pki);
}

static void
what_a_start_says_is_not_said_again(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(NULL, &(struct cert_spec){.cn = "leaf",
						.eku = "clientAuth",
						.san = "DNS:localhost",
						.from_s = -7200,
						.until_s = -3600});

	write_file(it, "chain.pem", &pki.leaf, &pki.middle);
	check(it, "certfile = chain.pem\n");
	assert_fine(it);
	pki_done(&pki);
}

static void
a_chain_upside_down_is_left_to_the_loader(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(NULL, NULL);

	write_file(it, "chain.pem", &pki.middle, &pki.leaf);
	write_file(it, "ca.pem", &pki.root, NULL);
	check(it, LINES);
	assert_fine(it);
	pki_done(&pki);
}

static void
two_cas_that_signed_each_other_come_to_an_end(void **state)
{
	struct fixture *it = *state;
	struct cert a = cert_make_ca("A");
	struct cert b = cert_make_ca("B");
	struct cert leaf = cert_make_server("leaf", &a);
	char *pems[3];
	char text[8192];

	assert_int_equal(
		X509_set_issuer_name(a.x509, X509_get_subject_name(b.x509)), 1);
	assert_int_equal(
		X509_set_issuer_name(b.x509, X509_get_subject_name(a.x509)), 1);
	assert_true(X509_sign(a.x509, b.key, EVP_sha256()) > 0);
	assert_true(X509_sign(b.x509, a.key, EVP_sha256()) > 0);
	pems[0] = cert_pem(&leaf);
	pems[1] = cert_pem(&a);
	pems[2] = cert_pem(&b);
	(void)snprintf(text, sizeof text, "%s%s%s", pems[0], pems[1], pems[2]);
	fixture_write(it, "chain.pem", text);
	check(it, "certfile = chain.pem\n");
	assert_int_equal(report_errors(it->report), 0);
	for (size_t i = 0; i < 3; i++)
		free(pems[i]);
	cert_done(&leaf);
	cert_done(&a);
	cert_done(&b);
}

static void
a_file_that_holds_none_is_reported_once(void **state)
{
	struct fixture *it = *state;

	fixture_write(it, "chain.pem", "nothing\n");
	check(it, "certfile = chain.pem\n");
	assert_int_equal(report_errors(it->report), 1);
	assert_int_equal(report_warnings(it->report), 0);
}

static void
a_weak_certificate_anywhere_in_the_file_is_warned_of(void **state)
{
	struct fixture *it = *state;
	struct pki pki = pki_make(&(struct cert_spec){.cn = "Middle",
					  .is_ca = true,
					  .key = CERT_RSA,
					  .bits = 1024},
		NULL);

	write_file(it, "chain.pem", &pki.leaf, &pki.middle);
	check(it, "certfile = chain.pem\n");
	assert_warned(it, "certificate 2 (CN=Middle) has a weak key, RSA 1024: "
			  "use RSA 2048, EC P-256 or better");
	pki_done(&pki);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_chain_below_a_known_root_is_fine),
		TEST(a_chain_below_a_root_that_only_clients_know_is_fine),
		TEST(a_chain_with_its_root_is_fine),
		TEST(a_self_signed_certificate_is_fine),
		TEST(an_issuer_that_nobody_knows_is_missed),
		TEST(an_intermediate_that_is_known_but_not_sent_is_missed),
		TEST(a_ca_of_the_same_name_is_not_the_issuer),
		TEST(nothing_is_missed_when_not_all_cas_could_be_read),
		TEST(an_intermediate_without_key_usage_is_refused_strictly_only),
		TEST(a_root_that_strict_clients_refuse_is_named),
		TEST(an_intermediate_that_is_no_ca_is_refused),
		TEST(a_path_that_is_too_long_is_refused),
		TEST(a_name_that_the_ca_may_not_certify_is_refused),
		TEST(a_key_usage_that_fits_no_server_is_refused),
		TEST(a_leaf_without_names_is_warned_of),
		TEST(what_a_start_says_is_not_said_again),
		TEST(a_chain_upside_down_is_left_to_the_loader),
		TEST(two_cas_that_signed_each_other_come_to_an_end),
		TEST(a_file_that_holds_none_is_reported_once),
		TEST(a_weak_certificate_anywhere_in_the_file_is_warned_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
