#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "conf/options.h"
#include "conf/settings.h"

static void
every_row_is_complete(const struct option *table, unsigned sections)
{
	for (const struct option *o = table; o->name != NULL; o++) {
		assert_non_null(o->help);
		assert_true(strlen(o->help) > 0);
		assert_int_equal(o->help[strlen(o->help) - 1], '.');
		assert_true(o->sections != 0);
		assert_int_equal(o->sections & ~sections, 0);
		assert_true(strlen(o->name) < 50); /* what inih keeps */
		assert_true(
			(o->type == OPT_CHOICE || o->type == OPT_FLAGS ||
				o->type == OPT_SET) == (o->choices != NULL));
		assert_int_equal(o->required & ~o->sections, 0);
		if (o->type == OPT_INT || o->type == OPT_DURATION_MS)
			assert_true(o->min < o->max);
		/* Rows are found by their own name: none is there twice. */
		assert_ptr_equal(option_find(table, o->name), o);
	}
}

static void
every_row_of_both_tables_is_complete(void **state)
{
	(void)state;
	every_row_is_complete(process_options, IN_PROCESS);
	every_row_is_complete(listener_options,
		IN_DEFAULTS | IN_LISTENER | IN_SERVER_NAME | IN_POLICY);
}

static void
a_name_means_one_thing_in_all_sections(void **state)
{
	(void)state;
	for (const struct option *o = process_options; o->name != NULL; o++)
		assert_null(option_find(listener_options, o->name));
}

static void
an_unknown_name_is_not_found(void **state)
{
	(void)state;
	assert_null(option_find(process_options, "worker"));
	assert_null(option_find(process_options, "workers2"));
	assert_null(option_find(process_options, ""));
	assert_null(option_find(process_options, "Workers"));
}

static void
assert_choice(const struct option *table, const char *name, int value,
	const char *word)
{
	const struct option *option = option_find(table, name);

	assert_non_null(option);
	assert_string_equal(option->choices[value], word);
}

static void
choices_stand_in_the_order_of_their_enum(void **state)
{
	(void)state;
	assert_choice(process_options, "log_level", LOG_LEVEL_ERROR, "error");
	assert_choice(process_options, "log_level", LOG_LEVEL_WARN, "warn");
	assert_choice(process_options, "log_level", LOG_LEVEL_NOTICE, "notice");
	assert_choice(process_options, "log_level", LOG_LEVEL_INFO, "info");
	assert_choice(process_options, "log_level", LOG_LEVEL_DEBUG, "debug");
	assert_choice(process_options, "log_format", LOG_FORMAT_AUTO, "auto");
	assert_choice(process_options, "log_format", LOG_FORMAT_TEXT, "text");
	assert_choice(process_options, "log_format", LOG_FORMAT_JSON, "json");
	assert_choice(
		process_options, "log_format", LOG_FORMAT_JOURNAL, "journal");
	assert_choice(process_options, "sandbox", SANDBOX_AUTO, "auto");
	assert_choice(process_options, "sandbox", SANDBOX_OFF, "off");
	assert_choice(listener_options, "verify_mode", VERIFY_NONE, "none");
	assert_choice(
		listener_options, "verify_mode", VERIFY_OPTIONAL, "optional");
	assert_choice(
		listener_options, "verify_mode", VERIFY_REQUIRED, "required");
	assert_choice(listener_options, "crl_check", CRL_CHECK_NONE, "none");
	assert_choice(listener_options, "crl_check", CRL_CHECK_LEAF, "leaf");
	assert_choice(listener_options, "crl_check", CRL_CHECK_CHAIN, "chain");
	assert_choice(listener_options, "sni_mismatch", SNI_MISMATCH_DEFAULT,
		"default");
	assert_choice(listener_options, "sni_mismatch", SNI_MISMATCH_REJECT,
		"reject");
	assert_choice(
		listener_options, "minimum_version", TLS_VERSION_1_0, "TLSv1");
	assert_choice(listener_options, "minimum_version", TLS_VERSION_1_1,
		"TLSv1.1");
	assert_choice(listener_options, "maximum_version", TLS_VERSION_1_2,
		"TLSv1.2");
	assert_choice(listener_options, "maximum_version", TLS_VERSION_1_3,
		"TLSv1.3");
	assert_choice(listener_options, "on_deauthorize", ON_DEAUTHORIZE_CLOSE,
		"close");
	assert_choice(listener_options, "on_deauthorize", ON_DEAUTHORIZE_KEEP,
		"keep");
	assert_choice(listener_options, "proxy_protocol", PROXY_PROTOCOL_NONE,
		"none");
	assert_choice(
		listener_options, "proxy_protocol", PROXY_PROTOCOL_V1, "v1");
	assert_choice(
		listener_options, "proxy_protocol", PROXY_PROTOCOL_V2, "v2");
}

