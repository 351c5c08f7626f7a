#include "tls/tls_peer.h"

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
add_attribute(X509_NAME *name, int nid, int type, const void *bytes, int len)
{
	/* A type as it is, not MBSTRING_*: nothing is vetted or converted. */
	assert_int_equal(
		X509_NAME_add_entry_by_NID(name, nid, type, bytes, len, -1, 0),
		1);
}

static struct identity *
identity_named(X509_NAME *name)
{
	struct cert cert =
		cert_make(&(struct cert_spec){.subject = name}, NULL);
	struct identity *identity = tls_peer_identity_of(cert.x509);

	assert_non_null(identity);
	cert_done(&cert);
	X509_NAME_free(name);
	return identity;
}

static void
every_value_of_an_attribute_is_kept_in_order(void **state)
{
	X509_NAME *name = X509_NAME_new();
	struct identity *identity;

	(void)state;
	add_attribute(name, NID_commonName, V_ASN1_UTF8STRING, "one", 3);
	add_attribute(name, NID_organizationName, V_ASN1_UTF8STRING, "o", 1);
	add_attribute(name, NID_commonName, V_ASN1_PRINTABLESTRING, "two", 3);
	add_attribute(
		name, NID_organizationalUnitName, V_ASN1_UTF8STRING, "u", 1);
	add_attribute(
		name, NID_organizationalUnitName, V_ASN1_UTF8STRING, "v", 1);
	/* A further value within the last RDN. */
	assert_int_equal(X509_NAME_add_entry_by_NID(name, NID_commonName,
				 V_ASN1_UTF8STRING,
				 (const unsigned char *)"three", 5, -1, -1),
		1);
	identity = identity_named(name);
	assert_int_equal(identity->cn.n, 3);
	assert_string_equal(identity->cn.items[0], "one");
	assert_string_equal(identity->cn.items[1], "two");
	assert_string_equal(identity->cn.items[2], "three");
	assert_int_equal(identity->ou.n, 2);
	assert_string_equal(identity->ou.items[1], "v");
	assert_int_equal(identity->o.n, 1);
	assert_int_equal(identity->n_bad_names, 0);
	identity_free(&identity);
}

/* What has no UTF-8 form at all (half a surrogate, an overlong sequence) is no
 * certificate for OpenSSL: its parser refuses it. */
