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

/* LINES below line 4 of a listener, MORE below line 3 of its server name. */
static void
assert_server_name(const char *lines, const char *more, const char *wanted)
{
	char *text = xasprintf("%s%s%s%s", LISTENER, lines, SERVER_NAME, more);

	assert_load(text, wanted);
	free(text);
}

static void
everything_at_once_is_fine(void **state)
{
	(void)state;
	assert_listener("keyfile = k\ncafile = ca\ncapath = cas\n"
			"cadata = -----BEGIN CERTIFICATE-----\n"
			"send_ca_names = no\ngroups = X25519 ?X448\n"
			"alpn_protocols = h2 http/1.1\n"
			"options = no_ticket all single_dh_use\n"
			"verify_flags = -x509_strict crl_check_chain\n"
			"crlfile = crl\ncrl_check = chain\n"
			"session_timeout = 5m\nnum_tickets = 8\n"
			"ticket_secret_file = ts\nsni_mismatch = default\n",
		"");
}

static void
any_ca_is_a_ca_for_verify_mode(void **state)
{
	(void)state;
	assert_listener("verify_mode = required\ncapath = cas\n", "");
	assert_listener("verify_mode = optional\ncadata = x\n", "");
	assert_listener("verify_mode = required\nsend_ca_names = no\n",
		"t.ini:5: [listener gw] verify_mode needs a cafile to verify "
		"with\n");
	assert_listener("verify_mode = required\nload_default_certs = no\n",
		"t.ini:5: [listener gw] verify_mode needs a cafile to verify "
		"with\n");
}

static void
verify_mode_none_beside_what_it_would_ignore_is_refused(void **state)
{
	(void)state;
	assert_listener("verify_mode = none\ncapath = cas\n",
		"t.ini:5: [listener gw] verify_mode \"none\" would ignore "
		"capath; remove one of them\n");
	assert_listener("verify_mode = none\ncadata = x\n",
		"t.ini:5: [listener gw] verify_mode \"none\" would ignore "
		"cadata; remove one of them\n");
	assert_listener("verify_mode = none\nload_default_certs = yes\n",
		"t.ini:5: [listener gw] verify_mode \"none\" would ignore "
		"load_default_certs; remove one of them\n");
	assert_listener("verify_mode = none\ncrlfile = c\n",
		"t.ini:5: [listener gw] verify_mode \"none\" would ignore "
		"crlfile; remove one of them\n");
}

static void
a_server_name_may_do_without_its_listeners_ca(void **state)
{
	(void)state;
	assert_server_name(
		"cafile = ca\ncrlfile = c\n", "verify_mode = none\n", "");
	assert_server_name("cafile = ca\ncrl_check = leaf\ncrlfile = c\n",
		"verify_mode = none\n", "");
	assert_server_name(
		"cafile = ca\ncrlfile = c\n", "crl_check = none\n", "");
	assert_server_name("", "cafile = ca\nverify_mode = none\n",
		"t.ini:9: [server_name x] verify_mode \"none\" would ignore "
		"cafile; remove one of them\n");
	/* The listener says so of itself, and the name has a CA. */
	assert_server_name("verify_mode = none\n", "cafile = ca\n",
		"t.ini:5: [server_name x] verify_mode \"none\" would ignore "
		"cafile; remove one of them\n");
}

static void
what_a_server_name_inherits_is_said_once(void **state)
{
	(void)state;
	assert_server_name("minimum_version = TLSv1\n", "",
		"t.ini:5: warning: [listener gw] minimum_version \"TLSv1\" "
		"lets clients use a protocol that is no longer safe\n");
	assert_server_name("keylog_filename = k\nnum_tickets = 0\n"
			   "ticket_secret_file = t\noptions = "
			   "-no_compression\n",
		"",
		"t.ini:5: warning: [listener gw] keylog_filename \"k\" gets "
		"the secrets of all connections: whoever reads it can decrypt "
		"them\n"
		"t.ini:7: warning: [listener gw] ticket_secret_file is not "
		"used: with num_tickets 0 there are no tickets\n"
		"t.ini:8: warning: [listener gw] options -no_compression "
		"gives away what is compressed (CRIME)\n");
	assert_server_name("", "minimum_version = TLSv1.1\n",
		"t.ini:8: warning: [server_name x] minimum_version "
		"\"TLSv1.1\" lets clients use a protocol that is no longer "
		"safe\n");
}

static void
values_of_two_sections_can_contradict_each_other(void **state)
{
	(void)state;
	assert_server_name("minimum_version = TLSv1.3\n",
		"maximum_version = TLSv1.2\n",
		"t.ini:9: [server_name x] maximum_version \"TLSv1.2\" is "
		"below minimum_version \"TLSv1.3\"\n");
	assert_server_name("keyfile = k\n", "certfile = d\ncertfile = e\n",
		"t.ini:5: [server_name x] 1 keyfile for 2 certfile; there "
		"must be one for each, in the same order, or none\n");
}

