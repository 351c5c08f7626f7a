#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "conf/option_text.h"
#include "conf/option_value.h"
#include "conf/options.h"
#include "conf/settings.h"

static const struct option *
listener_option(const char *name)
{
	const struct option *option = option_find(listener_options, name);

	assert_non_null(option);
	return option;
}

static void
clear(struct listener_settings *set)
{
	for (const struct option *o = listener_options; o->name != NULL; o++)
		option_clear(o, set);
}

/* TEXT is understood, and written again as WANTED. */
static void
assert_text(const char *name, const char *text, const char *wanted)
{
	const struct option *option = listener_option(name);
	struct listener_settings set = {0};
	char *written;

	option_start(option, &set);
	assert_int_equal(option_set(option, &set, text, NULL), 0);
	written = option_text(option, &set);
	assert_non_null(written);
	assert_string_equal(written, wanted);
	free(written);
	clear(&set);
}

static void
each_type_is_written_as_users_write_it(void **state)
{
	(void)state;
	assert_text("send_ca_names", "on", "yes");
	assert_text("send_ca_names", "false", "no");
	assert_text("num_tickets", "0", "0");
	assert_text("num_tickets", "8", "8");
	assert_text("idle_timeout", "60m", "1h");
	assert_text("idle_timeout", "0", "0");
	assert_text("minimum_version", "TLSv1.3", "TLSv1.3");
	assert_text("listen", "127.0.0.1:1   [::1]:2", "127.0.0.1:1 [::1]:2");
	assert_text("backend", "unix:/run/x", "unix:/run/x");
	assert_text("listener", "gw", "gw");
	assert_text("password_file", "credential:pw", "credential:pw");
	assert_text("capath", "/etc/cas", "/etc/cas");
	assert_text("certfile", "/a b.pem", "/a b.pem");
	assert_text(
		"groups", "?X25519MLKEM768 X25519", "?X25519MLKEM768:X25519");
	assert_text("alpn_protocols", "h2  http/1.1", "h2 http/1.1");
	assert_text("proxy_tlvs", "alpn   ssl alpn", "ssl alpn");
	assert_text("proxy_protocol", "v2", "v2");
	assert_text("trusted_proxies", "10.0.0.0/8 192.0.2.1  2001:DB8::/32",
		"10.0.0.0/8 192.0.2.1/32 2001:db8::/32");
	assert_text("allow_cn", "Billing  & Co", "Billing  & Co");
	assert_text("allow_dns_san", "A.example *.b.EXAMPLE",
		"a.example *.b.example");
	assert_text("deny_serial", "00:0A 0xff", "a ff");
	assert_text("authorize", "ops  any", "ops any");
	assert_text("server_name", "B.example. *.A.example",
		"b.example *.a.example");
}

static void
flags_are_those_set_and_those_taken_from_the_default(void **state)
{
	(void)state;
	assert_text("verify_flags", "allow_proxy_certs",
		"x509_strict x509_partial_chain x509_trusted_first "
		"allow_proxy_certs");
	assert_text("verify_flags", "-x509_strict",
		"-x509_strict x509_partial_chain x509_trusted_first");
	assert_text("verify_flags",
		"-x509_strict -x509_partial_chain -x509_trusted_first",
		"-x509_strict -x509_partial_chain -x509_trusted_first");
}

static void
values_that_need_lines_of_their_own_get_them(void **state)
{
	struct listener_settings set = {0};
	char *text;

	(void)state;
	(void)option_set(listener_option("cafile"), &set, "a", NULL);
	(void)option_set(listener_option("cafile"), &set, "b c", NULL);
	(void)option_set(listener_option("allow_cn"), &set, "a b", NULL);
	(void)option_set(listener_option("allow_cn"), &set, "c", NULL);
	text = option_text(listener_option("allow_cn"), &set);
	assert_string_equal(text, "a b\n\tc");
	free(text);
	(void)option_set(listener_option("cadata"), &set, "", NULL);
	(void)option_set(listener_option("cadata"), &set, "one", NULL);
	(void)option_set(listener_option("cadata"), &set, "two=", NULL);
	text = option_text(listener_option("cafile"), &set);
	assert_string_equal(text, "a\n\tb c");
	free(text);
	text = option_text(listener_option("cadata"), &set);
	assert_string_equal(text, "one\n\ttwo=");
	free(text);
	clear(&set);
}

static void
what_has_no_value_has_no_text(void **state)
{
	static const char *const names[] = {"listen", "backend", "certfile",
		"password_file", "capath", "cadata", "groups", "alpn_protocols",
		"server_name", "listener", "maximum_version", "crl_check",
		"sni_mismatch", "allow_cn", "allow_ip_san", "deny_serial",
		"authorize", "trusted_proxies", NULL};
	struct listener_settings set = {0};

	(void)state;
	assert_null(option_text(listener_option("proxy_tlvs"), &set));
	for (size_t i = 0; names[i] != NULL; i++) {
		option_set_default(listener_option(names[i]), &set);
		assert_null(option_text(listener_option(names[i]), &set));
	}
	clear(&set);
}

/* What was written, read and written again is the same. */
static void
assert_round_trip(const struct option *option, void *set)
{
	char *first, *second;

	option_set_default(option, set);
	first = option_text(option, set);
	if (first == NULL)
		return;
	option_start(option, set);
	assert_int_equal(option_set(option, set, first, NULL), 0);
	second = option_text(option, set);
	assert_non_null(second);
	assert_string_equal(second, first);
	option_clear(option, set);
	free(first);
	free(second);
}

static void
every_default_survives_being_written_and_read(void **state)
{
	struct process_settings process = {0};
	struct listener_settings listener = {0};

	(void)state;
	for (const struct option *o = process_options; o->name != NULL; o++)
		assert_round_trip(o, &process);
	for (const struct option *o = listener_options; o->name != NULL; o++)
		assert_round_trip(o, &listener);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_is_written_as_users_write_it),
		cmocka_unit_test(
			flags_are_those_set_and_those_taken_from_the_default),
		cmocka_unit_test(values_that_need_lines_of_their_own_get_them),
		cmocka_unit_test(what_has_no_value_has_no_text),
		cmocka_unit_test(every_default_survives_being_written_and_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
