#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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
	for (const struct option *o = listener_options; o->name != NULL; o++)
		assert_refused(listener_options, o->name, " ", "has no value");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_is_understood),
		cmocka_unit_test(zero_is_understood_where_it_means_off),
		cmocka_unit_test(lists_grow_and_scalars_are_replaced),
		cmocka_unit_test(words_for_openssl_are_joined_by_colons),
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
