#include "tls/tls_ticket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "handshake.h"
#include "tls/tls_ctx.h"
#include "tls/tls_ctx_parts.h"
#include "tls/tls_session_cache.h"
#include "tls/tls_sni.h"
#include "tls/tls_ticket_keys.h"
#include "tls_contexts.h"

#define HOUR 3600

#define BASE                                                                   \
	"certfile = gw.pem\nkeyfile = gw.key\ncafile = ca.pem\n"               \
	"ticket_secret_file = secret.bin\n"

/* A CA with a server, a client and a secret for tickets. */
struct stage {
	struct fixture *it;
	struct cert ca;
	struct cert client;
};

static int
setup(void **state)
{
	struct stage *at = calloc(1, sizeof *at);
	void *fixture = NULL;
	struct cert server = cert_make_server("gw", NULL);

	assert_non_null(at);
	assert_int_equal(fixture_setup(&fixture), 0);
	at->it = fixture;
	at->ca = cert_make_ca("Test CA");
	at->client = cert_make_client("billing", &at->ca);
	fixture_write_cert(at->it, "ca", &at->ca);
	fixture_write_cert(at->it, "gw", &server);
	context_write_secret(at->it, "one");
	cert_done(&server);
	*state = at;
	return 0;
}

static int
teardown(void **state)
{
	struct stage *at = *state;
	void *fixture = at->it;

	cert_done(&at->ca);
	cert_done(&at->client);
	free(at);
	return fixture_teardown(&fixture);
}

/* Is a session of FIRST taken by SECOND? The client asks both times for NAME
 * and may be told (OPTIONS) not to know tickets. */
struct return_visit {
	struct tls_ctx *first;
	struct tls_ctx *second;
	const char *name[2];
	int version;
	uint64_t options;
};

static bool
is_resumed(struct stage *at, const struct return_visit *visit)
{
	SSL_CTX *client = client_ctx_new(&at->client, visit->version);
	struct outcome one, two;
	bool resumed;

	(void)SSL_CTX_set_options(client, visit->options);
	one = handshake_in(visit->first, client, NULL, visit->name[0]);
	if (!one.server_done)
		fail_msg("first visit: %s", one.failure.text);
	assert_false(one.resumed);
	two = handshake_in(visit->second, client, one.session, visit->name[1]);
	if (!two.server_done)
		fail_msg("second visit: %s", two.failure.text);
	/* Whoever comes back is still known. */
	assert_string_equal(two.subject, "CN=billing");
	resumed = two.resumed;
	outcome_done(&one);
	outcome_done(&two);
	SSL_CTX_free(client);
	return resumed;
}

static void
assert_resumed(struct stage *at, struct tls_ctx *first, struct tls_ctx *second,
	bool expected)
{
	assert_int_equal(
		is_resumed(at, &(struct return_visit){first, second,
				       {NULL, NULL}, TLS1_2_VERSION, 0}),
		expected);
	assert_int_equal(
		is_resumed(at, &(struct return_visit){first, second,
				       {NULL, NULL}, TLS1_3_VERSION, 0}),
		expected);
}

/* Contexts of the listeners FIRST_NAME and SECOND_NAME that say BASE and the
 * lines given. */
static void
check_lines(struct stage *at, const char *names[2], const char *lines[2],
	bool expected)
{
	struct tls_ctx *ctx[2];
	char all[1024];

	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(all, sizeof all, "%s%s", BASE, lines[i]);
		ctx[i] = context_make(at->it, names[i], all);
	}
	assert_resumed(at, ctx[0], ctx[1], expected);
	tls_ctx_unref(&ctx[0]);
	tls_ctx_unref(&ctx[1]);
}

/* The second context says LINES as well. */
static void
assert_full_with(struct stage *at, const char *lines)
{
	check_lines(at, (const char *[]){"gw", "gw"},
		(const char *[]){"", lines}, false);
}

static void
a_session_is_resumed(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *ctx = context_make(at->it, "gw", BASE);

	assert_resumed(at, ctx, ctx, true);
	tls_ctx_unref(&ctx);
}

