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
	"certfile = c\ncafile = ca\n"
#define SERVER_NAME "[server_name x]\nlistener = gw\nserver_name = x.example\n"
#define OPS         "[policy ops]\nallow_ou = Ops\n"
#define SHA         "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* LINES stand below line 5 of a good listener with a CA. */
static void
assert_listener(const char *lines, const char *wanted)
{
	char *text = xasprintf("%s%s", LISTENER, lines);

	assert_load(text, wanted);
	free(text);
}

static void
every_rule_goes_with_a_ca(void **state)
{
	(void)state;
	assert_listener("allow_cn = Billing & Co\n  Ops\nallow_ou = a\n"
			"allow_o = b\nallow_dns_san = a.example *.b.example\n"
			"allow_uri_san = spiffe://corp.example/ns/pay/**\n"
			"allow_ip_san = 192.0.2.0/24 ::1\n"
			"allow_email_san = a@b.example\n"
			"allow_cert_sha256 = " SHA "\n"
			"allow_spki_sha256 = " SHA "\n"
			"deny_serial = 0a 0b\ndeny_cert_sha256 = " SHA "\n"
			"authorize = ops\non_deauthorize = keep\n" OPS
			"allow_issuer_cn = Corp CA\n"
			"allow_issuer_spki_sha256 = " SHA "\n",
		"");
}

static void
no_rule_goes_with_proxy_certificates(void **state)
{
	(void)state;
	assert_listener("verify_flags = allow_proxy_certs\nallow_cn = a\n"
			"deny_serial = 0a\n",
		"t.ini:6: [listener gw] verify_flags \"allow_proxy_certs\" "
		"lets clients make certificates that allow_cn is no match "
		"for; remove one of them\n"
		"t.ini:6: [listener gw] verify_flags \"allow_proxy_certs\" "
		"lets clients make certificates that deny_serial is no match "
		"for; remove one of them\n");
	assert_listener("allow_cn = a\n" SERVER_NAME
			"verify_flags = allow_proxy_certs\n",
		"t.ini:10: [server_name x] verify_flags \"allow_proxy_certs\" "
		"lets clients make certificates that allow_cn is no match "
		"for; remove one of them\n");
	assert_listener("verify_flags = allow_proxy_certs\n" SERVER_NAME
			"authorize = ops\n" OPS,
		"t.ini:6: [server_name x] verify_flags \"allow_proxy_certs\" "
		"lets clients make certificates that authorize is no match "
		"for; remove one of them\n");
	assert_listener(
		"verify_flags = allow_proxy_certs\nauthorize = any\n", "");
}

static void
values_that_no_rule_can_have_are_errors_with_their_line(void **state)
{
	(void)state;
	assert_listener("allow_cert_sha256 = " SHA "\n  12\n",
		"t.ini:7: [listener gw] allow_cert_sha256 \"12\" is not a "
		"SHA-256 fingerprint: it takes 64 hex digits, with or without "
		"colons\n");
	assert_listener("authorize = ops\n[policy ops]\nallow_ou =\n",
		"t.ini:8: [policy ops] allow_ou has no value\n");
}

static void
a_rule_without_a_ca_is_refused(void **state)
{
	static const char good[] = "[listener gw]\nlisten = 127.0.0.1:1\n"
				   "backend = 127.0.0.1:9\ncertfile = c\n";
	static const char *const rules[][2] = {{"allow_cn", "a"},
		{"allow_email_san", "a@b.example"}, {"deny_serial", "1"},
		{"deny_cert_sha256", SHA}, {"authorize", "any"}};

	(void)state;
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		char *text = xasprintf(
			"%s%s = %s\n", good, rules[i][0], rules[i][1]);
		char *wanted = xasprintf(
			"t.ini:5: [listener gw] %s needs a cafile: only what "
			"a CA has signed says who a client is\n",
			rules[i][0]);

		assert_load(text, wanted);
		free(wanted);
		free(text);
	}
	/* No rule by itself. */
	assert_load("[listener gw]\nlisten = 127.0.0.1:1\n"
		    "backend = 127.0.0.1:9\ncertfile = c\n"
		    "on_deauthorize = keep\n",
		"");
	/* Said once. */
	assert_load("[listener gw]\nlisten = 127.0.0.1:1\n"
		    "backend = 127.0.0.1:9\ncertfile = c\nallow_cn = a\n"
		    "verify_mode = required\n",
		"t.ini:6: [listener gw] verify_mode needs a cafile to verify "
		"with\n");
}

static void
verify_mode_none_beside_a_rule_is_refused(void **state)
{
	(void)state;
	assert_load("[listener gw]\nlisten = 127.0.0.1:1\n"
		    "backend = 127.0.0.1:9\ncertfile = c\nallow_cn = a\n"
		    "deny_serial = 1\nverify_mode = none\n",
		"t.ini:7: [listener gw] verify_mode \"none\" would ignore "
		"allow_cn; remove one of them\n"
		"t.ini:7: [listener gw] verify_mode \"none\" would ignore "
		"deny_serial; remove one of them\n");
	assert_load(LISTENER SERVER_NAME "verify_mode = none\n"
					 "authorize = any\n",
		"t.ini:9: [server_name x] verify_mode \"none\" would ignore "
		"authorize; remove one of them\n");
}

static void
a_server_name_may_be_open_though_its_listener_has_rules(void **state)
{
	(void)state;
	assert_load(LISTENER "allow_cn = a\ndeny_serial = 1\n" SERVER_NAME
			     "verify_mode = none\n",
		"");
}

