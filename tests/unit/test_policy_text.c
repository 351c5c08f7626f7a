#include "authz/policy_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void
every_kind_has_its_key(void **state)
{
	(void)state;
	for (enum rule_kind kind = 0; kind < RULE_N_KINDS; kind++)
		assert_true(text_starts_with(policy_text_key(kind), "allow_"));
	assert_string_equal(policy_text_key(RULE_O), "allow_o");
}

static void
assert_line(size_t size, const char *text, const char *expected)
{
	char *out = malloc(size);
	struct policy_line line;

	assert_non_null(out);
	policy_line_start(&line, out, size);
	policy_line_add(&line, text);
	policy_line_add(&line, "!");
	assert_string_equal(out, expected);
	free(out);
}

static void
control_characters_are_escaped(void **state)
{
	(void)state;
	assert_line(99, "a\nb\x7f\x1b", "a\\0Ab\\7F\\1B!");
	assert_line(99, "\xc2\x85", "\\C2\\85!");
	assert_line(99, "\xe2\x80\xa8", "\\E2\\80\\A8!");
}

static void
utf8_stays_and_other_bytes_are_escaped(void **state)
{
	(void)state;
	assert_line(99, "Zo\xc3\xab", "Zo\xc3\xab!");
	assert_line(99, "a\xff\xc3", "a\\FF\\C3!");
}

static void
what_does_not_fit_is_cut_at_a_character(void **state)
{
	(void)state;
	assert_line(8, "abc", "abc!");
	assert_line(8, "abcd", "abcd...");
	assert_line(8, "abc\xc3\xab", "abc...");
	assert_line(8, "abc\n", "abc...");
	assert_line(4, "a", "...");
}

static void
canonical_lines_cannot_be_forged(void **state)
{
	struct policy_canon one = {0}, two = {0};

	(void)state;
	policy_canon_add(&one, "k", "a\nk 1:b");
	policy_canon_add(&two, "k", "a");
	policy_canon_add(&two, "k", "b");
	assert_string_not_equal(one.text, two.text);
	assert_string_equal(two.text, "k 1:a\nk 1:b\n");
	free(one.text);
	free(two.text);
}

static void
a_list_becomes_one_line_each(void **state)
{
	struct policy_canon canon = {0};
	struct text_list list = {0};

	(void)state;
	policy_canon_add_list(&canon, "k", &list);
	assert_null(canon.text);
	for (int i = 0; i < 1000; i++)
		text_list_add(&list, "value");
	policy_canon_add_list(&canon, "k", &list);
	assert_int_equal(strlen(canon.text), 1000 * strlen("k 5:value\n"));
	text_list_done(&list);
	free(canon.text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_has_its_key),
		cmocka_unit_test(control_characters_are_escaped),
		cmocka_unit_test(utf8_stays_and_other_bytes_are_escaped),
		cmocka_unit_test(what_does_not_fit_is_cut_at_a_character),
		cmocka_unit_test(canonical_lines_cannot_be_forged),
		cmocka_unit_test(a_list_becomes_one_line_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
