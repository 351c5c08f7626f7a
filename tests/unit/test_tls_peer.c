#include "tls/tls_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "authz/identity.h"
#include "certs.h"

static void
push_name(GENERAL_NAMES *names, int type, int string_type, const void *bytes,
	size_t len)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_STRING *value = ASN1_STRING_type_new(string_type);

	assert_int_equal(ASN1_STRING_set(value, bytes, (int)len), 1);
	GENERAL_NAME_set0_value(name, type, value);
	assert_true(sk_GENERAL_NAME_push(names, name) > 0);
}

static struct identity *
identity_with(GENERAL_NAMES *names)
{
	struct cert cert =
		cert_make(&(struct cert_spec){.cn = "x", .sans = names}, NULL);
	struct identity *identity = tls_peer_identity_of(cert.x509);

	assert_non_null(identity);
	cert_done(&cert);
	GENERAL_NAMES_free(names);
	return identity;
}

static void
subject_and_issuer_are_rfc_4514(void **state)
{
	struct cert ca = cert_make_ca("Test CA");
	struct cert cert = cert_make(
		&(struct cert_spec){.cn = "billing", .o = "Corp"}, &ca);
	struct identity *identity = tls_peer_identity_of(cert.x509);

	(void)state;
	assert_string_equal(identity->subject, "CN=billing,O=Corp");
	assert_string_equal(identity->issuer, "CN=Test CA");
	identity_free(&identity);
	cert_done(&cert);
	cert_done(&ca);
}

static void
serial_and_fingerprint_are_lower_case_hex(void **state)
{
	struct cert cert = cert_make(&(struct cert_spec){.cn = "x"}, NULL);
	struct identity *identity;

	(void)state;
	ASN1_INTEGER_set(X509_get_serialNumber(cert.x509), 0x0abcdef);
	identity = tls_peer_identity_of(cert.x509);
	assert_string_equal(identity->serial, "abcdef");
	assert_int_equal(strlen(identity->sha256), 64);
	assert_int_equal(strspn(identity->sha256, "0123456789abcdef"), 64);
	identity_free(&identity);
	cert_done(&cert);
}

static void
names_are_sorted_into_their_lists(void **state)
{
	struct cert cert = cert_make(
		&(struct cert_spec){.cn = "x",
			.san = "DNS:a.example,URI:spiffe://c/d,IP:192.0.2.1,"
			       "IP:2001:db8::1,email:a@b.example,"
			       "DNS:*.b.example,RID:1.2.3"},
		NULL);
	struct identity *identity = tls_peer_identity_of(cert.x509);

	(void)state;
	assert_int_equal(identity->dns.n, 2);
	assert_string_equal(identity->dns.items[0], "a.example");
	assert_string_equal(identity->dns.items[1], "*.b.example");
	assert_int_equal(identity->uri.n, 1);
	assert_string_equal(identity->uri.items[0], "spiffe://c/d");
	assert_int_equal(identity->ip.n, 2);
	assert_string_equal(identity->ip.items[0], "192.0.2.1");
	assert_string_equal(identity->ip.items[1], "2001:db8::1");
	assert_int_equal(identity->email.n, 1);
	assert_string_equal(identity->email.items[0], "a@b.example");
	assert_int_equal(identity->n_bad_names, 0);
	identity_free(&identity);
	cert_done(&cert);
}

static void
a_certificate_without_names_has_empty_lists(void **state)
{
	struct cert cert = cert_make(&(struct cert_spec){.cn = "x"}, NULL);
	struct identity *identity = tls_peer_identity_of(cert.x509);

	(void)state;
	assert_int_equal(identity->dns.n, 0);
	assert_int_equal(identity->n_bad_names, 0);
	identity_free(&identity);
	cert_done(&cert);
}