/* As in another process: with keys of its own from the same secret. */
static struct tls_ctx *
make_elsewhere(struct stage *at)
{
	struct tls_ctx *ctx = context_make(at->it, "gw", BASE);
	const char *secret;
	size_t len;

	assert_int_equal(file_source_read(at->it->files, "secret.bin",
				 FILE_SECRET, &secret, &len, NULL),
		0);
	tls_ticket_keys_unref(&ctx->ticket_keys);
	ctx->ticket_keys =
		tls_ticket_keys_new((const unsigned char *)secret, len);
	assert_non_null(ctx->ticket_keys);
	return ctx;
}

static void
another_process_with_the_same_secret_resumes(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *here = context_make(at->it, "gw", BASE);
	struct tls_ctx *elsewhere = make_elsewhere(at);

	assert_resumed(at, here, elsewhere, true);
	tls_ctx_unref(&here);
	tls_ctx_unref(&elsewhere);
}

static void
contexts_of_one_secret_share_its_keys(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *one = context_make(at->it, "gw", BASE);
	struct tls_ctx *two = context_make(at->it, "gw2", BASE);
	struct tls_ctx *three;

	context_write_secret(at->it, "two");
	three = context_make(at->it, "gw", BASE);
	assert_ptr_equal(one->ticket_keys, two->ticket_keys);
	assert_ptr_not_equal(one->ticket_keys, three->ticket_keys);
	tls_ctx_unref(&one); /* the other one keeps them */
	assert_resumed(at, two, two, true);
	tls_ctx_unref(&two);
	tls_ctx_unref(&three);
}

static void
without_a_secret_every_context_has_its_own(void **state)
{
	static const char lines[] =
		"certfile = gw.pem\nkeyfile = gw.key\ncafile = ca.pem\n";
	struct stage *at = *state;
	struct tls_ctx *one = context_make(at->it, "gw", lines);
	struct tls_ctx *two = context_make(at->it, "gw", lines);

	assert_resumed(at, one, one, true);
	assert_resumed(at, one, two, false);
	tls_ctx_unref(&one);
	tls_ctx_unref(&two);
}

static void
the_secret_of_the_start_is_shared_by_all_workers(void **state)
{
	static const char secret[32] = "of this start";
	struct stage *at = *state;
	struct tls_ctx *ctx[2];

	for (size_t i = 0; i < 2; i++) {
		file_source_free(&at->it->files);
		at->it->files = file_source_disk(at->it->dir);
		file_source_add_secret(at->it->files, FILE_SOURCE_TICKET_SECRET,
			secret, sizeof secret);
		settings_free(&at->it->settings);
		fixture_configure(at->it,
			"certfile = gw.pem\nkeyfile = gw.key\n"
			"cafile = ca.pem\n");
		ctx[i] = fixture_ctx(at->it);
	}
	assert_resumed(at, ctx[0], ctx[1], true);
	tls_ctx_unref(&ctx[0]);
	tls_ctx_unref(&ctx[1]);
}

static void
another_secret_means_a_full_handshake(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *one = context_make(at->it, "gw", BASE);
	struct tls_ctx *two;

	context_write_secret(at->it, "two");
	two = context_make(at->it, "gw", BASE);
	assert_resumed(at, one, two, false);
	tls_ctx_unref(&one);
	tls_ctx_unref(&two);
}

static void
a_short_secret_is_an_error(void **state)
{
	struct stage *at = *state;

	fixture_write(at->it, "secret.bin", "0123456789abcdef0123456789abcde");
	context_fails(at->it, BASE,
		"context.ini:7: [listener gw] ticket_secret_file "
		"\"secret.bin\": it has 31 bytes; a secret has 32 or more");
	fixture_write(at->it, "secret.bin", "0123456789abcdef0123456789abcdef");
	context_is_fine(at->it, BASE);
}

static void
a_missing_secret_is_an_error(void **state)
{
	struct stage *at = *state;

	context_fails(at->it,
		"certfile = gw.pem\nkeyfile = gw.key\n"
		"ticket_secret_file = none.bin\n",
		"ticket_secret_file \"none.bin\": No such file or directory");
}

/* ---- never into a context that would have refused its owner ---- */

static void
no_session_crosses_to_another_listener(void **state)
{
	check_lines(*state, (const char *[]){"gw", "other"},
		(const char *[]){"", ""}, false);
}

static void
no_session_crosses_to_another_verify_mode(void **state)
{
	assert_full_with(*state, "verify_mode = optional\n");
}

