#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf_fixture.h"

#define LISTENER                                                               \
	"[listener gw]\nlisten = 127.0.0.1:1\nbackend = 127.0.0.1:9\n"         \
	"certfile = c\n"
#define SERVER_NAME "[server_name x]\nlistener = gw\nserver_name = x.example\n"

/* LINES below line 4 of a listener give MODE. */
static void
assert_mode(const char *lines, enum verify_mode mode)
{
	char *text = xasprintf("%s%s", LISTENER, lines);
	struct loaded l = load(text);

	assert_int_equal(l.settings->listeners[0].tls.verify_mode, mode);
	unload(&l);
	free(text);
}

static void
any_rule_makes_a_certificate_required(void **state)
{
	(void)state;
	assert_mode("", VERIFY_NONE);
	assert_mode("on_deauthorize = close\n", VERIFY_NONE);
	assert_mode("allow_cn = a\n", VERIFY_REQUIRED);
	assert_mode("allow_ip_san = ::1\n", VERIFY_REQUIRED);
	assert_mode("deny_serial = 1\n", VERIFY_REQUIRED);
	assert_mode("authorize = any\n", VERIFY_REQUIRED);
	assert_mode("cafile = ca\nallow_cn = a\nverify_mode = optional\n",
		VERIFY_OPTIONAL);
}

static void
a_rule_that_is_not_understood_is_none(void **state)
{
	(void)state;
	assert_mode("deny_serial = xyz\n", VERIFY_NONE);
}

static void
denials_admit_nobody(void **state)
{
	struct rule_settings rules = {0};

	(void)state;
	assert_false(settings_has_rules(&rules));
	text_list_add(&rules.deny_cert_sha256, "aa");
	assert_true(settings_has_rules(&rules));
	assert_false(settings_has_admission(&rules));
	text_list_add(&rules.authorize, "any");
	assert_true(settings_has_admission(&rules));
	text_list_done(&rules.authorize);
	text_list_done(&rules.deny_cert_sha256);
}

/* Else nobody could meet them. */
static void
an_open_server_name_has_no_rules_of_its_listener(void **state)
{
	struct loaded l = load(LISTENER "cafile = ca\nallow_cn = a\n"
					"deny_serial = 1\n" SERVER_NAME
					"verify_mode = none\n");
	const struct listener_settings *gw = &l.settings->listeners[0];

	(void)state;
	assert_findings(&l, "");
	assert_true(settings_has_rules(&gw->rules));
	assert_false(settings_has_rules(&gw->overlays[0].rules));
	assert_int_equal(gw->overlays[0].tls.verify_mode, VERIFY_NONE);
	unload(&l);
}

static void
only_version_2_has_any_tlvs(void **state)
{
	static const char *const lines[] = {
		"", "proxy_protocol = none\n", "proxy_protocol = v1\n"};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		char *text = xasprintf("%s%s", LISTENER, lines[i]);
		struct loaded l = load(text);

		assert_int_equal(l.settings->listeners[0].proxy_tlvs, 0);
		unload(&l);
		free(text);
	}
}

static void
assert_tlvs(const char *lines, uint64_t wanted)
{
	char *text = xasprintf("%sproxy_protocol = v2\n%s", LISTENER, lines);
	struct loaded l = load(text);

	assert_findings(&l, "");
	assert_int_equal(l.settings->listeners[0].proxy_tlvs, wanted);
	unload(&l);
	free(text);
}

static void
what_goes_inside_the_ssl_tlv_brings_it_along(void **state)
{
	(void)state;
	assert_tlvs("", SEND_TLV_SSL | SEND_TLV_CN | SEND_TLV_ALPN |
				SEND_TLV_AUTHORITY);
	assert_tlvs("proxy_tlvs = cn\n", SEND_TLV_SSL | SEND_TLV_CN);
	assert_tlvs("proxy_tlvs = cert alpn\n",
		SEND_TLV_SSL | SEND_TLV_CERT | SEND_TLV_ALPN);
	assert_tlvs("proxy_tlvs = alpn authority unique_id crc32c uri_san\n",
		SEND_TLV_ALPN | SEND_TLV_AUTHORITY | SEND_TLV_UNIQUE_ID |
			SEND_TLV_CRC32C | SEND_TLV_URI_SAN);
}

static void
proxies_of_defaults_are_trusted_by_who_asks_only(void **state)
{
	struct loaded l = load("[defaults]\ntrusted_proxies = ::1\n"
			       "certfile = c\nbackend = 127.0.0.1:9\n"
			       "[listener a]\nlisten = 127.0.0.1:1\n"
			       "[listener b]\nlisten = 127.0.0.1:2\n"
			       "accept_proxy_protocol = yes\n");

	(void)state;
	assert_findings(&l, "");
	assert_int_equal(l.settings->listeners[0].trusted_proxies.n, 0);
	assert_int_equal(l.settings->listeners[1].trusted_proxies.n, 1);
	unload(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_rule_makes_a_certificate_required),
		cmocka_unit_test(a_rule_that_is_not_understood_is_none),
		cmocka_unit_test(denials_admit_nobody),
		cmocka_unit_test(
			an_open_server_name_has_no_rules_of_its_listener),
		cmocka_unit_test(only_version_2_has_any_tlvs),
		cmocka_unit_test(what_goes_inside_the_ssl_tlv_brings_it_along),
		cmocka_unit_test(
			proxies_of_defaults_are_trusted_by_who_asks_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
