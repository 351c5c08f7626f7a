#include "tls/tls_stock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <openssl/ssl.h>

#include "crls.h"
#include "tls/tls_ctx.h"
#include "tls_fixture.h"

#define DAY  (24L * 60 * 60)
#define BASE "certfile = gw.pem\nkeyfile = gw.key\ncafile = ca.pem\n"

static void
write_server(struct fixture *it, long until_s)
{
	struct cert server = cert_make(
		&(struct cert_spec){
			.cn = "gw", .until_s = until_s, .eku = "serverAuth"},
		NULL);

	fixture_write_cert(it, "gw", &server);
	cert_done(&server);
}

static void
write_ca(struct fixture *it)
{
	struct cert ca = cert_make_ca("Test CA");
	char *crl = crl_pem(&(struct crl_spec){0}, &ca);

	fixture_write_cert(it, "ca", &ca);
	fixture_write(it, "ca.crl", crl);
	free(crl);
	cert_done(&ca);
}

static int
setup(void **state)
{
	int status = fixture_setup(state);

	write_server(*state, 90 * DAY);
	write_ca(*state);
	return status;
}

static int
teardown(void **state)
{
	tls_stock_skew(0);
	return fixture_teardown(state);
}

/* One generation with one context. */
struct age {
	struct tls_stock *stock;
	struct tls_ctx *ctx;
};

/* Everything is read anew; BEFORE may be NULL. */
static struct age
age_of(struct fixture *it, const struct age *before, const char *lines)
{
	struct age age;

	settings_free(&it->settings);
	file_source_free(&it->files);
	it->files = file_source_disk(it->dir);
	fixture_configure(it, lines);
	age.stock =
		tls_stock_new(it->files, before == NULL ? NULL : before->stock);
	age.ctx = tls_stock_get(age.stock, it->listener, it->report);
	assert_non_null(age.ctx);
	tls_stock_complete(age.stock);
	assert_int_equal(tls_stock_count(age.stock), 1);
	return age;
}

static void
age_done(struct age *age)
{
	tls_ctx_unref(&age->ctx);
	tls_stock_free(&age->stock);
}

/* Does a generation that says SECOND go on with the context of FIRST? */
static bool
goes_on(struct fixture *it, const char *first, const char *second)
{
	struct age one = age_of(it, NULL, first);
	struct age two = age_of(it, &one, second);
	bool same = one.ctx == two.ctx;

	assert_int_equal(tls_stock_reused(one.stock), 0);
	assert_int_equal(tls_stock_reused(two.stock), same);
	age_done(&one);
	/* It lives on without the generation that made it. */
	assert_non_null(SSL_CTX_get0_certificate(tls_ctx_ssl(two.ctx)));
	age_done(&two);
	return same;
}

static void
what_did_not_change_goes_on(void **state)
{
	assert_true(goes_on(*state, BASE, BASE));
	assert_true(goes_on(*state, BASE "crlfile = ca.crl\n",
		BASE "# a remark\n\ncrlfile = ca.crl\n"));
	/* Nothing of TLS. */
	assert_true(goes_on(*state, BASE, BASE "trusted_proxies = ::1\n"));
}

static void
what_changed_is_made_anew(void **state)
{
	struct fixture *it = *state;

	assert_false(goes_on(it, BASE, BASE "verify_mode = optional\n"));
	assert_false(goes_on(it, BASE, BASE "crlfile = ca.crl\n"));
	assert_false(goes_on(it, BASE, BASE "allow_cn = alice\n"));
	assert_false(goes_on(it, BASE "allow_cn = alice\n",
		BASE "allow_cn = alice\ndeny_serial = 0a\n"));
	assert_false(
		goes_on(it, BASE, BASE "[defaults]\nsession_timeout = 1m\n"));
	assert_false(goes_on(it,
		BASE "authorize = ops\n[policy ops]\nallow_cn = alice\n",
		BASE "authorize = ops\n[policy ops]\nallow_cn = bob\n"));
}