static void
no_session_crosses_from_a_context_that_asks_for_nothing(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *open = context_make(at->it, "gw",
		"certfile = gw.pem\nkeyfile = gw.key\n"
		"ticket_secret_file = secret.bin\n");
	struct tls_ctx *closed = context_make(at->it, "gw", BASE);

	assert_resumed(at, open, closed, false);
	tls_ctx_unref(&open);
	tls_ctx_unref(&closed);
}

static void
no_session_crosses_to_other_cas(void **state)
{
	struct stage *at = *state;
	struct cert second = cert_make_ca("Second CA");

	fixture_write_cert(at->it, "second", &second);
	assert_full_with(at, "cafile = second.pem\n");
	cert_done(&second);
}

static void
no_session_crosses_to_other_contents_of_the_same_file(void **state)
{
	struct stage *at = *state;
	struct cert second = cert_make_ca("Second CA");
	struct tls_ctx *one = context_make(at->it, "gw", BASE);
	struct tls_ctx *two;
	char *first_pem = cert_pem(&at->ca);
	char *second_pem = cert_pem(&second);
	char both[8192];

	(void)snprintf(both, sizeof both, "%s%s", first_pem, second_pem);
	fixture_write(at->it, "ca.pem", both);
	two = context_make(at->it, "gw", BASE);
	assert_resumed(at, one, two, false);
	tls_ctx_unref(&one);
	tls_ctx_unref(&two);
	free(first_pem);
	free(second_pem);
	cert_done(&second);
}

static void
no_session_crosses_to_other_flags(void **state)
{
	assert_full_with(*state, "verify_flags = -x509_partial_chain\n");
}

static void
no_session_crosses_to_another_minimum(void **state)
{
	check_lines(*state, (const char *[]){"gw", "gw"},
		(const char *[]){"minimum_version = TLSv1\n", ""}, false);
}

/* ---- contexts that share an SSL_CTX ---- */

/* One of [listener NAME] that shares what that of [listener gw] has. */
static struct tls_ctx *
share(struct tls_ctx *owner, const char *name)
{
	struct listener_settings listener = {.name = xstrdup(name)};
	struct tls_ctx *ctx = tls_ctx_share(owner, &listener);

	free(listener.name);
	assert_non_null(ctx);
	assert_ptr_equal(tls_ctx_ssl(ctx), tls_ctx_ssl(owner));
	return ctx;
}

static void
who_shares_a_context_keeps_its_sessions_to_itself(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *owner = context_make(at->it, "gw", BASE);
	struct tls_ctx *other = share(owner, "other");
	struct tls_ctx *third = share(owner, "third");

	assert_resumed(at, owner, owner, true);
	assert_resumed(at, other, other, true);
	assert_resumed(at, owner, other, false);
	assert_resumed(at, other, owner, false);
	assert_resumed(at, other, third, false);
	tls_ctx_unref(&owner);
	assert_resumed(at, other, other, true);
	tls_ctx_unref(&other);
	tls_ctx_unref(&third);
}

/* So does whoever was not shared with in another generation or on another
 * machine. */
static void
who_shares_a_context_admits_as_if_it_did_not(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *owner = context_make(at->it, "gw", BASE);
	struct tls_ctx *other = share(owner, "other");
	struct tls_ctx *alone = context_make(at->it, "other", BASE);

	assert_true(tls_ctx_same_entrance(other, alone));
	assert_false(tls_ctx_same_entrance(other, owner));
	assert_resumed(at, other, alone, true);
	assert_resumed(at, alone, other, true);
	tls_ctx_unref(&owner);
	tls_ctx_unref(&other);
	tls_ctx_unref(&alone);
}

/* ---- server names ---- */

/* A listener that hands over to "api", which asks for certificates of another
 * CA set. */
static struct tls_ctx *
make_named(struct stage *at)
{
	struct tls_ctx *root = context_make(at->it, "gw", BASE);
	struct tls_ctx *api =
		context_make(at->it, "api", BASE "verify_mode = optional\n");
	struct tls_sni *names = tls_sni_new();

	assert_true(tls_sni_add(names, "api.example.com", api));
	tls_ctx_set_names(root, names, false);
	tls_ctx_unref(&api);
	return root;
}

static void
check_names(
	struct stage *at, const char *first, const char *second, bool expected)
{
	struct tls_ctx *one = make_named(at);
	struct tls_ctx *two = make_named(at);
	struct return_visit visit = {one, two, {first, second}, 0, 0};

