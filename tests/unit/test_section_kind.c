#include "config.h"

#include "conf/section_kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
a_kind_is_found_by_its_type_alone(void **state)
{
	(void)state;
	assert_string_equal(
		section_kind_find("listener")->form, "[listener NAME]");
	assert_null(section_kind_find("listener gw"));
	assert_null(section_kind_find(""));
}

static void
a_slip_of_the_pen_is_near(void **state)
{
	(void)state;
	assert_string_equal(section_kind_nearest("listner")->type, "listener");
	assert_null(section_kind_nearest("something else"));
}

static void
a_key_has_the_kind_that_it_may_stand_in(void **state)
{
	(void)state;
	assert_string_equal(section_kind_of_key("workers")->type, "sallyport");
	assert_string_equal(section_kind_of_key("certfile")->type, "listener");
	assert_null(section_kind_of_key("no_such_key"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kind_is_found_by_its_type_alone),
		cmocka_unit_test(a_slip_of_the_pen_is_near),
		cmocka_unit_test(a_key_has_the_kind_that_it_may_stand_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
