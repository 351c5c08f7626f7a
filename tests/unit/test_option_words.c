#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "conf/option_words.h"
#include "conf/options.h"
#include "conf/settings.h"

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA_UPPER                                                              \
	"01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:"                     \
	"01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF"

static const struct option *
row(const char *name)
{
	const struct option *option = option_find(listener_options, name);

	assert_non_null(option);
	return option;
}

/* TEXT of NAME becomes the one value WANTED. */
static void
assert_word(const char *name, const char *text, const char *wanted)
{
	struct text_list list = {0};

	assert_int_equal(option_add_words(row(name), &list, text, NULL), 0);
	assert_int_equal(list.n, 1);
	assert_string_equal(list.items[0], wanted);
	text_list_done(&list);
}

static void
assert_refused(const char *name, const char *text)
{
	struct text_list list = {0};
	struct error err = {{0}};

	assert_int_equal(option_add_words(row(name), &list, text, &err), -1);
	assert_true(strlen(err.text) > 0);
	assert_int_equal(list.n, 0);
	text_list_done(&list);
}

static void
blanks_of_both_kinds_separate_words(void **state)
{
	char text[] = "  a\tb \t c ";
	char *rest = text;

	(void)state;
	assert_string_equal(option_next_word(&rest), "a");
	assert_string_equal(option_next_word(&rest), "b");
	assert_string_equal(option_next_word(&rest), "c");
	assert_null(option_next_word(&rest));
}

static void
words_take_the_form_that_rules_compare(void **state)
{
	(void)state;
	assert_word("allow_dns_san", "App1.Corp.EXAMPLE", "app1.corp.example");
	assert_word("allow_ip_san", "2001:DB8::/32", "2001:db8::/32");
	assert_word("allow_cert_sha256", SHA_UPPER, SHA);
	assert_word("deny_cert_sha256", SHA_UPPER, SHA);
	assert_word("allow_issuer_spki_sha256", SHA, SHA);
	assert_word("deny_serial", "00:0A:ff", "aff");
	assert_word("authorize", "Ops", "Ops");
}

static void
words_without_sense_are_refused(void **state)
{
	(void)state;
	assert_refused("allow_dns_san", "a.*.example");
	assert_refused("allow_ip_san", "10.1.2.3/8");
	assert_refused("allow_ip_san", "host.example");
	assert_refused("allow_email_san", "nobody");
	assert_refused("allow_uri_san", "no-uri");
	assert_refused("allow_cert_sha256", "0123");
	assert_refused("allow_spki_sha256", SHA "0");
	assert_refused("deny_serial", "12g4");
	assert_refused("deny_cert_sha256", "12");
	assert_refused("authorize", SHA SHA);
}

static void
one_bad_word_leaves_the_list_as_it_was(void **state)
{
	struct text_list list = {0};

	(void)state;
	assert_int_equal(
		option_add_words(row("deny_serial"), &list, "1 2", NULL), 0);
	assert_int_equal(
		option_add_words(row("deny_serial"), &list, "3 x", NULL), -1);
	assert_int_equal(list.n, 2);
	text_list_done(&list);
}

static void
a_line_is_one_value_with_its_blanks(void **state)
{
	struct text_list list = {0};

	(void)state;
	assert_int_equal(
		option_add_line(row("allow_cn"), &list, "Bil  Ling", NULL), 0);
	assert_int_equal(
		option_add_line(row("allow_cn"), &list, "a\x01z", NULL), -1);
	assert_int_equal(
		option_add_line(row("allow_cn"), &list, "\xff", NULL), -1);
	assert_int_equal(list.n, 1);
	assert_string_equal(list.items[0], "Bil  Ling");
	text_list_done(&list);
}

static void
ranges_are_added_all_or_none(void **state)
{
	struct cidr_list list = {0};
	struct error err = {{0}};

	(void)state;
	assert_int_equal(option_add_cidrs(&list, "10.0.0.0/8  ::1", NULL), 0);
	assert_int_equal(list.n, 2);
	assert_int_equal(list.items[0].prefix, 8);
	assert_int_equal(list.items[1].prefix, 128);
	assert_int_equal(option_add_cidrs(&list, "::2 10.0.0.1/8", &err), -1);
	assert_true(strlen(err.text) > 0);
	assert_int_equal(list.n, 2);
	assert_int_equal(option_add_cidrs(&list, "host.example", &err), -1);
	assert_int_equal(list.n, 2);
	free(list.items);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blanks_of_both_kinds_separate_words),
		cmocka_unit_test(words_take_the_form_that_rules_compare),
		cmocka_unit_test(words_without_sense_are_refused),
		cmocka_unit_test(one_bad_word_leaves_the_list_as_it_was),
		cmocka_unit_test(a_line_is_one_value_with_its_blanks),
		cmocka_unit_test(ranges_are_added_all_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