	visit.version = TLS1_2_VERSION;
	assert_int_equal(is_resumed(at, &visit), expected);
	visit.version = TLS1_3_VERSION;
	assert_int_equal(is_resumed(at, &visit), expected);
	tls_ctx_unref(&one);
	tls_ctx_unref(&two);
}

static void
a_session_of_a_server_name_is_resumed_there(void **state)
{
	check_names(*state, "api.example.com", "api.example.com", true);
}

static void
no_session_crosses_from_the_listener_to_a_server_name(void **state)
{
	check_names(*state, NULL, "api.example.com", false);
	check_names(*state, "other.example.com", "api.example.com", false);
}

static void
no_session_crosses_from_a_server_name_to_the_listener(void **state)
{
	check_names(*state, "api.example.com", NULL, false);
}

static void
the_name_is_known_on_a_resumed_session(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *root = make_named(at);
	SSL_CTX *client = client_ctx_new(&at->client, TLS1_2_VERSION);
	struct outcome one = handshake_for(
		tls_ctx_ssl(root), client, NULL, "api.example.com");
	struct outcome two = handshake_for(
		tls_ctx_ssl(root), client, one.session, "api.example.com");

	assert_true(two.resumed);
	assert_string_equal(two.server_name, "api.example.com");
	outcome_done(&one);
	outcome_done(&two);
	SSL_CTX_free(client);
	tls_ctx_unref(&root);
}

/* ---- session ids of TLS 1.2 ---- */

static bool
is_resumed_by_id(
	struct stage *at, struct tls_ctx *first, struct tls_ctx *second)
{
	return is_resumed(
		at, &(struct return_visit){first, second, {NULL, NULL},
			    TLS1_2_VERSION, SSL_OP_NO_TICKET});
}

static void
a_client_without_tickets_is_remembered_by_its_id(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *ctx = context_make(at->it, "gw", BASE);
	struct tls_ctx *elsewhere = context_make(at->it, "gw", BASE);

	assert_true(is_resumed_by_id(at, ctx, ctx));
	assert_int_equal(SSL_CTX_sess_number(tls_ctx_ssl(ctx)), 1);
	assert_false(is_resumed_by_id(at, ctx, elsewhere));
	tls_ctx_unref(&ctx);
	tls_ctx_unref(&elsewhere);
}

static void
clients_with_tickets_cost_no_memory(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *ctx = context_make(at->it, "gw", BASE);

	assert_resumed(at, ctx, ctx, true);
	assert_int_equal(SSL_CTX_sess_number(tls_ctx_ssl(ctx)), 0);
	tls_ctx_unref(&ctx);
}

static void
a_session_id_does_not_cross_to_who_shares_the_context(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *owner = context_make(at->it, "gw", BASE);
	struct tls_ctx *other = share(owner, "other");

	assert_true(is_resumed_by_id(at, other, other));
	assert_false(is_resumed_by_id(at, owner, other));
	assert_false(is_resumed_by_id(at, other, owner));
	tls_ctx_unref(&owner);
	tls_ctx_unref(&other);
}

static void
a_session_id_does_not_cross_to_a_server_name(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *root = make_named(at);
	struct return_visit visit = {root, root, {NULL, "api.example.com"},
		TLS1_2_VERSION, SSL_OP_NO_TICKET};

	assert_false(is_resumed(at, &visit));
	visit.name[0] = "api.example.com";
	assert_true(is_resumed(at, &visit));
	tls_ctx_unref(&root);
}

/* Forgets what has expired by WHEN. */
static void
flush(SSL_CTX *ctx, time_t when)
{
#if OPENSSL_VERSION_NUMBER >= 0x30400000L
	SSL_CTX_flush_sessions_ex(ctx, when);
#else
	SSL_CTX_flush_sessions(ctx, (long)when);
#endif
}

static void
a_session_id_lives_no_longer_than_the_certificate(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *ctx = context_make(at->it, "gw", BASE);

	/* As if a certificate had expired just after the handshake. */
	ctx->entrance.until_s = (int64_t)time(NULL) - 10;
	(void)is_resumed_by_id(at, ctx, ctx);
	flush(tls_ctx_ssl(ctx), time(NULL) + 2);
	assert_int_equal(SSL_CTX_sess_number(tls_ctx_ssl(ctx)), 0);
	tls_ctx_unref(&ctx);
}

/* ---- time ---- */