static void
verify_mode_optional_beside_a_rule_is_warned_of(void **state)
{
	(void)state;
	assert_listener("allow_cn = a\nverify_mode = optional\n",
		"t.ini:7: warning: [listener gw] verify_mode \"optional\" "
		"lets in nobody without a certificate: allow_cn never matches "
		"them\n");
	assert_listener("deny_serial = 1\nverify_mode = optional\n", "");
}

static void
an_unknown_policy_comes_with_the_nearest_known_one(void **state)
{
	(void)state;
	assert_listener("authorize = ops opps\n  nobody an\n" OPS,
		"t.ini:6: [listener gw] there is no [policy opps]; did you "
		"mean \"ops\"?\n"
		"t.ini:7: [listener gw] there is no [policy nobody]\n"
		"t.ini:7: [listener gw] there is no [policy an]; did you mean "
		"\"any\"?\n");
	assert_load("[defaults]\nauthorize = nobody\n" LISTENER SERVER_NAME,
		"t.ini:2: [listener gw] there is no [policy nobody]\n");
}

static void
a_policy_that_nobody_names_is_unreachable(void **state)
{
	(void)state;
	assert_listener(OPS, "t.ini:6: warning: [policy ops] unreachable: no "
			     "authorize names this policy\n");
	/* Named where nobody listens. */
	assert_load("[defaults]\nauthorize = ops\n" LISTENER
		    "authorize = any\n" OPS,
		"t.ini:9: warning: [policy ops] unreachable: no authorize "
		"names this policy\n");
	assert_load(LISTENER SERVER_NAME "authorize = ops\n" OPS, "");
}

static void
a_policy_that_asks_for_nothing_is_refused(void **state)
{
	(void)state;
	assert_listener("authorize = ops\n[policy ops]\n",
		"t.ini:7: [policy ops] policy without keys: it would match "
		"every client\n");
	/* Not said to be unreachable as well. */
	assert_listener("[policy ops]\n",
		"t.ini:6: [policy ops] policy without keys: it would match "
		"every client\n");
	assert_listener("authorize = any\n[policy any]\nallow_cn = a\n",
		"t.ini:7: [policy any] \"any\" is no name for a policy: "
		"authorize = any is every client of the CAs\n");
}

static void
what_any_makes_useless_is_warned_of(void **state)
{
	(void)state;
	assert_listener("authorize = any\nallow_cn = a\n",
		"t.ini:7: warning: [listener gw] allow_cn changes nothing: "
		"authorize \"any\" lets in every client of the CAs\n");
	assert_listener("authorize = ops any\n" OPS,
		"t.ini:6: warning: [listener gw] authorize \"any\" lets in "
		"every client of the CAs; the policies beside it change "
		"nothing\n");
	assert_listener("authorize = any\ndeny_serial = 1\n", "");
}

static void
a_denial_that_gets_lost_is_warned_of(void **state)
{
	(void)state;
	assert_load("[defaults]\ndeny_serial = 0A 0b\n" LISTENER
		    "deny_serial = b c\n",
		"t.ini:8: warning: [listener gw] deny_serial replaces what "
		"[defaults] has: \"0A\" in line 2 is not denied here\n");
	assert_load(LISTENER "deny_serial = 1\n" SERVER_NAME
			     "deny_serial = 2\n",
		"t.ini:10: warning: [server_name x] deny_serial replaces what "
		"[listener gw] has: \"1\" in line 6 is not denied here\n");
	assert_load("[defaults]\ndeny_serial = 0A\n" LISTENER
		    "deny_serial = 00a b\ndeny_cert_sha256 = " SHA "\n",
		"");
}

static void
a_server_name_says_alone_who_may_come_in(void **state)
{
	struct loaded l =
		load(LISTENER "allow_cn = a\ndeny_serial = 1\n" SERVER_NAME
			      "authorize = ops\n" OPS);
	const struct listener_settings *gw = &l.settings->listeners[0];
	const struct listener_settings *x = &gw->overlays[0];

	(void)state;
	assert_findings(&l, "");
	assert_int_equal(x->rules.allow[RULE_CN].n, 0);
	assert_int_equal(x->rules.authorize.n, 1);
	assert_int_equal(x->rules.deny_serial.n, 1);
	assert_int_equal(gw->rules.allow[RULE_CN].n, 1);
	assert_int_equal(gw->rules.authorize.n, 0);
	unload(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_goes_with_a_ca),
		cmocka_unit_test(no_rule_goes_with_proxy_certificates),
		cmocka_unit_test(
			values_that_no_rule_can_have_are_errors_with_their_line),
		cmocka_unit_test(a_rule_without_a_ca_is_refused),
		cmocka_unit_test(verify_mode_none_beside_a_rule_is_refused),
		cmocka_unit_test(
			a_server_name_may_be_open_though_its_listener_has_rules),
		cmocka_unit_test(
			verify_mode_optional_beside_a_rule_is_warned_of),
		cmocka_unit_test(
			an_unknown_policy_comes_with_the_nearest_known_one),
		cmocka_unit_test(a_policy_that_nobody_names_is_unreachable),
		cmocka_unit_test(a_policy_that_asks_for_nothing_is_refused),
		cmocka_unit_test(what_any_makes_useless_is_warned_of),
		cmocka_unit_test(a_denial_that_gets_lost_is_warned_of),
		cmocka_unit_test(a_server_name_says_alone_who_may_come_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