static void
a_name_with_an_embedded_nul_is_bad(void **state)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	struct identity *identity;

	(void)state;
	push_name(names, GEN_DNS, V_ASN1_IA5STRING, "admin\0.evil.example", 19);
	push_name(names, GEN_URI, V_ASN1_IA5STRING, "\0", 1);
	push_name(names, GEN_EMAIL, V_ASN1_IA5STRING, "a@b\0", 4);
	push_name(names, GEN_DNS, V_ASN1_IA5STRING, "good.example", 12);
	identity = identity_with(names);
	assert_int_equal(identity->n_bad_names, 3);
	assert_int_equal(identity->uri.n, 0);
	assert_int_equal(identity->email.n, 0);
	assert_int_equal(identity->dns.n, 1);
	assert_string_equal(identity->dns.items[0], "good.example");
	identity_free(&identity);
}

static void
empty_and_unprintable_names_are_bad(void **state)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	struct identity *identity;

	(void)state;
	push_name(names, GEN_DNS, V_ASN1_IA5STRING, "", 0);
	push_name(names, GEN_DNS, V_ASN1_IA5STRING, "a\nb", 3);
	push_name(names, GEN_URI, V_ASN1_IA5STRING, "a\xff", 2);
	identity = identity_with(names);
	assert_int_equal(identity->n_bad_names, 3);
	assert_int_equal(identity->dns.n + identity->uri.n, 0);
	identity_free(&identity);
}

static void
an_ip_address_of_the_wrong_length_is_bad(void **state)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	struct identity *identity;

	(void)state;
	push_name(names, GEN_IPADD, V_ASN1_OCTET_STRING, "\1\2\3", 3);
	push_name(
		names, GEN_IPADD, V_ASN1_OCTET_STRING, "\1\2\3\4\5\6\7\10", 8);
	push_name(names, GEN_IPADD, V_ASN1_OCTET_STRING, "", 0);
	push_name(names, GEN_IPADD, V_ASN1_OCTET_STRING, "\12\0\0\1", 4);
	identity = identity_with(names);
	assert_int_equal(identity->n_bad_names, 3);
	assert_int_equal(identity->ip.n, 1);
	assert_string_equal(identity->ip.items[0], "10.0.0.1");
	identity_free(&identity);
}

static void
names_that_cannot_be_decoded_count_as_bad(void **state)
{
	struct cert cert = cert_make(&(struct cert_spec){.cn = "x"}, NULL);
	ASN1_OCTET_STRING *garbage = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;
	struct identity *identity;

	(void)state;
	assert_int_equal(ASN1_OCTET_STRING_set(garbage,
				 (const unsigned char *)"\x30\x7f\x01", 3),
		1);
	extension = X509_EXTENSION_create_by_NID(
		NULL, NID_subject_alt_name, 0, garbage);
	assert_int_equal(X509_add_ext(cert.x509, extension, -1), 1);
	identity = tls_peer_identity_of(cert.x509);
	assert_int_equal(identity->n_bad_names, 1);
	assert_int_equal(ERR_peek_error(), 0);
	identity_free(&identity);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(garbage);
	cert_done(&cert);
}

static void
thousands_of_names_are_kept(void **state)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	struct identity *identity;

	(void)state;
	for (int i = 0; i < 5000; i++)
		push_name(names, GEN_DNS, V_ASN1_IA5STRING, "host.example", 12);
	identity = identity_with(names);
	assert_int_equal(identity->dns.n, 5000);
	assert_string_equal(identity->dns.items[4999], "host.example");
	identity_free(&identity);
}

static void
no_client_certificate_is_no_identity(void **state)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL *ssl = SSL_new(ctx);

	(void)state;
	assert_null(tls_peer_identity(ssl));
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(subject_and_issuer_are_rfc_4514),
		cmocka_unit_test(serial_and_fingerprint_are_lower_case_hex),
		cmocka_unit_test(names_are_sorted_into_their_lists),
		cmocka_unit_test(a_certificate_without_names_has_empty_lists),
		cmocka_unit_test(a_name_with_an_embedded_nul_is_bad),
		cmocka_unit_test(empty_and_unprintable_names_are_bad),
		cmocka_unit_test(an_ip_address_of_the_wrong_length_is_bad),
		cmocka_unit_test(names_that_cannot_be_decoded_count_as_bad),
		cmocka_unit_test(thousands_of_names_are_kept),
		cmocka_unit_test(no_client_certificate_is_no_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
