#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "conf/option_value.h"
#include "conf/options.h"
#include "conf/settings.h"

static void
set_process(struct process_settings *set, const char *name, const char *text)
{
	const struct option *option = option_find(process_options, name);

	assert_non_null(option);
	assert_int_equal(option_set(option, set, text, NULL), 0);
}

static void
set_listener(struct listener_settings *set, const char *name, const char *text)
{
	const struct option *option = option_find(listener_options, name);

	assert_non_null(option);
	assert_int_equal(option_set(option, set, text, NULL), 0);
}

static void
clear_process(struct process_settings *set)
{
	for (const struct option *o = process_options; o->name != NULL; o++)
		option_clear(o, set);
}

static void
clear_listener(struct listener_settings *set)
{
	for (const struct option *o = listener_options; o->name != NULL; o++)
		option_clear(o, set);
}

static void
assert_refused(const struct option *table, const char *name, const char *text,
	const char *why)
{
	union {
		struct process_settings process;
		struct listener_settings listener;
	} set, before;
	struct error err = {{0}};

	memset(&set, 0, sizeof set);
	memcpy(&before, &set, sizeof set);
	assert_int_equal(
		option_set(option_find(table, name), &set, text, &err), -1);
	assert_string_equal(err.text, why);
	assert_memory_equal(&set, &before, sizeof set);
}

static void
each_type_is_understood(void **state)
{
	struct process_settings process = {0};
	struct listener_settings set = {0};

	(void)state;
	set_process(&process, "workers", "8");
	set_process(&process, "user", "www-data");
	set_process(&process, "drain_timeout", "5m");
	set_process(&process, "log_format", "json");
	set_process(&process, "access_log", "on");
	assert_int_equal(process.workers, 8);
	assert_string_equal(process.user, "www-data");
	assert_int_equal(process.drain_timeout_ms, 300000);
	assert_int_equal(process.log_format, LOG_FORMAT_JSON);
	assert_true(process.access_log);
	clear_process(&process);
	assert_null(process.user);

	set_listener(&set, "backend", "unix:/run/x.sock");
	set_listener(&set, "password_file", "credential:pw");
	set_listener(&set, "cafile", "/etc/my cas/ca.pem");
	assert_int_equal(set.backend.kind, ADDR_UNIX);
	assert_string_equal(set.tls.password_file, "credential:pw");
	assert_string_equal(set.tls.cafile.items[0], "/etc/my cas/ca.pem");
	clear_listener(&set);
	assert_int_equal(set.tls.cafile.n, 0);
	assert_int_equal(set.backend.kind, ADDR_NONE);
}

static void
zero_is_understood_where_it_means_off(void **state)
{
	struct process_settings process = {.workers = 7, .max_connections = 7};
	struct listener_settings set = {.idle_timeout_ms = 7};

	(void)state;
	set_process(&process, "workers", "auto");
	set_process(&process, "max_connections", "0");
	set_listener(&set, "idle_timeout", "0");
	assert_int_equal(process.workers, 0);
	assert_int_equal(process.max_connections, 0);
	assert_int_equal(set.idle_timeout_ms, 0);
}

static void
lists_grow_and_scalars_are_replaced(void **state)
{
	struct listener_settings set = {0};

	(void)state;
	set_listener(&set, "listen", "127.0.0.1:1  [::1]:2");
	set_listener(&set, "listen", "*:3");
	set_listener(&set, "certfile", "a");
	set_listener(&set, "certfile", "b");
	set_listener(&set, "password_file", "a");
	set_listener(&set, "password_file", "b");
	assert_int_equal(set.listen.n, 3);
	assert_int_equal(set.listen.items[0].port, 1);
	assert_int_equal(set.listen.items[1].port, 2);
	assert_int_equal(set.listen.items[2].port, 3);
	assert_int_equal(set.tls.certfile.n, 2);
	assert_string_equal(set.tls.password_file, "b");
	clear_listener(&set);
}