static void
skew(struct tls_ctx *ctx, int64_t seconds)
{
	tls_ticket_keys_skew(ctx->ticket_keys, seconds);
}

static void
a_ticket_is_taken_in_the_next_hour_and_not_after(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *now = context_make(at->it, "gw", BASE);
	struct tls_ctx *later = make_elsewhere(at);

	skew(later, HOUR);
	assert_resumed(at, now, later, true);
	skew(later, 2 * HOUR);
	assert_resumed(at, now, later, false);
	tls_ctx_unref(&now);
	tls_ctx_unref(&later);
}

static void
a_ticket_of_a_machine_that_is_ahead_is_taken(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *now = context_make(at->it, "gw", BASE);
	struct tls_ctx *ahead = make_elsewhere(at);

	skew(ahead, HOUR);
	assert_resumed(at, ahead, now, true);
	skew(ahead, 2 * HOUR);
	assert_resumed(at, ahead, now, false);
	tls_ctx_unref(&now);
	tls_ctx_unref(&ahead);
}

/* Three visits, an hour between them: the second one has to renew. */
static void
check_renewal(struct stage *at, int version)
{
	struct tls_ctx *ctx = context_make(at->it, "gw", BASE);
	SSL_CTX *client = client_ctx_new(&at->client, version);
	struct outcome one, two, three;

	one = handshake(tls_ctx_ssl(ctx), client, NULL);
	skew(ctx, HOUR);
	two = handshake(tls_ctx_ssl(ctx), client, one.session);
	assert_true(two.resumed);
	assert_non_null(two.session);
	skew(ctx, 2 * HOUR);
	three = handshake(tls_ctx_ssl(ctx), client, two.session);
	assert_true(three.resumed);
	assert_string_equal(three.subject, "CN=billing");
	outcome_done(&one);
	outcome_done(&two);
	outcome_done(&three);
	SSL_CTX_free(client);
	tls_ctx_unref(&ctx);
}

static void
an_aging_ticket_is_renewed(void **state)
{
	check_renewal(*state, TLS1_2_VERSION);
	check_renewal(*state, TLS1_3_VERSION);
}

static long
session_life(struct stage *at, struct tls_ctx *ctx, int version)
{
	SSL_CTX *client = client_ctx_new(&at->client, version);
	struct outcome outcome = handshake(tls_ctx_ssl(ctx), client, NULL);
	long life;

	assert_non_null(outcome.session);
	life = (long)SSL_SESSION_get_ticket_lifetime_hint(outcome.session);
	outcome_done(&outcome);
	SSL_CTX_free(client);
	return life;
}

static void
a_ticket_lives_as_long_as_session_timeout_says(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *ctx =
		context_make(at->it, "gw", BASE "session_timeout = 10m\n");

	assert_int_equal(session_life(at, ctx, TLS1_2_VERSION), 600);
	assert_int_equal(session_life(at, ctx, TLS1_3_VERSION), 600);
	tls_ctx_unref(&ctx);
}

static void
a_server_name_has_its_own_session_timeout(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *root =
		context_make(at->it, "gw", BASE "session_timeout = 10m\n");
	struct tls_ctx *api =
		context_make(at->it, "api", BASE "session_timeout = 5m\n");
	struct tls_sni *names = tls_sni_new();
	SSL_CTX *client = client_ctx_new(&at->client, TLS1_3_VERSION);
	struct outcome outcome;

	assert_true(tls_sni_add(names, "api", api));
	tls_ctx_set_names(root, names, false);
	outcome = handshake_for(tls_ctx_ssl(root), client, NULL, "api");
	assert_int_equal(
		SSL_SESSION_get_ticket_lifetime_hint(outcome.session), 300);
	outcome_done(&outcome);
	SSL_CTX_free(client);
	tls_ctx_unref(&api);
	tls_ctx_unref(&root);
}

static void
a_ticket_does_not_outlive_the_certificate(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *ctx = context_make(at->it, "gw", BASE);

	cert_done(&at->client);
	at->client = cert_make(
		&(struct cert_spec){
			.cn = "billing", .eku = "clientAuth", .until_s = 300},
		&at->ca);
	assert_in_range(session_life(at, ctx, TLS1_2_VERSION), 1, 300);
	assert_in_range(session_life(at, ctx, TLS1_3_VERSION), 1, 300);
	tls_ctx_unref(&ctx);
}