static void
attributes_become_utf8_whatever_their_string_type(void **state)
{
	static const struct {
		int type;
		const char *bytes;
		int len;
		const char *expected; /* NULL: bad */
	} cases[] = {
		{V_ASN1_UTF8STRING, "Zo\xc3\xab", 4, "Zo\xc3\xab"},
		{V_ASN1_PRINTABLESTRING, "plain", 5, "plain"},
		{V_ASN1_IA5STRING, "a@b", 3, "a@b"},
		{V_ASN1_BMPSTRING, "\0Z\0o\0\xeb", 6, "Zo\xc3\xab"},
		{V_ASN1_BMPSTRING, "\x4e\x2d", 2, "\xe4\xb8\xad"},
		{V_ASN1_T61STRING, "Zo\xeb", 3, "Zo\xc3\xab"},
		{V_ASN1_UNIVERSALSTRING, "\0\1\xf6\0", 4, "\xf0\x9f\x98\x80"},
		{V_ASN1_UTF8STRING, "a\0b", 3, NULL},
		{V_ASN1_UTF8STRING, "\0", 1, NULL},
		{V_ASN1_PRINTABLESTRING, "admin\0x", 7, NULL},
		{V_ASN1_T61STRING, "admin\0", 6, NULL},
		{V_ASN1_BMPSTRING, "\0a\0\0", 4, NULL},
		{V_ASN1_UNIVERSALSTRING, "\0\0\0\0", 4, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		X509_NAME *name = X509_NAME_new();
		struct identity *identity;
		size_t n = cases[i].expected != NULL;

		add_attribute(name, NID_commonName, cases[i].type,
			cases[i].bytes, cases[i].len);
		identity = identity_named(name);
		if (identity->cn.n != n || identity->n_bad_names != !n)
			fail_msg("case %zu: %zu good, %zu bad", i,
				identity->cn.n, identity->n_bad_names);
		if (n > 0)
			assert_string_equal(
				identity->cn.items[0], cases[i].expected);
		assert_int_equal(ERR_peek_error(), 0);
		identity_free(&identity);
	}
}

static void
a_bad_attribute_leaves_the_good_ones(void **state)
{
	X509_NAME *name = X509_NAME_new();
	struct identity *identity;

	(void)state;
	add_attribute(name, NID_commonName, V_ASN1_UTF8STRING, "admin\0x", 7);
	add_attribute(name, NID_commonName, V_ASN1_UTF8STRING, "good", 4);
	add_attribute(
		name, NID_organizationName, V_ASN1_UTF8STRING, "\0Corp", 5);
	identity = identity_named(name);
	assert_int_equal(identity->cn.n, 1);
	assert_string_equal(identity->cn.items[0], "good");
	assert_int_equal(identity->o.n, 0);
	assert_int_equal(identity->n_bad_names, 2);
	identity_free(&identity);
}

static void
an_empty_subject_has_no_attributes(void **state)
{
	struct identity *identity = identity_named(X509_NAME_new());

	(void)state;
	assert_string_equal(identity->subject, "");
	assert_int_equal(identity->cn.n + identity->ou.n + identity->o.n, 0);
	assert_int_equal(identity->n_bad_names, 0);
	identity_free(&identity);
}

static void
a_huge_subject_is_kept(void **state)
{
	X509_NAME *name = X509_NAME_new();
	struct identity *identity;
	char *text = malloc(10240);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', 10240);
	add_attribute(name, NID_commonName, V_ASN1_UTF8STRING, text, 10240);
	free(text);
	identity = identity_named(name);
	assert_int_equal(identity->cn.n, 1);
	assert_int_equal(strlen(identity->cn.items[0]), 10240);
	assert_true(strlen(identity->subject) >= 10240);
	identity_free(&identity);
}

static void
an_empty_list_of_names_is_no_bad_name(void **state)
{
	struct identity *identity = identity_with(sk_GENERAL_NAME_new_null());

	(void)state;
	assert_int_equal(identity->n_bad_names, 0);
	assert_int_equal(identity->dns.n, 0);
	identity_free(&identity);
}

static void
a_wildcard_in_the_certificate_is_only_text(void **state)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	struct identity *identity;

	(void)state;
	push_name(names, GEN_DNS, V_ASN1_IA5STRING, "*.example.com", 13);
	push_name(names, GEN_DNS, V_ASN1_IA5STRING, "xn--bcher-kva.de", 16);
	identity = identity_with(names);
	assert_string_equal(identity->dns.items[0], "*.example.com");
	assert_string_equal(identity->dns.items[1], "xn--bcher-kva.de");
	identity_free(&identity);
}

static void
a_mapped_address_stays_ipv6(void **state)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	struct identity *identity;

	(void)state;
	push_name(names, GEN_IPADD, V_ASN1_OCTET_STRING,
		"\0\0\0\0\0\0\0\0\0\0\xff\xff\300\0\2\1", 16);
	identity = identity_with(names);
	assert_string_equal(identity->ip.items[0], "::ffff:192.0.2.1");
	identity_free(&identity);
}

/* As "openssl x509 -pubkey | openssl pkey -pubin -outform DER | sha256". */
static void
the_key_fingerprint_is_of_the_whole_key_info(void **state)
{
	struct cert cert = cert_make(&(struct cert_spec){.cn = "x"}, NULL);
	struct identity *identity = tls_peer_identity_of(cert.x509);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(cert.key, &der);
	char text[65];

	(void)state;
	assert_true(len > 0);
	assert_int_equal(
		EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL),
		1);
	for (size_t i = 0; i < 32; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(identity->spki_sha256, text);
	OPENSSL_free(der);
	identity_free(&identity);
	cert_done(&cert);
}

static bool
is_authority(const struct cert_spec *spec)
{
	struct cert cert = cert_make(spec, NULL);
	struct identity *identity = tls_peer_identity_of(cert.x509);
	bool answer = identity->is_authority;

	identity_free(&identity);
	cert_done(&cert);
	return answer;
}

