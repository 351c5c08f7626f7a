#include "tls/tls_blank.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/conf.h>
#include <openssl/err.h>

#include "handshake.h"
#include "tls/tls_ctx.h"

/* All that any OpenSSL 3 may have; those that this one lacks are passed over.
 */
static const char *const all_groups[] = {"X25519", "X448", "P-256", "P-384",
	"P-521", "ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144",
	"ffdhe8192", "secp256k1", "secp224r1", "prime192v1", "secp160r1",
	"sect283k1", "sect571r1", "brainpoolP256r1", "brainpoolP384r1",
	"brainpoolP512r1", "brainpoolP256r1tls13", "X25519MLKEM768",
	"SecP256r1MLKEM768", "SecP384r1MLKEM1024", "MLKEM768"};

#define N_GROUPS (sizeof all_groups / sizeof all_groups[0])

static struct cert server;

static int
setup(void **state)
{
	(void)state;
	tls_init();
	/* Not an EC one, whose curve a client of TLS 1.2 would have to know. */
	server = cert_make(
		&(struct cert_spec){.cn = "gw", .key = CERT_RSA}, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	cert_done(&server);
	return 0;
}

static SSL_CTX *
with_certificate(SSL_CTX *ctx)
{
	assert_non_null(ctx);
	assert_int_equal(SSL_CTX_use_certificate(ctx, server.x509), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, server.key), 1);
	return ctx;
}

static bool
knows(SSL_CTX *ctx, const char *group)
{
	char *name = strdup(group);
	bool known;

	assert_non_null(name);
	known = SSL_CTX_set1_groups_list(ctx, name) == 1;
	ERR_clear_error();
	free(name);
	return known;
}

/* What comes of a client that has GROUP only; false: it has no such group. */
static bool
meet(SSL_CTX *ctx, int version, const char *group, struct outcome *out)
{
	SSL_CTX *client = client_ctx_new(NULL, version);
	bool known = knows(client, group);

	if (known)
		*out = handshake(ctx, client, NULL);
	SSL_CTX_free(client);
	return known;
}

static size_t
compare(SSL_CTX *blank, SSL_CTX *usual, int version)
{
	struct outcome a, b;
	size_t agreed = 0;

	for (size_t i = 0; i < N_GROUPS; i++) {
		if (!meet(usual, version, all_groups[i], &b))
			continue;
		assert_true(meet(blank, version, all_groups[i], &a));
		assert_int_equal(a.server_done, b.server_done);
		assert_string_equal(a.group, b.group);
		assert_string_equal(a.cipher, b.cipher);
		assert_int_equal(a.client_got_alert, b.client_got_alert);
		agreed += a.server_done;
		outcome_done(&a);
		outcome_done(&b);
	}
	return agreed;
}

static void
who_names_no_groups_gets_what_openssl_gives(void **state)
{
	SSL_CTX *blank = with_certificate(tls_blank_new(false));
	SSL_CTX *usual = with_certificate(SSL_CTX_new(TLS_server_method()));

	(void)state;
	assert_true(compare(blank, usual, TLS1_3_VERSION) >= 5);
	assert_true(compare(blank, usual, TLS1_2_VERSION) >= 3);
	SSL_CTX_free(blank);
	SSL_CTX_free(usual);
}

static void
who_names_groups_may_name_any(void **state)
{
	SSL_CTX *blank = tls_blank_new(true);
	SSL_CTX *usual = SSL_CTX_new(TLS_server_method());

	(void)state;
	for (size_t i = 0; i < N_GROUPS; i++)
		assert_int_equal(knows(blank, all_groups[i]),
			knows(usual, all_groups[i]));
	SSL_CTX_free(blank);
	SSL_CTX_free(usual);
}

static void
before_3_2_the_others_are_not_there(void **state)
{
	SSL_CTX *blank = tls_blank_new(false);

	(void)state;
	assert_true(knows(blank, "P-384"));
	assert_int_equal(knows(blank, "secp256k1"),
		OpenSSL_version_num() >= 0x30200000L);
	SSL_CTX_free(blank);
}

static void
what_openssl_was_configured_with_counts(void **state)
{
	static const char text[] = "openssl_conf = all\n"
				   "[all]\n"
				   "ssl_conf = ssl\n"
				   "[ssl]\n"
				   "system_default = everybody\n"
				   "[everybody]\n"
				   "Groups = secp256k1:P-521\n";
	BIO *bio = BIO_new_mem_buf(text, -1);
	CONF *conf = NCONF_new(NULL);
	SSL_CTX *blank;
	struct outcome outcome;

	(void)state;
	assert_int_equal(NCONF_load_bio(conf, bio, NULL), 1);
	assert_int_equal(CONF_modules_load(conf, NULL, 0), 1);
	blank = with_certificate(tls_blank_new(false));
	assert_int_equal(ERR_peek_error(), 0);
	assert_true(meet(blank, TLS1_2_VERSION, "secp256k1", &outcome));
	assert_true(outcome.server_done);
	assert_string_equal(outcome.group, "secp256k1");
	outcome_done(&outcome);
	assert_true(meet(blank, TLS1_2_VERSION, "P-256", &outcome));
	assert_string_equal(outcome.group, ""); /* a key exchange without */
	outcome_done(&outcome);
	SSL_CTX_free(blank);
	NCONF_free(conf);
	BIO_free(bio);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_names_no_groups_gets_what_openssl_gives),
		cmocka_unit_test(who_names_groups_may_name_any),
		cmocka_unit_test(before_3_2_the_others_are_not_there),
		/* The last one: it is for the whole process. */
		cmocka_unit_test(what_openssl_was_configured_with_counts),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
