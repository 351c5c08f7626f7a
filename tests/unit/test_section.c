#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/options.h"
#include "conf/report.h"
#include "conf/section.h"
#include "sections.h"

static void
broken_values_do_not_count_but_were_written(void **state)
{
	struct sections f = sections_of("[listener gw]\nlisten = bad *:2\n");
	const struct option *listen = option_find(listener_options, "listen");
	struct section *gw = f.list.items[0];

	(void)state;
	gw->values[0].broken = true;
	assert_string_equal(section_value(gw, listen, 0)->text, "*:2");
	gw->values[1].broken = true;
	assert_null(section_value(gw, listen, 0));
	assert_true(section_has(gw, listen));
	sections_done(&f);
}

/* Else "allow_cn = boss" would let in more than the section says. */
static void
who_may_come_in_is_inherited_whole_or_not_at_all(void **state)
{
	struct sections f = sections_of("[defaults]\nauthorize = any\n"
					"deny_serial = 1\ncafile = d\n"
					"[listener a]\nallow_cn = boss\n"
					"[listener b]\nlisten = *:1\n"
					"deny_cert_sha256 = 1\n");
	const struct option *any = option_find(listener_options, "authorize");
	const struct option *deny =
		option_find(listener_options, "deny_serial");
	const struct option *cafile = option_find(listener_options, "cafile");
	const struct section *defaults, *a, *b;

	(void)state;
	defaults = f.list.items[0];
	a = f.list.items[1];
	b = f.list.items[2];
	assert_null(section_source(a, any));
	assert_ptr_equal(section_source(a, deny), defaults);
	assert_ptr_equal(section_source(a, cafile), defaults);
	assert_ptr_equal(section_source(b, any), defaults);
	assert_ptr_equal(section_source(b, deny), defaults);
	sections_done(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broken_values_do_not_count_but_were_written),
		cmocka_unit_test(
			who_may_come_in_is_inherited_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
