#include "conf/rule_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

#define HEX64 "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef"

struct value_case {
	enum rule_kind kind;
	const char *value;
};

static void
sensible_values_are_taken(void **state)
{
	static const struct value_case good[] = {
		{RULE_CN, "billing"},
		{RULE_CN, "Zo\xc3\xab with blanks, and *"},
		{RULE_OU, "Operations"},
		{RULE_ISSUER_CN, "Corp Staff CA G2"},
		{RULE_DNS_SAN, "app.example.com"},
		{RULE_DNS_SAN, "App.Example.COM."},
		{RULE_DNS_SAN, "*.example.com"},
		{RULE_DNS_SAN, "*.internal"},
		{RULE_DNS_SAN, "localhost"},
		{RULE_DNS_SAN, "1.example.1a"},
		{RULE_DNS_SAN, "_srv.xn--bcher-kva.example"},
		{RULE_URI_SAN, "spiffe://c/**"},
		{RULE_IP_SAN, "192.0.2.1"},
		{RULE_IP_SAN, "2001:DB8::/32"},
		{RULE_IP_SAN, "0.0.0.0/0"},
		{RULE_EMAIL_SAN, "Ann.Lee@Example.com"},
		{RULE_CERT_SHA256, HEX64},
		{RULE_SPKI_SHA256,
			"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:"
			"22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct error err = {""};

		if (rule_value_check(good[i].kind, good[i].value, &err) < 0)
			fail_msg("%s", err.text);
	}
}

static void
senseless_values_are_refused(void **state)
{
	static const struct value_case bad[] = {
		{RULE_CN, ""},
		{RULE_CN, "a\nb"},
		{RULE_CN, "a\x7f"},
		{RULE_O, "a\xff"},
		{RULE_O, "\xc2\x80"},
		{RULE_ISSUER_CN, ""},
		{RULE_DNS_SAN, ""},
		{RULE_DNS_SAN, "."},
		{RULE_DNS_SAN, "*"},
		{RULE_DNS_SAN, "*."},
		{RULE_DNS_SAN, "*.*.example.com"},
		{RULE_DNS_SAN, "a*.example.com"},
		{RULE_DNS_SAN, "app.*.com"},
		{RULE_DNS_SAN, "a..b"},
		{RULE_DNS_SAN, ".a"},
		{RULE_DNS_SAN, "a.."},
		{RULE_DNS_SAN, "-a.b"},
		{RULE_DNS_SAN, "a-.b"},
		{RULE_DNS_SAN, "b\xc3\xbc"
			       "cher.example"},
		{RULE_DNS_SAN, "a b"},
		{RULE_DNS_SAN, "192.0.2.1"},
		{RULE_DNS_SAN, "192.0.2.1."},
		{RULE_DNS_SAN, "*.0.2.1"},
		{RULE_DNS_SAN, "2001:db8::1"},
		{RULE_DNS_SAN, "https://a.example"},
		{RULE_URI_SAN, "corp.example/x"},
		{RULE_URI_SAN, "spiffe://*/x"},
		{RULE_IP_SAN, ""},
		{RULE_IP_SAN, "192.0.2.1/24"},
		{RULE_IP_SAN, "192.0.2.0/33"},
		{RULE_IP_SAN, "192.0.2"},
		{RULE_IP_SAN, "app.example.com"},
		{RULE_IP_SAN, "fe80::1%eth0"},
		{RULE_EMAIL_SAN, "example.com"},
		{RULE_EMAIL_SAN, "@example.com"},
		{RULE_EMAIL_SAN, "a@"},
		{RULE_EMAIL_SAN, "*@example.com"},
		{RULE_EMAIL_SAN, "a@*.example.com"},
		{RULE_EMAIL_SAN, "a b@example.com"},
		{RULE_EMAIL_SAN, "a@example.com."},
		{RULE_CERT_SHA256, ""},
		{RULE_CERT_SHA256, "ab"},
		{RULE_CERT_SHA256, HEX64 "0"},
		{RULE_CERT_SHA256, ":" HEX64},
		{RULE_CERT_SHA256, HEX64 ":"},
		{RULE_CERT_SHA256, "0:0" HEX64},
		{RULE_SPKI_SHA256, "g" HEX64},
		{RULE_ISSUER_SPKI_SHA256, "sha256:" HEX64},
		{RULE_N_KINDS, "x"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct error err = {""};

		if (rule_value_check(bad[i].kind, bad[i].value, &err) == 0)
			fail_msg("kind %u: \"%s\" was taken", bad[i].kind,
				bad[i].value);
		assert_true(strlen(err.text) > 0);
	}
}

static void
names_of_the_dns_have_their_longest(void **state)
{
	char name[300];

	(void)state;
	for (size_t i = 0; i < sizeof name; i++)
		name[i] = i % 50 == 49 ? '.' : 'a';
	name[253] = '\0';
	assert_int_equal(rule_value_check(RULE_DNS_SAN, name, NULL), 0);
	name[253] = '.';
	name[254] = '\0';
	assert_int_equal(rule_value_check(RULE_DNS_SAN, name, NULL), 0);
	name[253] = 'a';
	assert_int_equal(rule_value_check(RULE_DNS_SAN, name, NULL), -1);
	memset(name, 'a', 64);
	name[64] = '\0';
	assert_int_equal(rule_value_check(RULE_DNS_SAN, name, NULL), -1);
	assert_int_equal(rule_value_check(RULE_DNS_SAN, name + 1, NULL), 0);
}

/* Twice is once, and the normal form is as good as the user's. */
static void
assert_normal(enum rule_kind kind, const char *value, const char *expected)
{
	char *copy = strdup(value);

	assert_non_null(copy);
	for (int i = 0; i < 2; i++) {
		rule_value_normalise(kind, copy);
		assert_string_equal(copy, expected);
		assert_int_equal(rule_value_check(kind, copy, NULL), 0);
	}
	free(copy);
}

static void
values_get_their_normal_form(void **state)
{
	(void)state;
	assert_normal(RULE_CN, "Billing", "Billing");
	assert_normal(RULE_ISSUER_CN, "Corp CA", "Corp CA");
	assert_normal(RULE_DNS_SAN, "App.Example.COM.", "app.example.com");
	assert_normal(RULE_DNS_SAN, "*.X.Org", "*.x.org");
	assert_normal(RULE_URI_SAN, "SPIFFE://C/Path", "spiffe://c/Path");
	assert_normal(RULE_IP_SAN, "2001:DB8::1", "2001:db8::1");
	assert_normal(RULE_EMAIL_SAN, "Ann@Example.COM", "Ann@example.com");
	assert_normal(RULE_CERT_SHA256,
		"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:01:23:45:67:"
		"89:AB:CD:EF:01:23:45:67:89:AB:CD:EF",
		HEX64);
}

static void
assert_serial(const char *value, const char *expected)
{
	char *copy = strdup(value);

	assert_non_null(copy);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(rule_value_check_serial(copy, NULL), 0);
		rule_value_normalise_serial(copy);
		assert_string_equal(copy, expected);
	}
	free(copy);
}

static void
serials_are_numbers(void **state)
{
	(void)state;
	assert_serial("0A", "a");
	assert_serial("0a:B3", "ab3");
	assert_serial("0x0ab3", "ab3");
	assert_serial("0", "0");
	assert_serial("00:00", "0");
	assert_serial("-00", "0");
	assert_serial("-0A", "-a");
	assert_serial("1000", "1000");
}

static void
what_is_no_serial_is_refused(void **state)
{
	static const char *const bad[] = {"", "-", "0x", ":", "0a:", ":0a",
		"0:a", "0a::0b", "xyz", "0a 0b", "--1", "1-", "0x0x1",
		HEX64 "0"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct error err = {""};

		if (rule_value_check_serial(bad[i], &err) == 0)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_true(strlen(err.text) > 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sensible_values_are_taken),
		cmocka_unit_test(senseless_values_are_refused),
		cmocka_unit_test(names_of_the_dns_have_their_longest),
		cmocka_unit_test(values_get_their_normal_form),
		cmocka_unit_test(serials_are_numbers),
		cmocka_unit_test(what_is_no_serial_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