static void
files_are_told_by_what_is_in_them(void **state)
{
	struct fixture *it = *state;
	struct age one = age_of(it, NULL, BASE "crlfile = ca.crl\n");
	struct age two, three;

	write_server(it, 80 * DAY);
	two = age_of(it, &one, BASE "crlfile = ca.crl\n");
	assert_ptr_not_equal(two.ctx, one.ctx);
	write_ca(it);
	three = age_of(it, &two, BASE "crlfile = ca.crl\n");
	assert_ptr_not_equal(three.ctx, two.ctx);
	age_done(&one);
	age_done(&two);
	age_done(&three);
}

static void
it_goes_on_through_many_generations(void **state)
{
	struct fixture *it = *state;
	struct age age = age_of(it, NULL, BASE);
	const struct tls_ctx *first = age.ctx;

	for (int i = 0; i < 5; i++) {
		struct age next = age_of(it, &age, BASE);

		assert_ptr_equal(next.ctx, first);
		age_done(&age);
		age = next;
	}
	age_done(&age);
}

static void
what_there_is_to_say_is_said_again(void **state)
{
	struct fixture *it = *state;
	struct age one, two;

	write_server(it, 3 * DAY);
	one = age_of(it, NULL, BASE);
	fixture_assert_reported(it, "expires soon");
	report_free(&it->report);
	it->report = report_new();
	two = age_of(it, &one, BASE);
	assert_ptr_not_equal(two.ctx, one.ctx);
	fixture_assert_reported(it, "expires soon");
	age_done(&one);
	age_done(&two);
}

/* What was said before, of another section in the same line, counts. */
static void
what_is_said_twice_counts(void **state)
{
	struct fixture *it = *state;
	struct age one, two;

	write_server(it, 3 * DAY);
	one = age_of(it, NULL, BASE);
	two = age_of(it, &one, BASE);
	assert_int_equal(report_warnings(it->report), 1);
	assert_int_equal(report_additions(it->report), 2);
	assert_int_equal(tls_stock_reused(two.stock), 0);
	age_done(&one);
	age_done(&two);
}

static void
when_a_date_comes_it_is_made_anew(void **state)
{
	struct fixture *it = *state;
	struct age one = age_of(it, NULL, BASE);
	struct age two, three;

	tls_stock_skew(70 * DAY);
	two = age_of(it, &one, BASE);
	assert_ptr_equal(two.ctx, one.ctx);
	tls_stock_skew(77 * DAY);
	three = age_of(it, &two, BASE);
	assert_ptr_not_equal(three.ctx, two.ctx);
	age_done(&one);
	age_done(&two);
	age_done(&three);
}

static void
when_the_clock_went_back_it_is_made_anew(void **state)
{
	struct fixture *it = *state;
	struct age one = age_of(it, NULL, BASE);
	struct age two;

	tls_stock_skew(-DAY);
	two = age_of(it, &one, BASE);
	assert_ptr_not_equal(two.ctx, one.ctx);
	age_done(&one);
	age_done(&two);
}

static void
a_key_log_is_opened_anew(void **state)
{
	assert_false(goes_on(*state, BASE "keylog_filename = keys.log\n",
		BASE "keylog_filename = keys.log\n"));
}

/* ---- what is shared ---- */

/* With NAMES the listener gets a context that can have some. */
static void
who_hands_over_shares_with_the_generation_before(void **state)
{
	static const char names[] = BASE "[server_name api]\nlistener = gw\n"
					 "server_name = api.example.com\n";
	struct age one = age_of(*state, NULL, names);
	struct age two = age_of(*state, &one, names);
	struct age three = age_of(*state, &two, BASE);

	assert_ptr_not_equal(two.ctx, one.ctx);
	assert_ptr_equal(tls_ctx_ssl(two.ctx), tls_ctx_ssl(one.ctx));
	assert_int_equal(tls_stock_reused(two.stock), 1);
	age_done(&one);
	assert_ptr_equal(tls_ctx_ssl(three.ctx), tls_ctx_ssl(two.ctx));
	assert_true(tls_ctx_same_entrance(two.ctx, three.ctx));
	age_done(&two);
	age_done(&three);
}

