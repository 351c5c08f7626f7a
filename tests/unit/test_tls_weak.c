#include "tls/tls_weak.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tls_fixture.h"

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#define PLACE                                                                  \
	"sallyport.ini:4: warning: [listener gw] certfile \"gw.pem\" "         \
	"certificate 2 "

static void
check(struct fixture *it, const struct cert_spec *spec,
	const struct cert *issuer)
{
	const struct tls_item item = {"certfile", 0, "gw.pem"};
	struct cert cert = cert_make(spec, issuer);

	fixture_configure(it, "certfile = gw.pem\n");
	tls_weak_check(&it->load, &item, 1, cert.x509);
	cert_done(&cert);
}

static void
usual_keys_and_signatures_are_fine(void **state)
{
	struct fixture *it = *state;
	const struct tls_item item = {"certfile", 0, "gw.pem"};
	struct cert ca = cert_make_ca("CA");
	struct cert edwards = cert_make(
		&(struct cert_spec){.cn = "e", .key = CERT_ED25519}, NULL);
	struct cert below = cert_make(&(struct cert_spec){.cn = "b"}, &edwards);

	check(it, &(struct cert_spec){.cn = "r", .key = CERT_RSA}, &ca);
	tls_weak_check(&it->load, &item, 0, ca.x509);
	tls_weak_check(&it->load, &item, 0, edwards.x509);
	tls_weak_check(&it->load, &item, 0, below.x509);
	assert_string_equal(fixture_report(it), "");
	cert_done(&below);
	cert_done(&edwards);
	cert_done(&ca);
}

static void
a_short_rsa_key_is_weak(void **state)
{
	struct fixture *it = *state;

	check(it,
		&(struct cert_spec){
			.cn = "short", .key = CERT_RSA, .bits = 1536},
		NULL);
	assert_non_null(strstr(fixture_report(it),
		PLACE "(CN=short) has a weak key, RSA 1536: use RSA 2048, EC "
		      "P-256 or better\n"));
}

static void
a_digest_that_can_be_forged_is_weak(void **state)
{
	struct fixture *it = *state;
	struct cert ca = cert_make_ca("CA");

	check(it, &(struct cert_spec){.cn = "old", .digest = EVP_sha1()}, &ca);
	assert_non_null(strstr(fixture_report(it),
		PLACE "(CN=old) is signed with SHA1, which can be forged: have "
		      "it reissued with SHA-256 or better\n"));
	cert_done(&ca);
}

static void
md5_is_weak(void **state)
{
	struct fixture *it = *state;
	struct cert ca = cert_make(
		&(struct cert_spec){.cn = "CA", .is_ca = true, .key = CERT_RSA},
		NULL);

	check(it, &(struct cert_spec){.cn = "old", .digest = EVP_md5()}, &ca);
	fixture_assert_reported(it, "(CN=old) is signed with MD5, which ");
	cert_done(&ca);
}

static void
what_a_root_says_of_itself_does_not_count(void **state)
{
	struct fixture *it = *state;

	check(it,
		&(struct cert_spec){
			.cn = "root", .is_ca = true, .digest = EVP_sha1()},
		NULL);
	assert_string_equal(fixture_report(it), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(usual_keys_and_signatures_are_fine),
		TEST(a_short_rsa_key_is_weak),
		TEST(a_digest_that_can_be_forged_is_weak),
		TEST(md5_is_weak),
		TEST(what_a_root_says_of_itself_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