static void
a_ticket_does_not_outlive_the_ca(void **state)
{
	struct stage *at = *state;
	struct cert ca = cert_make(
		&(struct cert_spec){
			.cn = "Short CA", .is_ca = true, .until_s = 200},
		NULL);
	struct tls_ctx *ctx;

	fixture_write_cert(at->it, "ca", &ca);
	cert_done(&at->client);
	at->client = cert_make_client("billing", &ca);
	ctx = context_make(at->it, "gw", BASE);
	assert_in_range(session_life(at, ctx, TLS1_3_VERSION), 1, 200);
	tls_ctx_unref(&ctx);
	cert_done(&ca);
}

/* The renewed ticket knows the end of the first one, though the client showed
 * no certificate any more. */
static void
a_renewed_ticket_does_not_outlive_the_certificate_either(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *ctx = context_make(at->it, "gw", BASE);
	SSL_CTX *client;
	struct outcome one, two;

	cert_done(&at->client);
	at->client = cert_make(
		&(struct cert_spec){
			.cn = "billing", .eku = "clientAuth", .until_s = 300},
		&at->ca);
	client = client_ctx_new(&at->client, TLS1_3_VERSION);
	one = handshake(tls_ctx_ssl(ctx), client, NULL);
	two = handshake(tls_ctx_ssl(ctx), client, one.session);
	assert_true(two.resumed);
	assert_in_range(
		SSL_SESSION_get_ticket_lifetime_hint(two.session), 1, 300);
	outcome_done(&one);
	outcome_done(&two);
	SSL_CTX_free(client);
	tls_ctx_unref(&ctx);
}

static void
a_ticket_whose_time_is_over_is_not_taken(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *first = context_make(at->it, "gw", BASE);
	struct tls_ctx *second = context_make(at->it, "gw", BASE);

	first->entrance.until_s = (int64_t)time(NULL) - 1;
	assert_resumed(at, first, second, false);
	tls_ctx_unref(&first);
	tls_ctx_unref(&second);
}

static void
a_remembered_session_whose_time_is_over_is_not_taken(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *ctx =
		context_make(at->it, "gw", BASE "options = no_ticket\n");

	ctx->entrance.until_s = (int64_t)time(NULL);
	assert_resumed(at, ctx, ctx, false);
	tls_ctx_unref(&ctx);
}

/* ---- no resumption ---- */

static void
without_tickets_nobody_comes_back(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *none =
		context_make(at->it, "gw", BASE "num_tickets = 0\n");
	struct tls_ctx *some = context_make(at->it, "gw", BASE);
	struct cert *cert = &at->client;
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *client = client_ctx_new(cert, versions[i]);
		struct outcome outcome =
			handshake(tls_ctx_ssl(none), client, NULL);

		assert_true(outcome.server_done);
		if (outcome.session != NULL)
			assert_false(SSL_SESSION_has_ticket(outcome.session));
		outcome_done(&outcome);
		SSL_CTX_free(client);
	}
	assert_resumed(at, some, none, false);
	assert_false(is_resumed_by_id(at, none, none));
	assert_int_equal(SSL_CTX_sess_number(tls_ctx_ssl(none)), 0);
	tls_ctx_unref(&none);
	tls_ctx_unref(&some);
}

static void
a_server_name_without_tickets_gives_none(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *root = context_make(at->it, "gw", BASE);
	struct tls_ctx *api =
		context_make(at->it, "api", BASE "num_tickets = 0\n");
	struct tls_sni *names = tls_sni_new();
	struct return_visit visit = {root, root, {"api", "api"}, 0, 0};

	assert_true(tls_sni_add(names, "api", api));
	tls_ctx_set_names(root, names, false);
	visit.version = TLS1_3_VERSION;
	assert_false(is_resumed(at, &visit));
	visit.version = TLS1_2_VERSION;
	assert_false(is_resumed(at, &visit));
	visit.options = SSL_OP_NO_TICKET;
	assert_false(is_resumed(at, &visit));
	assert_int_equal(SSL_CTX_sess_number(tls_ctx_ssl(root)), 0);
	tls_ctx_unref(&api);
	tls_ctx_unref(&root);
}