static void
assert_flag(const char *name, uint64_t bit, const char *word)
{
	const struct option *option = option_find(listener_options, name);
	unsigned i = 0;

	assert_non_null(option);
	for (; option->choices[i] != NULL; i++) {
		if ((UINT64_C(1) << i) == bit)
			break;
	}
	assert_non_null(option->choices[i]);
	assert_string_equal(option->choices[i], word);
}

static void
the_nth_flag_is_the_nth_bit(void **state)
{
	(void)state;
	assert_flag("options", TLS_OPTION_ALL, "all");
	assert_flag("options", TLS_OPTION_CIPHER_SERVER_PREFERENCE,
		"cipher_server_preference");
	assert_flag("options", TLS_OPTION_ENABLE_MIDDLEBOX_COMPAT,
		"enable_middlebox_compat");
	assert_flag("options", TLS_OPTION_NO_COMPRESSION, "no_compression");
	assert_flag("options", TLS_OPTION_NO_RENEGOTIATION, "no_renegotiation");
	assert_flag("options", TLS_OPTION_NO_TICKET, "no_ticket");
	assert_flag("options", TLS_OPTION_SINGLE_DH_USE, "single_dh_use");
	assert_flag("options", TLS_OPTION_SINGLE_ECDH_USE, "single_ecdh_use");
	assert_flag(
		"verify_flags", TLS_VERIFY_CRL_CHECK_LEAF, "crl_check_leaf");
	assert_flag(
		"verify_flags", TLS_VERIFY_CRL_CHECK_CHAIN, "crl_check_chain");
	assert_flag("verify_flags", TLS_VERIFY_X509_STRICT, "x509_strict");
	assert_flag("verify_flags", TLS_VERIFY_X509_PARTIAL_CHAIN,
		"x509_partial_chain");
	assert_flag("verify_flags", TLS_VERIFY_X509_TRUSTED_FIRST,
		"x509_trusted_first");
	assert_flag("verify_flags", TLS_VERIFY_ALLOW_PROXY_CERTS,
		"allow_proxy_certs");
	assert_flag("proxy_tlvs", SEND_TLV_SSL, "ssl");
	assert_flag("proxy_tlvs", SEND_TLV_CN, "cn");
	assert_flag("proxy_tlvs", SEND_TLV_CIPHER, "cipher");
	assert_flag("proxy_tlvs", SEND_TLV_SIG_ALG, "sig_alg");
	assert_flag("proxy_tlvs", SEND_TLV_KEY_ALG, "key_alg");
	assert_flag("proxy_tlvs", SEND_TLV_GROUP, "group");
	assert_flag("proxy_tlvs", SEND_TLV_SIG_SCHEME, "sig_scheme");
	assert_flag("proxy_tlvs", SEND_TLV_CERT, "cert");
	assert_flag("proxy_tlvs", SEND_TLV_ALPN, "alpn");
	assert_flag("proxy_tlvs", SEND_TLV_AUTHORITY, "authority");
	assert_flag("proxy_tlvs", SEND_TLV_UNIQUE_ID, "unique_id");
	assert_flag("proxy_tlvs", SEND_TLV_CRC32C, "crc32c");
	assert_flag("proxy_tlvs", SEND_TLV_URI_SAN, "uri_san");
}

