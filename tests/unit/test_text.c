#include "config.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
a_list_keeps_copies_in_order(void **state)
{
	struct text_list list = {0};
	char item[] = "one";

	(void)state;
	text_list_add(&list, item);
	item[0] = 'x';
	text_list_add(&list, "two");
	assert_int_equal(list.n, 2);
	assert_string_equal(list.items[0], "one");
	assert_string_equal(list.items[1], "two");
	text_list_done(&list);
	assert_int_equal(list.n, 0);
	assert_null(list.items);
	text_list_done(&list);
}

static void
a_prefix_is_the_beginning_and_no_more(void **state)
{
	(void)state;
	assert_true(text_starts_with("unix:/x", "unix:"));
	assert_true(text_starts_with("unix", ""));
	assert_false(text_starts_with("uni", "unix"));
	assert_false(text_starts_with("a unix", "unix"));
}

static void
trimming_takes_blanks_from_both_ends_only(void **state)
{
	char both[] = " \t a b \r\n", none[] = "ab", all[] = " \t",
	     empty[] = "";

	(void)state;
	assert_string_equal(text_trim(both), "a b");
	assert_string_equal(text_trim(none), "ab");
	assert_string_equal(text_trim(all), "");
	assert_string_equal(text_trim(empty), "");
}

static const char *const choices[] = {
	"minimum_version", "maximum_version", "listen", "cafile", "tls", NULL};

static void
typing_errors_find_what_was_meant(void **state)
{
	(void)state;
	assert_string_equal(
		text_nearest("minimum_verson", choices), "minimum_version");
	assert_string_equal(text_nearest("lisetn", choices), "listen");
	assert_string_equal(text_nearest("CAFILE", choices), "cafile");
	assert_string_equal(text_nearest("ca_file", choices), "cafile");
	assert_string_equal(text_nearest("tsl", choices), "tls");
	assert_string_equal(
		text_nearest("maxinum_version", choices), "maximum_version");
}

static void
other_words_find_nothing(void **state)
{
	static const char *const none[] = {NULL};
	char word[1000];

	(void)state;
	assert_null(text_nearest("keyfile_of_mine", choices));
	assert_null(text_nearest("", choices));
	assert_null(text_nearest("x", choices));
	assert_null(text_nearest("listen", none));
	memset(word, 'l', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	assert_null(text_nearest(word, choices));
}

static void
a_choice_of_any_length_is_safe(void **state)
{
	char word[1000];
	const char *longs[] = {word, "", "listen", NULL};

	(void)state;
	memset(word, 'l', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	assert_string_equal(text_nearest("listem", longs), "listen");
	assert_null(text_nearest("q", longs));
}

static void
the_first_of_equally_near_ones_wins(void **state)
{
	static const char *const equal[] = {"cat", "car", NULL};

	(void)state;
	assert_string_equal(text_nearest("cab", equal), "cat");
}

static void
assert_code(const char *text, size_t len, uint32_t code)
{
	uint32_t got = 0;

	assert_int_equal(text_utf8(text, &got), len);
	assert_int_equal(got, code);
}

static void
well_formed_utf8_is_decoded(void **state)
{
	(void)state;
	assert_code("A", 1, 'A');
	assert_code("\x7f", 1, 0x7f);
	assert_code("\xc2\x80", 2, 0x80);
	assert_code("\xc3\xbcx", 2, 0xfc);
	assert_code("\xe2\x82\xac", 3, 0x20ac);
	assert_code("\xef\xbf\xbf", 3, 0xffff);
	assert_code("\xf0\x9f\x98\x80", 4, 0x1f600);
	assert_code("\xf4\x8f\xbf\xbf", 4, 0x10ffff);
}

static void
malformed_utf8_is_refused(void **state)
{
	static const char *const bad[] = {"", "\x80", "\xbf", "\xc3", "\xc3(",
		"\xc0\x80", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80",
		"\xed\xbf\xbf", "\xe2\x82", "\xf0\x80\x80\x80",
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80",
		"\xff", "\xfe"};
	uint32_t code;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(text_utf8(bad[i], &code), 0);
}

static void
a_list_has_what_was_added_to_it(void **state)
{
	struct text_list list = {0};

	(void)state;
	assert_false(text_list_has(&list, "one"));
	text_list_add(&list, "one");
	text_list_add(&list, "two");
	assert_true(text_list_has(&list, "one"));
	assert_true(text_list_has(&list, "two"));
	assert_false(text_list_has(&list, "tw"));
	assert_false(text_list_has(&list, "Two"));
	text_list_done(&list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_keeps_copies_in_order),
		cmocka_unit_test(a_list_has_what_was_added_to_it),
		cmocka_unit_test(a_prefix_is_the_beginning_and_no_more),
		cmocka_unit_test(trimming_takes_blanks_from_both_ends_only),
		cmocka_unit_test(typing_errors_find_what_was_meant),
		cmocka_unit_test(other_words_find_nothing),
		cmocka_unit_test(a_choice_of_any_length_is_safe),
		cmocka_unit_test(the_first_of_equally_near_ones_wins),
		cmocka_unit_test(well_formed_utf8_is_decoded),
		cmocka_unit_test(malformed_utf8_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