/* Of listeners that say LINES, one after the other. */
static size_t
count_shared(struct fixture *it, const char *lines)
{
	struct tls_ctx *one, *two, *three;
	struct tls_stock *stock;
	size_t shared;

	fixture_configure(it, lines);
	stock = tls_stock_new(it->files, NULL);
	one = tls_stock_get(stock, it->listener, it->report);
	it->listener->name[0] = 'x';
	two = tls_stock_get(stock, it->listener, it->report);
	it->listener->name[0] = 'y';
	three = tls_stock_get(stock, it->listener, it->report);
	shared = tls_stock_shared(stock);
	assert_int_equal(tls_stock_count(stock), 3);
	assert_int_equal(tls_stock_reused(stock), 0);
	assert_int_equal(tls_ctx_ssl(one) == tls_ctx_ssl(two), shared == 2);
	assert_int_equal(tls_ctx_ssl(two) == tls_ctx_ssl(three), shared == 2);
	assert_false(tls_ctx_same_entrance(one, two));
	assert_false(tls_ctx_same_entrance(two, three));
	assert_false(tls_ctx_same_entrance(one, three));
	tls_stock_free(&stock);
	tls_ctx_unref(&one);
	tls_ctx_unref(&two);
	assert_non_null(SSL_CTX_get0_certificate(tls_ctx_ssl(three)));
	tls_ctx_unref(&three);
	return shared;
}

static void
who_says_the_same_shares(void **state)
{
	assert_int_equal(count_shared(*state, BASE), 2);
}

static void
nobody_shares_a_key_log(void **state)
{
	assert_int_equal(
		count_shared(*state, BASE "keylog_filename = keys.log\n"), 0);
}

/* Each of them wants to know. */
static void
nobody_shares_what_there_is_to_say(void **state)
{
	struct fixture *it = *state;

	write_server(it, 3 * DAY);
	assert_int_equal(count_shared(it, BASE), 0);
	assert_int_equal(report_additions(it->report), 3);
}

static void
what_is_shared_goes_on_for_all(void **state)
{
	struct fixture *it = *state;
	struct age one = age_of(it, NULL, BASE);
	struct tls_stock *next = tls_stock_new(it->files, one.stock);
	struct tls_ctx *other, *same;

	it->listener->name[0] = 'x';
	other = tls_stock_get(next, it->listener, it->report);
	it->listener->name[0] = 'g';
	same = tls_stock_get(next, it->listener, it->report);
	assert_int_equal(tls_stock_reused(next), 1);
	assert_int_equal(tls_stock_shared(next), 1);
	assert_ptr_equal(same, one.ctx);
	assert_ptr_not_equal(other, one.ctx);
	tls_stock_free(&next);
	age_done(&one);
	assert_ptr_equal(tls_ctx_ssl(other), tls_ctx_ssl(same));
	tls_ctx_unref(&same);
	tls_ctx_unref(&other);
}

static void
an_error_is_no_context(void **state)
{
	struct fixture *it = *state;
	struct age one = age_of(it, NULL, BASE);
	struct tls_stock *stock;

	fixture_write(it, "gw.pem", "nothing");
	settings_free(&it->settings);
	file_source_free(&it->files);
	it->files = file_source_disk(it->dir);
	fixture_configure(it, BASE);
	stock = tls_stock_new(it->files, one.stock);
	assert_null(tls_stock_get(stock, it->listener, it->report));
	fixture_assert_reported(it, "gw.pem");
	tls_stock_free(&stock);
	assert_null(stock);
	tls_stock_free(&stock);
	age_done(&one);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_did_not_change_goes_on),
		TEST(what_changed_is_made_anew),
		TEST(files_are_told_by_what_is_in_them),
		TEST(it_goes_on_through_many_generations),
		TEST(what_there_is_to_say_is_said_again),
		TEST(what_is_said_twice_counts),
		TEST(when_a_date_comes_it_is_made_anew),
		TEST(when_the_clock_went_back_it_is_made_anew),
		TEST(a_key_log_is_opened_anew),
		TEST(who_hands_over_shares_with_the_generation_before),
		TEST(who_says_the_same_shares),
		TEST(nobody_shares_a_key_log),
		TEST(nobody_shares_what_there_is_to_say),
		TEST(what_is_shared_goes_on_for_all),
		TEST(an_error_is_no_context),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
