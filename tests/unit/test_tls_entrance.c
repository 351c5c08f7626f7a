#include "authz/policy.h"
#include "tls/tls_entrance.h"
#include "tls/tls_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crls.h"
#include "tls_contexts.h"

#define BASE "certfile = gw.pem\nkeyfile = gw.key\ncafile = ca.pem\n"

static int
setup(void **state)
{
	struct cert ca = cert_make_ca("Test CA");
	struct cert server = cert_make_server("gw", NULL);
	int status = fixture_setup(state);
	char *crl = crl_pem(&(struct crl_spec){0}, &ca);

	fixture_write_cert(*state, "ca", &ca);
	fixture_write_cert(*state, "gw", &server);
	fixture_write(*state, "ca.crl", crl);
	free(crl);
	cert_done(&ca);
	cert_done(&server);
	return status;
}

static int
digest(struct fixture *it, struct tls_entrance *out)
{
	struct policy_rules *rules = policy_rules_new(&it->listener->rules,
		it->listener->policies, it->listener->n_policies, NULL);
	int result;

	assert_non_null(rules);
	result = tls_entrance_digest(out, it->listener, rules, it->files);
	policy_rules_free(&rules);
	return result;
}

static struct tls_entrance
entrance_of(struct fixture *it, const char *lines)
{
	struct tls_entrance entrance = {.until_s = TLS_TIME_FOREVER};

	settings_free(&it->settings);
	file_source_free(&it->files);
	it->files = file_source_disk(it->dir);
	fixture_configure(it, lines);
	assert_int_equal(digest(it, &entrance), 0);
	return entrance;
}

static void
assert_same(struct fixture *it, const char *one, const char *two)
{
	struct tls_entrance first = entrance_of(it, one);
	struct tls_entrance second = entrance_of(it, two);

	if (memcmp(first.digest, second.digest, TLS_ENTRANCE_SIZE) != 0)
		fail_msg("not the same: %s", two);
}

static void
assert_differs(struct fixture *it, const char *lines)
{
	struct tls_entrance first = entrance_of(it, BASE);
	struct tls_entrance second = entrance_of(it, lines);

	if (memcmp(first.digest, second.digest, TLS_ENTRANCE_SIZE) == 0)
		fail_msg("the same: %s", lines);
}

static void
equal_settings_have_equal_digests(void **state)
{
	assert_same(*state, BASE, BASE);
}

static void
what_does_not_decide_who_comes_in_does_not_count(void **state)
{
	assert_same(*state, BASE, BASE "session_timeout = 5m\n");
	assert_same(*state, BASE, BASE "num_tickets = 1\n");
	assert_same(*state, BASE, BASE "alpn_protocols = h2\n");
	assert_same(*state, BASE, BASE "idle_timeout = 5m\n");
}

static void
whatever_decides_who_comes_in_counts(void **state)
{
	struct fixture *it = *state;

	assert_differs(it, "certfile = gw.pem\nkeyfile = gw.key\n");
	assert_differs(it, BASE "cafile = ca.pem\n");
	assert_differs(it, BASE "verify_mode = optional\n");
	assert_differs(it, BASE "verify_flags = -x509_strict\n");
	assert_differs(it, BASE "verify_flags = -x509_partial_chain\n");
	assert_differs(it, BASE "minimum_version = TLSv1.3\n");
	assert_differs(it, BASE "maximum_version = TLSv1.2\n");
	assert_differs(it, BASE "ciphers = ECDHE+AESGCM\n");
	assert_differs(it, BASE "ciphersuites = TLS_AES_128_GCM_SHA256\n");
	assert_differs(it, BASE "groups = X25519\n");
	assert_differs(it, BASE "crlfile = ca.crl\n");
	assert_differs(it, BASE "crlfile = ca.crl\ncrl_check = chain\n");
	assert_differs(it, BASE "load_default_certs = yes\n");
}