/* The lists are an array: a wrong row would fill somebody else's. */
static void
each_rule_has_a_row_of_its_own_field(void **state)
{
	static const char *const names[RULE_N_KINDS] = {
		[RULE_CN] = "allow_cn",
		[RULE_OU] = "allow_ou",
		[RULE_O] = "allow_o",
		[RULE_DNS_SAN] = "allow_dns_san",
		[RULE_URI_SAN] = "allow_uri_san",
		[RULE_IP_SAN] = "allow_ip_san",
		[RULE_EMAIL_SAN] = "allow_email_san",
		[RULE_CERT_SHA256] = "allow_cert_sha256",
		[RULE_SPKI_SHA256] = "allow_spki_sha256",
		[RULE_ISSUER_CN] = "allow_issuer_cn",
		[RULE_ISSUER_SPKI_SHA256] = "allow_issuer_spki_sha256",
	};
	struct listener_settings set;

	(void)state;
	for (size_t i = 0; i < RULE_N_KINDS; i++) {
		const struct option *o =
			option_find(listener_options, names[i]);

		assert_non_null(o);
		assert_int_equal(o->rule, i);
		assert_int_equal(o->effect, EFFECT_ADMITS);
		assert_ptr_equal((char *)&set + o->offset, &set.rules.allow[i]);
		assert_true((o->sections & IN_POLICY) != 0);
	}
}

static void
only_a_policy_may_ask_for_an_issuer(void **state)
{
	(void)state;
	for (const struct option *o = listener_options; o->name != NULL; o++) {
		if ((o->sections & IN_POLICY) != 0)
			assert_int_equal(o->effect, EFFECT_ADMITS);
		if (o->sections == IN_POLICY)
			assert_memory_equal(o->name, "allow_issuer_",
				strlen("allow_issuer_"));
	}
}

static void
only_what_may_stand_in_defaults_is_inherited(void **state)
{
	static const char *const own[] = {
		"listen", "listener", "server_name", NULL};

	(void)state;
	for (size_t i = 0; own[i] != NULL; i++)
		assert_false(option_is_inherited(
			option_find(listener_options, own[i])));
	assert_true(option_is_inherited(
		option_find(listener_options, "sni_mismatch")));
	assert_true(
		option_is_inherited(option_find(listener_options, "certfile")));
}

static void
lists_may_be_repeated_and_scalars_not(void **state)
{
	(void)state;
	assert_true(option_is_list(option_find(listener_options, "listen")));
	assert_true(option_is_list(option_find(listener_options, "certfile")));
	assert_true(option_is_list(option_find(listener_options, "keyfile")));
	assert_true(option_is_list(option_find(listener_options, "ciphers")));
	assert_true(option_is_list(option_find(listener_options, "cadata")));
	assert_true(option_is_list(option_find(listener_options, "options")));
	assert_false(option_is_words(option_find(listener_options, "cadata")));
	assert_true(
		option_is_words(option_find(listener_options, "server_name")));
	assert_true(option_is_words(
		option_find(listener_options, "alpn_protocols")));
	assert_true(
		option_is_words(option_find(listener_options, "verify_flags")));
	assert_true(option_is_list(option_find(listener_options, "allow_cn")));
	assert_false(
		option_is_words(option_find(listener_options, "allow_cn")));
	assert_true(option_is_words(
		option_find(listener_options, "allow_dns_san")));
	assert_true(
		option_is_words(option_find(listener_options, "deny_serial")));
	assert_true(option_is_words(
		option_find(listener_options, "trusted_proxies")));
	assert_true(
		option_is_words(option_find(listener_options, "proxy_tlvs")));
	assert_false(option_is_list(
		option_find(listener_options, "on_deauthorize")));
	assert_false(option_is_list(option_find(listener_options, "backend")));
	assert_false(
		option_is_list(option_find(listener_options, "password_file")));
	assert_true(option_is_words(option_find(listener_options, "listen")));
	assert_false(
		option_is_words(option_find(listener_options, "certfile")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_both_tables_is_complete),
		cmocka_unit_test(a_name_means_one_thing_in_all_sections),
		cmocka_unit_test(an_unknown_name_is_not_found),
		cmocka_unit_test(choices_stand_in_the_order_of_their_enum),
		cmocka_unit_test(the_nth_flag_is_the_nth_bit),
		cmocka_unit_test(each_rule_has_a_row_of_its_own_field),
		cmocka_unit_test(only_a_policy_may_ask_for_an_issuer),
		cmocka_unit_test(only_what_may_stand_in_defaults_is_inherited),
		cmocka_unit_test(lists_may_be_repeated_and_scalars_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
