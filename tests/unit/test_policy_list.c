#include "authz/policy_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void
a_sorted_list_has_each_text_once(void **state)
{
	struct text_list list = {0};

	(void)state;
	text_list_add(&list, "b");
	text_list_add(&list, "a");
	text_list_add(&list, "b");
	text_list_add(&list, "B");
	policy_list_sort(&list);
	assert_int_equal(list.n, 3);
	assert_string_equal(list.items[0], "B");
	assert_string_equal(list.items[1], "a");
	assert_string_equal(list.items[2], "b");
	text_list_done(&list);
}

static void
only_what_is_equal_is_found(void **state)
{
	struct text_list list = {0};

	(void)state;
	text_list_add(&list, "admin");
	text_list_add(&list, "ops");
	policy_list_sort(&list);
	assert_ptr_equal(policy_list_find(&list, "ops"), list.items[1]);
	assert_null(policy_list_find(&list, "op"));
	assert_null(policy_list_find(&list, "opsx"));
	assert_null(policy_list_find(&list, "Ops"));
	assert_null(policy_list_find(&list, ""));
	text_list_done(&list);
}

static void
nothing_is_found_in_an_empty_list(void **state)
{
	struct text_list list = {0};

	(void)state;
	policy_list_sort(&list);
	assert_null(policy_list_find(&list, "a"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sorted_list_has_each_text_once),
		cmocka_unit_test(only_what_is_equal_is_found),
		cmocka_unit_test(nothing_is_found_in_an_empty_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
