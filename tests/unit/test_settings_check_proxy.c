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

/* LINES stand below line 4 of a good listener. */
static void
assert_listener(const char *lines, const char *wanted)
{
	char *text = xasprintf("%s%s", LISTENER, lines);

	assert_load(text, wanted);
	free(text);
}

static void
each_version_goes_with_what_it_can_say(void **state)
{
	(void)state;
	assert_listener("proxy_protocol = none\n", "");
	assert_listener("proxy_protocol = v1\n", "");
	assert_listener("proxy_protocol = v2\n", "");
	assert_listener("proxy_protocol = v2\nproxy_tlvs = ssl cert\n", "");
	assert_listener("accept_proxy_protocol = no\n", "");
	assert_listener("accept_proxy_protocol = yes\n"
			"trusted_proxies = 10.0.0.0/8 ::1\n",
		"");
}

static void
only_version_2_has_more_to_tell(void **state)
{
	(void)state;
	assert_listener("proxy_tlvs = ssl\n",
		"t.ini:5: [listener gw] proxy_tlvs is of no use without "
		"proxy_protocol = v2\n");
	assert_listener("proxy_protocol = v1\nproxy_tlvs = ssl\n",
		"t.ini:6: [listener gw] proxy_tlvs is of no use without "
		"proxy_protocol = v2\n");
	assert_listener("proxy_protocol = none\nproxy_tlvs = ssl\n",
		"t.ini:6: [listener gw] proxy_tlvs is of no use without "
		"proxy_protocol = v2\n");
}

static void
a_server_name_may_do_without_what_its_listener_tells(void **state)
{
	(void)state;
	assert_load(LISTENER
		"proxy_protocol = v2\nproxy_tlvs = cert\n" SERVER_NAME
		"proxy_protocol = none\n",
		"");
	assert_load(LISTENER SERVER_NAME "proxy_tlvs = cert\n",
		"t.ini:8: [server_name x] proxy_tlvs is of no use without "
		"proxy_protocol = v2\n");
	assert_load(LISTENER "proxy_protocol = v2\n" SERVER_NAME
			     "proxy_tlvs = cert\n",
		"");
}

static void
what_stands_in_defaults_may_be_for_others(void **state)
{
	(void)state;
	assert_load(
		"[defaults]\nproxy_tlvs = cert\ntrusted_proxies = ::1\n" LISTENER,
		"");
	assert_load(
		"[defaults]\nproxy_tlvs = cert\nproxy_protocol = v1\n" LISTENER
			SERVER_NAME,
		"t.ini:2: [listener gw] proxy_tlvs is of no use without "
		"proxy_protocol = v2\n");
	assert_load("[defaults]\ntrusted_proxies = ::1\n" LISTENER
		    "accept_proxy_protocol = yes\n",
		"");
}

static void
nobody_is_trusted_unless_named(void **state)
{
	(void)state;
	assert_listener("accept_proxy_protocol = yes\n",
		"t.ini:5: [listener gw] accept_proxy_protocol needs "
		"trusted_proxies: anybody else could claim any address\n");
	assert_listener("trusted_proxies = 10.0.0.0/8\n",
		"t.ini:5: [listener gw] trusted_proxies is of no use without "
		"accept_proxy_protocol = yes\n");
	assert_listener("accept_proxy_protocol = yes\ntrusted_proxies =\n",
		"t.ini:6: [listener gw] trusted_proxies has no value\n");
}

static void
a_range_that_is_none_is_an_error_of_its_own_only(void **state)
{
	struct loaded l = load(LISTENER "accept_proxy_protocol = yes\n"
					"trusted_proxies = 10.1.2.3/8\n"
					"  gateway.example ::1\n");

	(void)state;
	assert_int_equal(report_errors(l.report), 2);
	assert_int_equal(l.settings->listeners[0].trusted_proxies.n, 1);
	unload(&l);
}

static void
trusting_everybody_is_warned_of(void **state)
{
	(void)state;
	assert_listener("accept_proxy_protocol = yes\n"
			"trusted_proxies = 10.0.0.0/8 0.0.0.0/0\n  ::/0\n",
		"t.ini:6: warning: [listener gw] trusted_proxies "
		"\"0.0.0.0/0\" lets anybody claim any address\n"
		"t.ini:7: warning: [listener gw] trusted_proxies \"::/0\" "
		"lets anybody claim any address\n");
}

static void
a_server_name_has_no_proxies_of_its_own(void **state)
{
	(void)state;
	assert_load(LISTENER SERVER_NAME "trusted_proxies = ::1\n",
		"t.ini:8: [server_name x] key \"trusted_proxies\" belongs in "
		"[listener NAME]\n");
	assert_load(LISTENER SERVER_NAME "accept_proxy_protocol = yes\n",
		"t.ini:8: [server_name x] key \"accept_proxy_protocol\" "
		"belongs in [listener NAME]\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_version_goes_with_what_it_can_say),
		cmocka_unit_test(only_version_2_has_more_to_tell),
		cmocka_unit_test(
			a_server_name_may_do_without_what_its_listener_tells),
		cmocka_unit_test(what_stands_in_defaults_may_be_for_others),
		cmocka_unit_test(nobody_is_trusted_unless_named),
		cmocka_unit_test(
			a_range_that_is_none_is_an_error_of_its_own_only),
		cmocka_unit_test(trusting_everybody_is_warned_of),
		cmocka_unit_test(a_server_name_has_no_proxies_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