static void
words_for_openssl_are_joined_by_colons(void **state)
{
	struct listener_settings set = {0};

	(void)state;
	set_listener(&set, "ciphersuites",
		"TLS_AES_128_GCM_SHA256 \t TLS_AES_256_GCM_SHA384");
	set_listener(&set, "ciphersuites", "TLS_CHACHA20_POLY1305_SHA256");
	assert_string_equal(set.tls.ciphersuites,
		"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
		"TLS_CHACHA20_POLY1305_SHA256");
	clear_listener(&set);
}

static void
lines_of_pem_are_joined_and_the_first_may_be_empty(void **state)
{
	struct listener_settings set = {0};

	(void)state;
	set_listener(&set, "cadata", "");
	assert_string_equal(set.tls.cadata, "");
	set_listener(&set, "cadata", "-----BEGIN CERTIFICATE-----");
	set_listener(&set, "cadata", "MIIB+/ab==");
	assert_string_equal(
		set.tls.cadata, "-----BEGIN CERTIFICATE-----\nMIIB+/ab==");
	clear_listener(&set);
}

static void
flags_are_added_to_the_default_or_taken_from_it(void **state)
{
	const struct option *option =
		option_find(listener_options, "verify_flags");
	struct listener_settings set = {0};

	(void)state;
	option_start(option, &set);
	set_listener(&set, "verify_flags", "-x509_strict allow_proxy_certs");
	set_listener(&set, "verify_flags", "crl_check_chain");
	assert_int_equal(set.tls.verify_flags,
		TLS_VERIFY_CRL_CHECK_CHAIN | TLS_VERIFY_X509_PARTIAL_CHAIN |
			TLS_VERIFY_X509_TRUSTED_FIRST |
			TLS_VERIFY_ALLOW_PROXY_CERTS);
	option_start(option, &set);
	assert_int_equal(set.tls.verify_flags,
		TLS_VERIFY_X509_STRICT | TLS_VERIFY_X509_PARTIAL_CHAIN |
			TLS_VERIFY_X509_TRUSTED_FIRST);
	option_clear(option, &set);
	assert_int_equal(set.tls.verify_flags, 0);
}

static void
a_set_is_what_is_written_and_nothing_else(void **state)
{
	const struct option *option =
		option_find(listener_options, "proxy_tlvs");
	struct listener_settings set = {0};

	(void)state;
	option_set_default(option, &set);
	assert_int_equal(set.proxy_tlvs, SEND_TLV_SSL | SEND_TLV_CN |
						 SEND_TLV_ALPN |
						 SEND_TLV_AUTHORITY);
	option_start(option, &set);
	set_listener(&set, "proxy_tlvs", "unique_id crc32c");
	set_listener(&set, "proxy_tlvs", "uri_san");
	assert_int_equal(set.proxy_tlvs,
		SEND_TLV_UNIQUE_ID | SEND_TLV_CRC32C | SEND_TLV_URI_SAN);
	assert_refused(listener_options, "proxy_tlvs", "ssl -alpn",
		"\"-alpn\" is not one of: ssl, cn, cipher, sig_alg, key_alg, "
		"group, sig_scheme, cert, alpn, authority, unique_id, crc32c, "
		"uri_san");
	option_clear(option, &set);
	assert_int_equal(set.proxy_tlvs, 0);
}

