#include "tls/tls_roots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tls_fixture.h"

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* All that LINES name as known CAs. */
static struct tls_roots *
roots_of(struct fixture *it, const char *lines)
{
	struct tls_roots *roots = tls_roots_new();

	fixture_configure(it, lines);
	tls_roots_add(roots, it->listener, it->files);
	return roots;
}

static bool
knows_issuer(const struct tls_roots *roots, const struct cert *of,
	const struct cert *issuer)
{
	X509 *found = tls_roots_find_issuer(roots, of->x509);
	bool is_it = found != NULL && X509_cmp(found, issuer->x509) == 0;

	X509_free(found);
	return is_it;
}

static void
a_ca_of_a_cafile_is_known(void **state)
{
	struct fixture *it = *state;
	struct cert ca = cert_make_ca("CA");
	struct cert leaf = cert_make_server("leaf", &ca);
	struct cert other = cert_make_server("other", NULL);
	struct tls_roots *roots;

	fixture_write_cert(it, "ca", &ca);
	roots = roots_of(it, "certfile = gw.pem\ncafile = ca.pem\n");
	assert_true(tls_roots_are_complete(roots));
	assert_true(knows_issuer(roots, &leaf, &ca));
	assert_null(tls_roots_find_issuer(roots, other.x509));
	tls_roots_free(&roots);
	cert_done(&other);
	cert_done(&leaf);
	cert_done(&ca);
}

static void
a_ca_of_cadata_is_known(void **state)
{
	struct fixture *it = *state;
	struct cert ca = cert_make_ca("CA");
	struct cert leaf = cert_make_server("leaf", &ca);
	char *pem = cert_pem(&ca);
	char lines[2048] = "certfile = gw.pem\ncadata =\n";
	struct tls_roots *roots;
	char *rest = NULL;

	for (char *line = strtok_r(pem, "\n", &rest); line != NULL;
		line = strtok_r(NULL, "\n", &rest))
		(void)snprintf(lines + strlen(lines),
			sizeof lines - strlen(lines), "\t%s\n", line);
	roots = roots_of(it, lines);
	assert_true(tls_roots_are_complete(roots));
	assert_true(knows_issuer(roots, &leaf, &ca));
	tls_roots_free(&roots);
	free(pem);
	cert_done(&leaf);
	cert_done(&ca);
}

static void
a_ca_of_a_capath_is_known(void **state)
{
	struct fixture *it = *state;
	struct cert ca = cert_make_ca("CA");
	struct cert leaf = cert_make_server("leaf", &ca);
	struct tls_roots *roots;
	char *pem = cert_pem(&ca);
	char name[32];

	(void)snprintf(name, sizeof name, "%08lx.0",
		X509_NAME_hash_ex(
			X509_get_subject_name(ca.x509), NULL, NULL, NULL));
	fixture_write(it, name, pem);
	fixture_write(it, "README", "no link\n");
	roots = roots_of(it, "certfile = gw.pem\ncapath = .\n");
	assert_true(tls_roots_are_complete(roots));
	assert_true(knows_issuer(roots, &leaf, &ca));
	tls_roots_free(&roots);
	free(pem);
	cert_done(&leaf);
	cert_done(&ca);
}

static void
a_file_that_cannot_be_read_leaves_a_gap_and_no_finding(void **state)
{
	struct fixture *it = *state;
	struct tls_roots *roots =
		roots_of(it, "certfile = gw.pem\ncafile = nowhere.pem\n");

	assert_false(tls_roots_are_complete(roots));
	assert_string_equal(fixture_report(it), "");
	tls_roots_free(&roots);
}

static void
a_directory_that_cannot_be_read_leaves_a_gap(void **state)
{
	struct fixture *it = *state;
	struct tls_roots *roots =
		roots_of(it, "certfile = gw.pem\ncapath = nowhere\n");

	assert_false(tls_roots_are_complete(roots));
	tls_roots_free(&roots);
}

static void
noise_is_passed_over(void **state)
{
	struct fixture *it = *state;
	struct tls_roots *roots;

	fixture_write(it, "ca.pem",
		"-----BEGIN CERTIFICATE-----\nAAAA\n"
		"-----END CERTIFICATE-----\n");
	roots = roots_of(it, "certfile = gw.pem\ncafile = ca.pem\n");
	assert_true(tls_roots_are_complete(roots));
	tls_roots_free(&roots);
}

static void
freeing_none_is_fine(void **state)
{
	struct tls_roots *roots = NULL;

	(void)state;
	tls_roots_free(&roots);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_ca_of_a_cafile_is_known),
		TEST(a_ca_of_cadata_is_known),
		TEST(a_ca_of_a_capath_is_known),
		TEST(a_file_that_cannot_be_read_leaves_a_gap_and_no_finding),
		TEST(a_directory_that_cannot_be_read_leaves_a_gap),
		TEST(noise_is_passed_over),
		cmocka_unit_test(freeing_none_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