static void
a_server_name_gives_tickets_under_a_listener_without(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *root =
		context_make(at->it, "gw", BASE "num_tickets = 0\n");
	struct tls_ctx *api = context_make(at->it, "api", BASE);
	struct tls_sni *names = tls_sni_new();
	struct return_visit visit = {root, root, {"api", "api"}, 0, 0};

	assert_true(tls_sni_add(names, "api", api));
	tls_ctx_set_names(root, names, false);
	visit.version = TLS1_3_VERSION;
	assert_true(is_resumed(at, &visit));
	visit.version = TLS1_2_VERSION;
	assert_true(is_resumed(at, &visit));
	tls_ctx_unref(&api);
	tls_ctx_unref(&root);
}

static void
the_option_no_ticket_leaves_session_ids(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *ctx =
		context_make(at->it, "gw", BASE "options = no_ticket\n");
	struct tls_ctx *equal =
		context_make(at->it, "gw", BASE "options = no_ticket\n");

	assert_resumed(at, ctx, ctx, true);
	assert_resumed(at, ctx, equal, false);
	tls_ctx_unref(&ctx);
	tls_ctx_unref(&equal);
}

/* ---- the cache that workers share ---- */

static int cache_fd;

static int
setup_shared(void **state)
{
	struct tls_session_cache *cache;

	cache_fd = tls_session_cache_create_fd(NULL);
	cache = tls_session_cache_map(cache_fd, NULL);
	assert_non_null(cache);
	tls_session_cache_share(cache);
	return setup(state);
}

static int
teardown_shared(void **state)
{
	struct tls_session_cache *cache = tls_session_cache_shared();
	int status = teardown(state);

	tls_session_cache_share(NULL);
	tls_session_cache_unmap(&cache);
	assert_int_equal(close(cache_fd), 0);
	return status;
}

static void
assert_untouched(void)
{
	struct stat st;

	assert_int_equal(fstat(cache_fd, &st), 0);
	assert_int_equal(st.st_blocks, 0);
}

static void
another_worker_knows_a_client_without_tickets(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *one = context_make(at->it, "gw", BASE);
	struct tls_ctx *two = context_make(at->it, "gw", BASE);

	assert_true(is_resumed_by_id(at, one, one));
	assert_true(is_resumed_by_id(at, one, two));
	assert_int_equal(SSL_CTX_sess_number(tls_ctx_ssl(one)), 0);
	assert_int_equal(SSL_CTX_sess_number(tls_ctx_ssl(two)), 0);
	tls_ctx_unref(&one);
	assert_true(is_resumed_by_id(at, two, two));
	tls_ctx_unref(&two);
}

static void
another_worker_knows_whom_no_ticket_was_given(void **state)
{
	check_lines(*state, (const char *[]){"gw", "gw"},
		(const char *[]){
			"options = no_ticket\n", "options = no_ticket\n"},
		true);
}

static void
tickets_go_on_where_the_cache_is_shared(void **state)
{
	struct stage *at = *state;

	check_lines(at, (const char *[]){"gw", "gw"}, (const char *[]){"", ""},
		true);
	check_lines(at, (const char *[]){"gw", "other"},
		(const char *[]){"", ""}, false);
	assert_untouched();
}

/* The second context says LINES as well. */
static void
assert_not_by_id(struct stage *at, const char *name, const char *lines)
{
	struct tls_ctx *one = context_make(at->it, "gw", BASE);
	struct tls_ctx *two;
	char all[1024];

	(void)snprintf(all, sizeof all, "%s%s", BASE, lines);
	two = context_make(at->it, name, all);
	assert_false(is_resumed_by_id(at, one, two));
	tls_ctx_unref(&one);
	tls_ctx_unref(&two);
}

static void
no_shared_session_crosses_to_another_entrance(void **state)
{
	struct stage *at = *state;

	assert_not_by_id(at, "other", "");
	assert_not_by_id(at, "gw", "verify_mode = optional\n");
	assert_not_by_id(at, "gw", "verify_flags = -x509_partial_chain\n");
	assert_not_by_id(at, "gw", "num_tickets = 0\n");
	check_lines(at, (const char *[]){"gw", "other"},
		(const char *[]){
			"options = no_ticket\n", "options = no_ticket\n"},
		false);
}

static void
no_shared_session_crosses_to_another_secret(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *one = context_make(at->it, "gw", BASE);
	struct tls_ctx *two;

	context_write_secret(at->it, "two");
	two = context_make(at->it, "gw", BASE);
	assert_false(is_resumed_by_id(at, one, two));
	tls_ctx_unref(&one);
	tls_ctx_unref(&two);
}