static void
rules_become_lists_in_the_form_that_is_compared(void **state)
{
	struct listener_settings set = {0};

	(void)state;
	set_listener(&set, "allow_ou", "Bil Ling");
	set_listener(&set, "allow_ou", "Ops");
	set_listener(&set, "allow_dns_san", "A.example *.B.example.");
	set_listener(&set, "deny_serial", "0A:0b");
	set_listener(&set, "trusted_proxies", "10.0.0.0/8 ::1");
	assert_int_equal(set.rules.allow[RULE_OU].n, 2);
	assert_string_equal(set.rules.allow[RULE_OU].items[0], "Bil Ling");
	assert_string_equal(
		set.rules.allow[RULE_DNS_SAN].items[1], "*.b.example");
	assert_string_equal(set.rules.deny_serial.items[0], "a0b");
	assert_int_equal(set.trusted_proxies.n, 2);
	clear_listener(&set);
	assert_int_equal(set.rules.allow[RULE_OU].n, 0);
	assert_int_equal(set.trusted_proxies.n, 0);
	assert_refused(listener_options, "trusted_proxies", "::1 10.1.0.0/8",
		"\"10.1.0.0/8\" has bits set after its prefix");
}

static void
words_and_server_names_become_lists(void **state)
{
	struct listener_settings set = {0};

	(void)state;
	set_listener(&set, "alpn_protocols", "h2 http/1.1");
	set_listener(&set, "alpn_protocols", "acme-tls/1");
	set_listener(&set, "server_name", "A.example *.B.example.");
	assert_int_equal(set.tls.alpn_protocols.n, 3);
	assert_string_equal(set.tls.alpn_protocols.items[1], "http/1.1");
	assert_int_equal(set.server_names.n, 2);
	assert_string_equal(set.server_names.items[0], "a.example");
	assert_string_equal(set.server_names.items[1], "*.b.example");
	clear_listener(&set);
	assert_int_equal(set.server_names.n, 0);
}

static void
every_default_can_be_set_and_cleared(void **state)
{
	struct process_settings process = {0};
	struct listener_settings set = {0};

	(void)state;
	for (const struct option *o = process_options; o->name != NULL; o++)
		option_set_default(o, &process);
	for (const struct option *o = listener_options; o->name != NULL; o++)
		option_set_default(o, &set);
	assert_int_equal(process.workers, 0);
	assert_null(process.user);
	assert_null(process.group);
	assert_int_equal(process.max_connections, 0);
	assert_int_equal(process.drain_timeout_ms, 30000);
	assert_int_equal(process.log_level, LOG_LEVEL_INFO);
	assert_int_equal(process.log_format, LOG_FORMAT_AUTO);
	assert_true(process.access_log);
	assert_false(process.log_probes);
	assert_int_equal(process.sandbox, SANDBOX_AUTO);
	assert_false(set.allow_remote_plaintext);
	assert_int_equal(set.tls.verify_mode, VERIFY_AUTO);
	assert_int_equal(set.tls.minimum_version, TLS_VERSION_1_2);
	assert_int_equal(set.tls.maximum_version, TLS_VERSION_HIGHEST);
	assert_string_equal(set.tls.ciphers, "ECDHE+AESGCM:ECDHE+CHACHA20");
	assert_null(set.tls.ciphersuites);
	assert_null(set.tls.capath);
	assert_null(set.tls.cadata);
	assert_false(set.tls.load_default_certs);
	assert_true(set.tls.send_ca_names);
	assert_null(set.tls.groups);
	assert_int_equal(set.tls.alpn_protocols.n, 0);
	assert_int_equal(
		set.tls.options, TLS_OPTION_CIPHER_SERVER_PREFERENCE |
					 TLS_OPTION_ENABLE_MIDDLEBOX_COMPAT |
					 TLS_OPTION_NO_COMPRESSION |
					 TLS_OPTION_NO_RENEGOTIATION);
	assert_int_equal(set.tls.verify_flags,
		TLS_VERIFY_X509_STRICT | TLS_VERIFY_X509_PARTIAL_CHAIN |
			TLS_VERIFY_X509_TRUSTED_FIRST);
	assert_int_equal(set.tls.crl_check, CRL_CHECK_AUTO);
	assert_int_equal(set.tls.session_timeout_ms, 3600000);
	assert_int_equal(set.tls.num_tickets, 2);
	assert_null(set.tls.ticket_secret_file);
	assert_null(set.tls.keylog_filename);
	assert_int_equal(set.tls.sni_mismatch, SNI_MISMATCH_AUTO);
	assert_int_equal(set.handshake_timeout_ms, 10000);
	assert_int_equal(set.connect_timeout_ms, 5000);
	assert_int_equal(set.idle_timeout_ms, 3600000);
	assert_int_equal(set.half_close_timeout_ms, 60000);
	assert_int_equal(set.tcp_keepalive_ms, 60000);
	clear_process(&process);
	clear_listener(&set);
}

