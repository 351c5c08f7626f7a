#include "tls/tls_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "certs.h"

static X509_NAME *
name_of(int nid, int type, const void *bytes, size_t len)
{
	X509_NAME *name = X509_NAME_new();

	assert_int_equal(X509_NAME_add_entry_by_NID(name, nid, type,
				 (const unsigned char *)bytes, (int)len, -1, 0),
		1);
	return name;
}

static void
assert_text(X509_NAME *name, const char *expected)
{
	char *text = tls_name_text(name);

	assert_string_equal(text, expected);
	free(text);
	X509_NAME_free(name);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
an_empty_name_is_empty_text(void **state)
{
	(void)state;
	assert_text(X509_NAME_new(), "");
}

static void
the_last_part_comes_first(void **state)
{
	X509_NAME *name =
		name_of(NID_organizationName, V_ASN1_UTF8STRING, "Corp", 4);

	(void)state;
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
				 (const unsigned char *)"billing", -1, -1, 0),
		1);
	assert_text(name, "CN=billing,O=Corp");
}

static void
special_bytes_are_escaped(void **state)
{
	(void)state;
	assert_text(
		name_of(NID_commonName, V_ASN1_UTF8STRING, "a,O=Corp\"<;+", 12),
		"CN=a\\,O=Corp\\\"\\<\\;\\+");
}

static void
control_bytes_and_nul_are_escaped(void **state)
{
	(void)state;
	assert_text(name_of(NID_commonName, V_ASN1_UTF8STRING, "a\0b\n\x7f", 5),
		"CN=a\\00b\\0A\\7F");
}

static void
utf8_stays_utf8(void **state)
{
	(void)state;
	assert_text(
		name_of(NID_commonName, V_ASN1_UTF8STRING, "J\xc3\xb6rg", 5),
		"CN=J\xc3\xb6rg");
}

static void
utf16_becomes_utf8(void **state)
{
	(void)state;
	assert_text(name_of(NID_commonName, V_ASN1_BMPSTRING, "\0J\0\xf6", 4),
		"CN=J\xc3\xb6");
}

static void
control_characters_beyond_ascii_are_escaped(void **state)
{
	(void)state;
	assert_text(name_of(NID_commonName, V_ASN1_UTF8STRING,
			    "a\xc2\x9b"
			    "2J",
			    5),
		"CN=a\\C2\\9B2J");
}

static void
malformed_utf8_is_escaped_byte_by_byte(void **state)
{
	(void)state;
	assert_text(name_of(NID_commonName, V_ASN1_UTF8STRING, "a\xff\xc3", 3),
		"CN=a\\FF\\C3");
}

static void
a_surrogate_does_not_vanish(void **state)
{
	X509_NAME *name =
		name_of(NID_commonName, V_ASN1_BMPSTRING, "\0a\xd8\0\0b", 6);
	char *text = tls_name_text(name);

	(void)state;
	assert_non_null(text);
	assert_string_not_equal(text, "CN=ab");
	free(text);
	X509_NAME_free(name);
}

static void
ten_thousand_bytes_are_not_cut(void **state)
{
	char *long_cn = calloc(1, 10001);
	X509_NAME *name;
	char *text;

	(void)state;
	memset(long_cn, 'x', 10000);
	name = name_of(NID_commonName, V_ASN1_UTF8STRING, "a", 1);
	X509_NAME_free(name);
	name = X509_NAME_new();
	for (int i = 0; i < 200; i++)
		assert_int_equal(
			X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_UTF8,
				(const unsigned char *)long_cn, 60, -1, 0),
			1);
	text = tls_name_text(name);
	assert_int_equal(strlen(text), 200 * 64 - 1);
	free(text);
	free(long_cn);
	X509_NAME_free(name);
}

static void
a_cut_name_keeps_its_characters_whole(void **state)
{
	X509_NAME *name = name_of(NID_commonName, V_ASN1_UTF8STRING,
		"abcd\xc3\xb6"
		"efghij",
		12);
	char out[12];

	(void)state;
	tls_name_cut(name, out, sizeof out);
	assert_string_equal(out, "CN=abcd...");
	X509_NAME_free(name);
}

static void
a_cut_name_keeps_its_escapes_whole(void **state)
{
	X509_NAME *name =
		name_of(NID_commonName, V_ASN1_UTF8STRING, "abcd\nefghij", 11);
	char out[13];

	(void)state;
	tls_name_cut(name, out, sizeof out);
	assert_string_equal(out, "CN=abcd...");
	X509_NAME_free(name);
}

static void
the_short_name_is_the_common_name(void **state)
{
	struct cert cert = cert_make(
		&(struct cert_spec){.cn = "localhost", .o = "Corp"}, NULL);
	char out[64];

	(void)state;
	tls_name_short(cert.x509, out, sizeof out);
	assert_string_equal(out, "CN=localhost");
	cert_done(&cert);
}

static void
the_short_name_is_the_subject_without_a_common_name(void **state)
{
	struct cert cert = cert_make(&(struct cert_spec){.o = "Corp"}, NULL);
	char out[64];

	(void)state;
	tls_name_short(cert.x509, out, sizeof out);
	assert_string_equal(out, "O=Corp");
	cert_done(&cert);
}

static void
the_short_name_says_when_there_is_no_subject(void **state)
{
	struct cert cert = cert_make(&(struct cert_spec){.cn = NULL}, NULL);
	char out[64];

	(void)state;
	tls_name_short(cert.x509, out, sizeof out);
	assert_string_equal(out, "no subject");
	cert_done(&cert);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_name_is_empty_text),
		cmocka_unit_test(the_last_part_comes_first),
		cmocka_unit_test(special_bytes_are_escaped),
		cmocka_unit_test(control_bytes_and_nul_are_escaped),
		cmocka_unit_test(utf8_stays_utf8),
		cmocka_unit_test(utf16_becomes_utf8),
		cmocka_unit_test(control_characters_beyond_ascii_are_escaped),
		cmocka_unit_test(malformed_utf8_is_escaped_byte_by_byte),
		cmocka_unit_test(a_surrogate_does_not_vanish),
		cmocka_unit_test(ten_thousand_bytes_are_not_cut),
		cmocka_unit_test(a_cut_name_keeps_its_characters_whole),
		cmocka_unit_test(a_cut_name_keeps_its_escapes_whole),
		cmocka_unit_test(the_short_name_is_the_common_name),
		cmocka_unit_test(
			the_short_name_is_the_subject_without_a_common_name),
		cmocka_unit_test(the_short_name_says_when_there_is_no_subject),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