static void
who_may_sign_others_is_an_authority(void **state)
{
	(void)state;
	assert_true(
		is_authority(&(struct cert_spec){.cn = "x", .is_ca = true}));
	assert_true(is_authority(&(struct cert_spec){
		.cn = "x", .is_ca = true, .usage = "digitalSignature"}));
	assert_true(is_authority(
		&(struct cert_spec){.cn = "x", .usage = "keyCertSign"}));
	assert_true(is_authority(&(struct cert_spec){
		.cn = "x", .usage = "digitalSignature,cRLSign"}));
	assert_false(is_authority(&(struct cert_spec){.cn = "x"}));
	assert_false(is_authority(&(struct cert_spec){.cn = "x", .usage = ""}));
	assert_false(is_authority(
		&(struct cert_spec){.cn = "x", .usage = "", .basic = ""}));
}

static void
an_issuer_says_who_it_is(void **state)
{
	struct cert ca = cert_make_ca("Test CA");
	struct cert cert = cert_make_client("x", &ca);
	struct identity *of_ca = tls_peer_identity_of(ca.x509);
	struct identity *identity =
		tls_peer_identity_with_issuer(cert.x509, ca.x509);

	(void)state;
	assert_string_equal(identity->issuer_cn, "Test CA");
	assert_string_equal(identity->issuer_spki_sha256, of_ca->spki_sha256);
	assert_string_not_equal(identity->spki_sha256, of_ca->spki_sha256);
	identity_free(&identity);
	identity_free(&of_ca);
	cert_done(&cert);
	cert_done(&ca);
}

static void
an_unknown_issuer_is_nobody(void **state)
{
	struct cert ca = cert_make_ca("Test CA");
	struct cert cert = cert_make_client("x", &ca);
	struct identity *identity =
		tls_peer_identity_with_issuer(cert.x509, NULL);

	(void)state;
	assert_string_equal(identity->issuer, "CN=Test CA");
	assert_null(identity->issuer_cn);
	assert_null(identity->issuer_spki_sha256);
	identity_free(&identity);
	cert_done(&cert);
	cert_done(&ca);
}

static void
an_issuer_of_no_or_several_names_has_none(void **state)
{
	static const char *const names[][2] = {
		{NULL, NULL}, {"A CA", "B CA"}, {"A CA", "B\0"}};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		X509_NAME *name = X509_NAME_new();
		struct cert ca;
		struct identity *identity;

		for (size_t j = 0; j < 2 && names[i][j] != NULL; j++)
			add_attribute(name, NID_commonName, V_ASN1_UTF8STRING,
				names[i][j], i == 2 && j == 1 ? 2 : 4);
		ca = cert_make(&(struct cert_spec){.subject = name}, NULL);
		identity = tls_peer_identity_with_issuer(ca.x509, ca.x509);
		assert_null(identity->issuer_cn);
		assert_non_null(identity->issuer_spki_sha256);
		identity_free(&identity);
		cert_done(&ca);
		X509_NAME_free(name);
	}
}

static void
negative_serials_have_a_sign(void **state)
{
	struct cert cert = cert_make(&(struct cert_spec){.cn = "x"}, NULL);
	struct identity *identity;

	(void)state;
	ASN1_INTEGER_set(X509_get_serialNumber(cert.x509), -10);
	identity = tls_peer_identity_of(cert.x509);
	assert_string_equal(identity->serial, "-0a");
	identity_free(&identity);
	cert_done(&cert);
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
		cmocka_unit_test(every_value_of_an_attribute_is_kept_in_order),
		cmocka_unit_test(
			attributes_become_utf8_whatever_their_string_type),
		cmocka_unit_test(a_bad_attribute_leaves_the_good_ones),
		cmocka_unit_test(an_empty_subject_has_no_attributes),
		cmocka_unit_test(a_huge_subject_is_kept),
		cmocka_unit_test(an_empty_list_of_names_is_no_bad_name),
		cmocka_unit_test(a_wildcard_in_the_certificate_is_only_text),
		cmocka_unit_test(a_mapped_address_stays_ipv6),
		cmocka_unit_test(the_key_fingerprint_is_of_the_whole_key_info),
		cmocka_unit_test(who_may_sign_others_is_an_authority),
		cmocka_unit_test(an_issuer_says_who_it_is),
		cmocka_unit_test(an_unknown_issuer_is_nobody),
		cmocka_unit_test(an_issuer_of_no_or_several_names_has_none),
		cmocka_unit_test(negative_serials_have_a_sign),
		cmocka_unit_test(no_client_certificate_is_no_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