static void
numbers_and_durations_out_of_range_are_refused(void **state)
{
	(void)state;
	assert_refused(process_options, "workers", "0",
		"\"0\" is not a whole number from 1 to 1024, or auto");
	assert_refused(process_options, "workers", "1025",
		"\"1025\" is not a whole number from 1 to 1024, or auto");
	assert_refused(process_options, "workers", "many",
		"\"many\" is not a whole number from 1 to 1024, or auto");
	assert_refused(process_options, "max_connections", "-1",
		"\"-1\" is not a whole number from 1 to 10000000, or 0");
	assert_refused(listener_options, "handshake_timeout", "0",
		"\"0\" is not between 100ms and 5m");
	assert_refused(listener_options, "handshake_timeout", "6m",
		"\"6m\" is not between 100ms and 5m");
	assert_refused(listener_options, "idle_timeout", "99ms",
		"\"99ms\" is not between 100ms and 30d, or 0");
	assert_refused(listener_options, "idle_timeout", "10",
		"\"10\" has no unit; write 10s for seconds (ms, s, m, h, d)");
}

static void
flags_that_cannot_be_had_are_refused_with_the_reason(void **state)
{
	static const char *const versions[] = {"no_sslv2", "no_sslv3",
		"no_tlsv1", "no_tlsv1_1", "no_tlsv1_2", "no_tlsv1_3",
		"-no_tlsv1", NULL};
	char why[128];

	(void)state;
	for (size_t i = 0; versions[i] != NULL; i++) {
		(void)snprintf(why, sizeof why,
			"\"%s\" is said with minimum_version and "
			"maximum_version",
			versions[i]);
		assert_refused(listener_options, "options", versions[i], why);
	}
	assert_refused(listener_options, "options", "no_ticket enable_ktls",
		"\"enable_ktls\" cannot be had: records are batched in user "
		"space");
	assert_refused(listener_options, "options", "ignore_unexpected_eof",
		"\"ignore_unexpected_eof\" is refused: a truncated stream is "
		"never passed on as a whole one");
	assert_refused(listener_options, "options", "legacy_server_connect",
		"\"legacy_server_connect\" is for clients, and this is a "
		"server");
	assert_refused(listener_options, "verify_flags", "-crl_check_leaf",
		"\"-crl_check_leaf\" is said with crl_check");
}

static void
flags_that_do_not_exist_are_refused_with_those_that_do(void **state)
{
	static const char *const all =
		"\"%s\" is not one of: crl_check_leaf, crl_check_chain, "
		"x509_strict, x509_partial_chain, x509_trusted_first, "
		"allow_proxy_certs";
	static const char *const words[] = {"strict", "X509_STRICT", "-", "--",
		"-strict", "--x509_strict", "x509", NULL};
	char why[256];

	(void)state;
	for (size_t i = 0; words[i] != NULL; i++) {
		(void)snprintf(why, sizeof why, "\"%s%s", words[i],
			strstr(all, "\" is"));
		assert_refused(listener_options, "verify_flags", words[i], why);
	}
}

static void
paths_that_look_like_our_own_names_are_refused(void **state)
{
	static const char *const why =
		"\"@x\" starts with \"@\"; write \"./@x\" if that is the "
		"name of a file";

	(void)state;
	assert_refused(listener_options, "certfile", "@x", why);
	assert_refused(listener_options, "keyfile", "@x", why);
	assert_refused(listener_options, "capath", "@x", why);
	assert_refused(listener_options, "ticket_secret_file", "@x", why);
	assert_refused(listener_options, "keylog_filename", "@x", why);
}