static void
a_shared_session_whose_time_is_over_is_not_taken(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *one = context_make(at->it, "gw", BASE);
	struct tls_ctx *two = context_make(at->it, "gw", BASE);

	one->entrance.until_s = (int64_t)time(NULL);
	assert_false(is_resumed_by_id(at, one, two));
	tls_ctx_unref(&one);
	tls_ctx_unref(&two);
}

static void
num_tickets_0_stores_nothing_in_the_shared_cache(void **state)
{
	struct stage *at = *state;
	struct tls_ctx *none =
		context_make(at->it, "gw", BASE "num_tickets = 0\n");
	struct tls_ctx *some = context_make(at->it, "gw", BASE);

	assert_false(is_resumed_by_id(at, none, none));
	assert_false(is_resumed_by_id(at, none, some));
	tls_ctx_unref(&none);
	tls_ctx_unref(&some);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define SHARED(name)                                                           \
	cmocka_unit_test_setup_teardown(name, setup_shared, teardown_shared)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_session_is_resumed),
		TEST(another_process_with_the_same_secret_resumes),
		TEST(contexts_of_one_secret_share_its_keys),
		TEST(without_a_secret_every_context_has_its_own),
		TEST(the_secret_of_the_start_is_shared_by_all_workers),
		TEST(another_secret_means_a_full_handshake),
		TEST(a_short_secret_is_an_error),
		TEST(a_missing_secret_is_an_error),
		TEST(no_session_crosses_to_another_listener),
		TEST(no_session_crosses_to_another_verify_mode),
		TEST(no_session_crosses_from_a_context_that_asks_for_nothing),
		TEST(no_session_crosses_to_other_cas),
		TEST(no_session_crosses_to_other_contents_of_the_same_file),
		TEST(no_session_crosses_to_other_flags),
		TEST(no_session_crosses_to_another_minimum),
		TEST(who_shares_a_context_keeps_its_sessions_to_itself),
		TEST(who_shares_a_context_admits_as_if_it_did_not),
		TEST(a_session_of_a_server_name_is_resumed_there),
		TEST(no_session_crosses_from_the_listener_to_a_server_name),
		TEST(no_session_crosses_from_a_server_name_to_the_listener),
		TEST(the_name_is_known_on_a_resumed_session),
		TEST(a_client_without_tickets_is_remembered_by_its_id),
		TEST(clients_with_tickets_cost_no_memory),
		TEST(a_session_id_does_not_cross_to_who_shares_the_context),
		TEST(a_session_id_does_not_cross_to_a_server_name),
		TEST(a_session_id_lives_no_longer_than_the_certificate),
		TEST(a_ticket_is_taken_in_the_next_hour_and_not_after),
		TEST(a_ticket_of_a_machine_that_is_ahead_is_taken),
		TEST(an_aging_ticket_is_renewed),
		TEST(a_ticket_lives_as_long_as_session_timeout_says),
		TEST(a_server_name_has_its_own_session_timeout),
		TEST(a_ticket_does_not_outlive_the_certificate),
		TEST(a_ticket_does_not_outlive_the_ca),
		TEST(a_renewed_ticket_does_not_outlive_the_certificate_either),
		TEST(a_ticket_whose_time_is_over_is_not_taken),
		TEST(a_remembered_session_whose_time_is_over_is_not_taken),
		TEST(without_tickets_nobody_comes_back),
		TEST(a_server_name_without_tickets_gives_none),
		TEST(a_server_name_gives_tickets_under_a_listener_without),
		TEST(the_option_no_ticket_leaves_session_ids),
		SHARED(another_worker_knows_a_client_without_tickets),
		SHARED(another_worker_knows_whom_no_ticket_was_given),
		SHARED(tickets_go_on_where_the_cache_is_shared),
		SHARED(no_shared_session_crosses_to_another_entrance),
		SHARED(no_shared_session_crosses_to_another_secret),
		SHARED(a_shared_session_whose_time_is_over_is_not_taken),
		SHARED(num_tickets_0_stores_nothing_in_the_shared_cache),
		SHARED(a_session_id_does_not_cross_to_a_server_name),
		SHARED(a_server_name_without_tickets_gives_none),
		SHARED(a_server_name_gives_tickets_under_a_listener_without),
		SHARED(the_name_is_known_on_a_resumed_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
