#include "tls/tls_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/asn1.h>
#include <openssl/x509.h>

#include "certs.h"

static void
assert_time(const char *text, int type, int64_t expected)
{
	ASN1_STRING *time = ASN1_STRING_type_new(type);

	assert_non_null(time);
	assert_int_equal(ASN1_STRING_set(time, text, -1), 1);
	assert_int_equal(tls_time_unix(time), expected);
	ASN1_STRING_free(time);
}

static void
both_forms_of_time_are_seconds(void **state)
{
	(void)state;
	assert_time("700101000001Z", V_ASN1_UTCTIME, 1);
	assert_time(
		"20380119031408Z", V_ASN1_GENERALIZEDTIME, INT64_C(2147483648));
}

static void
what_is_no_time_is_long_over(void **state)
{
	(void)state;
	assert_time("tomorrow", V_ASN1_UTCTIME, 0);
	assert_time("", V_ASN1_GENERALIZEDTIME, 0);
}

static void
a_chain_ends_with_its_first_certificate_to_expire(void **state)
{
	struct cert ca = cert_make(
		&(struct cert_spec){.cn = "ca", .is_ca = true, .until_s = 100},
		NULL);
	struct cert leaf =
		cert_make(&(struct cert_spec){.cn = "x", .until_s = 200}, &ca);
	STACK_OF(X509) *chain = sk_X509_new_null();

	(void)state;
	assert_int_equal(tls_time_end_of_chain(NULL), TLS_TIME_FOREVER);
	assert_int_equal(tls_time_end_of_chain(chain), TLS_TIME_FOREVER);
	assert_int_equal(sk_X509_push(chain, leaf.x509), 1);
	assert_int_equal(tls_time_end_of_chain(chain),
		tls_time_unix(X509_get0_notAfter(leaf.x509)));
	assert_int_equal(sk_X509_push(chain, ca.x509), 2);
	assert_int_equal(tls_time_end_of_chain(chain),
		tls_time_unix(X509_get0_notAfter(ca.x509)));
	sk_X509_free(chain);
	cert_done(&leaf);
	cert_done(&ca);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_forms_of_time_are_seconds),
		cmocka_unit_test(what_is_no_time_is_long_over),
		cmocka_unit_test(
			a_chain_ends_with_its_first_certificate_to_expire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