static void
revocation_lists_need_a_ca_and_somebody_who_looks(void **state)
{
	(void)state;
	assert_listener("crlfile = c\n",
		"t.ini:5: [listener gw] crlfile is of no use without a CA: "
		"set cafile, capath, cadata or load_default_certs\n");
	assert_listener("cafile = ca\ncrl_check = leaf\n",
		"t.ini:6: [listener gw] crl_check \"leaf\" needs a crlfile, "
		"or a capath with revocation lists\n");
	assert_listener("cafile = ca\nverify_flags = crl_check_chain\n",
		"t.ini:6: [listener gw] verify_flags \"chain\" needs a "
		"crlfile, or a capath with revocation lists\n");
	assert_listener("cafile = ca\ncrlfile = c\ncrl_check = none\n",
		"t.ini:7: [listener gw] crl_check \"none\" would ignore "
		"crlfile; remove one of them\n");
	assert_listener("capath = cas\ncrl_check = leaf\n", "");
	assert_listener("cafile = ca\ncrl_check = none\n", "");
}

static void
proxy_certificates_need_lists_of_the_whole_chain(void **state)
{
	(void)state;
	assert_listener(
		"cafile = ca\ncrlfile = c\nverify_flags = allow_proxy_certs\n",
		"t.ini:7: [listener gw] verify_flags \"allow_proxy_certs\" "
		"with crl_check \"leaf\" lets in who was revoked; set "
		"crl_check = chain\n");
	assert_server_name("cafile = ca\nverify_flags = allow_proxy_certs\n",
		"crlfile = c\n",
		"t.ini:6: [server_name x] verify_flags \"allow_proxy_certs\" "
		"with crl_check \"leaf\" lets in who was revoked; set "
		"crl_check = chain\n");
	assert_listener("cafile = ca\ncrlfile = c\ncrl_check = chain\n"
			"verify_flags = allow_proxy_certs\n",
		"");
	assert_listener("cafile = ca\nverify_flags = allow_proxy_certs\n", "");
}

static void
two_ways_to_ask_for_revocation_lists_must_agree(void **state)
{
	(void)state;
	assert_listener("cafile = ca\ncrlfile = c\ncrl_check = leaf\n"
			"verify_flags = crl_check_chain\n",
		"t.ini:8: [listener gw] verify_flags contradicts crl_check "
		"\"leaf\"; remove crl_check_leaf and crl_check_chain from "
		"it\n");
	assert_listener("cafile = ca\ncrl_check = none\n"
			"verify_flags = crl_check_leaf\n",
		"t.ini:7: [listener gw] verify_flags contradicts crl_check "
		"\"none\"; remove crl_check_leaf and crl_check_chain from "
		"it\n");
	assert_listener("cafile = ca\ncrlfile = c\ncrl_check = chain\n"
			"verify_flags = crl_check_chain\n",
		"");
}

static void
what_weakens_is_warned_of(void **state)
{
	(void)state;
	assert_listener("load_default_certs = yes\n",
		"t.ini:5: warning: [listener gw] load_default_certs lets in "
		"any public CA's client\n");
	assert_listener("options = -no_renegotiation\n",
		"t.ini:5: warning: [listener gw] options -no_renegotiation "
		"lets clients renegotiate, which costs much and changes who "
		"they are\n");
	assert_listener("num_tickets = 0\nticket_secret_file = t\n",
		"t.ini:6: warning: [listener gw] ticket_secret_file is not "
		"used: with num_tickets 0 there are no tickets\n");
	assert_listener("num_tickets = 1\nticket_secret_file = t\n", "");
	assert_listener("keylog_filename = /x/keys\n",
		"t.ini:5: warning: [listener gw] keylog_filename \"/x/keys\" "
		"gets the secrets of all connections: whoever reads it can "
		"decrypt them\n");
}

static void
inline_data_must_not_be_empty(void **state)
{
	(void)state;
	assert_listener(
		"cadata =\n", "t.ini:5: [listener gw] cadata has no value\n");
	assert_listener("cadata =\n  x\n", "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_at_once_is_fine),
		cmocka_unit_test(any_ca_is_a_ca_for_verify_mode),
		cmocka_unit_test(
			verify_mode_none_beside_what_it_would_ignore_is_refused),
		cmocka_unit_test(a_server_name_may_do_without_its_listeners_ca),
		cmocka_unit_test(what_a_server_name_inherits_is_said_once),
		cmocka_unit_test(
			values_of_two_sections_can_contradict_each_other),
		cmocka_unit_test(
			revocation_lists_need_a_ca_and_somebody_who_looks),
		cmocka_unit_test(
			two_ways_to_ask_for_revocation_lists_must_agree),
		cmocka_unit_test(
			proxy_certificates_need_lists_of_the_whole_chain),
		cmocka_unit_test(what_weakens_is_warned_of),
		cmocka_unit_test(inline_data_must_not_be_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