static void
a_list_with_one_bad_word_is_refused_whole(void **state)
{
	char word[300];

	(void)state;
	memset(word, 'x', 256);
	word[256] = '\0';
	assert_int_equal(
		option_set(option_find(listener_options, "alpn_protocols"),
			&(struct listener_settings){0}, word, NULL),
		-1);
	assert_refused(listener_options, "server_name", "good.example *.com",
		"\"*.com\" is not a server name: there must be at least two "
		"more parts after \"*\"");
	assert_refused(listener_options, "num_tickets", "9",
		"\"9\" is not a whole number from 0 to 8");
	assert_refused(listener_options, "session_timeout", "0",
		"\"0\" is not between 1s and 7d");
}

static void
words_that_are_no_choice_are_refused_with_the_choices(void **state)
{
	(void)state;
	assert_refused(listener_options, "minimum_version", "TLSv1.5",
		"\"TLSv1.5\" is not one of: TLSv1, TLSv1.1, TLSv1.2, TLSv1.3");
	assert_refused(listener_options, "verify_mode", "auto",
		"\"auto\" is not one of: none, optional, required");
	assert_refused(process_options, "access_log", "maybe",
		"\"maybe\" is not one of: yes, no, true, false, on, off");
}

static void
addresses_that_make_no_sense_are_refused(void **state)
{
	(void)state;
	assert_refused(listener_options, "listen", "127.0.0.1:99999999",
		"\"127.0.0.1:99999999\": \"99999999\" is not a port "
		"(1-65535)");
	assert_refused(listener_options, "listen", "*:1 nonsense",
		"\"nonsense\" has no port (ADDRESS:PORT)");
	assert_refused(listener_options, "listen", ":1",
		"\":1\": no address before the port");
	assert_refused(listener_options, "backend", "systemd:x",
		"\"systemd:x\": inherited sockets can be listened on only");
}

static void
an_empty_value_is_refused_for_every_option(void **state)
{
	(void)state;
	for (const struct option *o = process_options; o->name != NULL; o++)
		assert_refused(process_options, o->name, "", "has no value");
	for (const struct option *o = listener_options; o->name != NULL; o++) {
		/* Whose first line may be empty. */
		if (o->type != OPT_PEM)
			assert_refused(
				listener_options, o->name, " ", "has no value");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_is_understood),
		cmocka_unit_test(zero_is_understood_where_it_means_off),
		cmocka_unit_test(lists_grow_and_scalars_are_replaced),
		cmocka_unit_test(words_for_openssl_are_joined_by_colons),
		cmocka_unit_test(a_list_with_one_bad_word_is_refused_whole),
		cmocka_unit_test(
			paths_that_look_like_our_own_names_are_refused),
		cmocka_unit_test(
			flags_that_do_not_exist_are_refused_with_those_that_do),
		cmocka_unit_test(
			flags_that_cannot_be_had_are_refused_with_the_reason),
		cmocka_unit_test(a_set_is_what_is_written_and_nothing_else),
		cmocka_unit_test(
			rules_become_lists_in_the_form_that_is_compared),
		cmocka_unit_test(words_and_server_names_become_lists),
		cmocka_unit_test(
			flags_are_added_to_the_default_or_taken_from_it),
		cmocka_unit_test(
			lines_of_pem_are_joined_and_the_first_may_be_empty),
		cmocka_unit_test(every_default_can_be_set_and_cleared),
		cmocka_unit_test(
			numbers_and_durations_out_of_range_are_refused),
		cmocka_unit_test(
			words_that_are_no_choice_are_refused_with_the_choices),
		cmocka_unit_test(addresses_that_make_no_sense_are_refused),
		cmocka_unit_test(an_empty_value_is_refused_for_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