static void
a_ca_in_a_file_is_not_a_ca_inline(void **state)
{
	struct fixture *it = *state;
	struct cert ca = cert_make_ca("Test CA");
	struct tls_settings *tls;
	struct tls_entrance first, second;
	char *pem = cert_pem(&ca);

	fixture_write(it, "ca.pem", pem);
	first = entrance_of(it, BASE);
	tls = &it->listener->tls;
	free(tls->cafile.items[0]);
	tls->cafile.n = 0;
	tls->cadata = pem;
	assert_int_equal(digest(it, &second), 0);
	assert_memory_not_equal(first.digest, second.digest, TLS_ENTRANCE_SIZE);
	cert_done(&ca);
}

static void
the_contents_of_files_count_and_not_their_names(void **state)
{
	struct fixture *it = *state;
	struct cert ca = cert_make_ca("Test CA");
	struct tls_entrance first = entrance_of(it, BASE);
	struct tls_entrance second;

	fixture_write_cert(it, "ca", &ca);
	second = entrance_of(it, BASE);
	assert_memory_not_equal(first.digest, second.digest, TLS_ENTRANCE_SIZE);
	fixture_write_cert(it, "moved", &ca);
	first = entrance_of(it,
		"certfile = gw.pem\nkeyfile = gw.key\ncafile = moved.pem\n");
	assert_memory_equal(first.digest, second.digest, TLS_ENTRANCE_SIZE);
	cert_done(&ca);
}

static void
the_hash_links_of_a_capath_count(void **state)
{
	static const char lines[] =
		"certfile = gw.pem\nkeyfile = gw.key\ncapath = .\n";
	struct fixture *it = *state;
	struct cert ca = cert_make_ca("Test CA");
	char *pem = cert_pem(&ca);
	struct tls_entrance first, second;

	fixture_write(it, "9d66eef0.0", pem);
	first = entrance_of(it, lines);
	fixture_write(it, "readme.txt", "not a link");
	second = entrance_of(it, lines);
	assert_memory_equal(first.digest, second.digest, TLS_ENTRANCE_SIZE);
	fixture_write(it, "9d66eef0.1", pem);
	second = entrance_of(it, lines);
	assert_memory_not_equal(first.digest, second.digest, TLS_ENTRANCE_SIZE);
	free(pem);
	cert_done(&ca);
}

static void
the_names_count(void **state)
{
	struct fixture *it = *state;
	struct tls_entrance first = entrance_of(it, BASE);
	struct tls_entrance second;

	text_list_add(&it->listener->server_names, "api.example.com");
	assert_int_equal(digest(it, &second), 0);
	assert_memory_not_equal(first.digest, second.digest, TLS_ENTRANCE_SIZE);
	it->listener->name[0] = 'x';
	assert_int_equal(digest(it, &first), 0);
	assert_memory_not_equal(first.digest, second.digest, TLS_ENTRANCE_SIZE);
}

static void
terms_may_have_another_name(void **state)
{
	struct fixture *it = *state;
	struct tls_entrance first = entrance_of(it, BASE);
	struct tls_entrance second;

	it->listener->name[0] = 'x';
	assert_int_equal(digest(it, &second), 0);
	assert_memory_equal(first.terms, second.terms, TLS_ENTRANCE_SIZE);
	assert_int_equal(tls_entrance_rename(&first, it->listener), 0);
	assert_memory_equal(first.digest, second.digest, TLS_ENTRANCE_SIZE);
}

static void
a_rule_changes_it(void **state)
{
	struct fixture *it = *state;
	struct tls_entrance first = entrance_of(it, BASE);
	struct tls_entrance second;

	text_list_add(&it->listener->rules.allow[RULE_CN], "billing");
	assert_int_equal(digest(it, &second), 0);
	assert_memory_not_equal(first.digest, second.digest, TLS_ENTRANCE_SIZE);
	text_list_add(&it->listener->rules.deny_serial, "0a");
	assert_int_equal(digest(it, &first), 0);
	assert_memory_not_equal(first.digest, second.digest, TLS_ENTRANCE_SIZE);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_rule_changes_it),
		TEST(equal_settings_have_equal_digests),
		TEST(what_does_not_decide_who_comes_in_does_not_count),
		TEST(whatever_decides_who_comes_in_counts),
		TEST(a_ca_in_a_file_is_not_a_ca_inline),
		TEST(the_contents_of_files_count_and_not_their_names),
		TEST(the_hash_links_of_a_capath_count),
		TEST(the_names_count),
		TEST(terms_may_have_another_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
