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
assert_findings(const char *ini, const char *wanted)
{
	struct sections f = sections_of(ini);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	report_print(f.report, out);
	(void)fclose(out);
	assert_string_equal(text, wanted);
	free(text);
	sections_done(&f);
}

static void
sections_keep_their_values_and_lines(void **state)
{
	struct sections f =
		sections_of("[listener gw]\nlisten = *:1 *:2\n  *:3\n"
			    "certfile = a b\ncertfile = c\n"
			    "[defaults]\ncafile = d\n");
	const struct option *listen = option_find(listener_options, "listen");
	const struct option *certfile =
		option_find(listener_options, "certfile");
	const struct option *cafile = option_find(listener_options, "cafile");
	const struct section *gw;

	(void)state;
	assert_int_equal(report_errors(f.report), 0);
	assert_int_equal(f.list.n, 2);
	gw = f.list.items[0];
	assert_string_equal(gw->name, "gw");
	assert_string_equal(gw->title, "listener gw");
	assert_int_equal(gw->pos.line, 1);
	assert_ptr_equal(gw->inherits, section_find(&f.list, IN_DEFAULTS));
	assert_string_equal(section_value(gw, listen, 1)->text, "*:2");
	assert_int_equal(section_value(gw, listen, 1)->line, 2);
	assert_string_equal(section_value(gw, listen, 2)->text, "*:3");
	assert_int_equal(section_value(gw, listen, 2)->line, 3);
	assert_null(section_value(gw, listen, 3));
	assert_string_equal(section_value(gw, certfile, 0)->text, "a b");
	assert_int_equal(section_value(gw, certfile, 1)->line, 5);
	assert_false(section_has(gw, cafile));
	assert_true(section_has(gw->inherits, cafile));
	assert_null(section_find(&f.list, IN_PROCESS));
	sections_done(&f);
}

static void
unknown_keys_come_with_the_nearest_known_one(void **state)
{
	(void)state;
	assert_findings("[listener gw]\nminimum_verson = TLSv1.2\n  x\n"
			"frobnicate = 1\nListen = *:1\n",
		"t.ini:2: [listener gw] unknown key \"minimum_verson\"; did "
		"you mean \"minimum_version\"?\n"
		"t.ini:4: [listener gw] unknown key \"frobnicate\"\n"
		"t.ini:5: [listener gw] unknown key \"Listen\"; did you mean "
		"\"listen\"?\n");
}

static void
keys_in_the_wrong_section_are_sent_home(void **state)
{
	(void)state;
	assert_findings("[listener gw]\nworkers = 2\n"
			"[sallyport]\nbackend = x:1\n"
			"[defaults]\nlisten = *:1\n",
		"t.ini:2: [listener gw] key \"workers\" belongs in "
		"[sallyport]\n"
		"t.ini:4: [sallyport] key \"backend\" belongs in "
		"[listener NAME]\n"
		"t.ini:6: [defaults] key \"listen\" belongs in "
		"[listener NAME]\n");
}

static void
unknown_sections_come_with_the_nearest_known_one(void **state)
{
	(void)state;
	assert_findings("[listner gw]\nwrong = 1\n[room x]\nwrong = 2\n"
			"[Defaults]\n",
		"t.ini:1: unknown section [listner gw]; did you mean "
		"[listener NAME]?\n"
		"t.ini:3: unknown section [room x]\n"
		"t.ini:5: unknown section [Defaults]; did you mean "
		"[defaults]?\n");
	assert_findings("[polcy x]\n",
		"t.ini:1: unknown section [polcy x]; did you mean "
		"[policy NAME]?\n");
}

static void
a_policy_holds_nothing_but_what_a_certificate_must_have(void **state)
{
	(void)state;
	assert_findings("[policy x]\nallow_cn = a\nallow_issuer_cn = b\n"
			"deny_serial = 1\nauthorize = y\n",
		"t.ini:4: [policy x] key \"deny_serial\" belongs in "
		"[listener NAME]\n"
		"t.ini:5: [policy x] key \"authorize\" belongs in "
		"[listener NAME]\n");
	assert_findings("[listener x]\nallow_issuer_cn = b\n",
		"t.ini:2: [listener x] key \"allow_issuer_cn\" belongs in "
		"[policy NAME]\n");
	assert_findings("[policy x]\nallow_issuer_nc = b\n",
		"t.ini:2: [policy x] unknown key \"allow_issuer_nc\"; did you "
		"mean \"allow_issuer_cn\"?\n");
}

static void
sections_need_a_name_or_must_have_none(void **state)
{
	(void)state;
	assert_findings("[listener]\nlisten = *:1\nbackendd = x:1\n"
			"[sallyport x]\n[defaults y]\n",
		"t.ini:1: [listener] section has no name: [listener NAME]\n"
		"t.ini:3: [listener] unknown key \"backendd\"; did you mean "
		"\"backend\"?\n"
		"t.ini:4: [sallyport x] section takes no name: [sallyport]\n"
		"t.ini:5: [defaults y] section takes no name: [defaults]\n");
}

static void
a_section_given_twice_names_the_first(void **state)
{
	struct sections f = sections_of("[listener a]\n[listener a]\n");

	(void)state;
	assert_true(f.list.items[0]->usable);
	assert_false(f.list.items[1]->usable);
	sections_done(&f);
	assert_findings("[defaults]\n[listener a]\n[defaults]\n[listener b]\n"
			"[listener a]\nx = 1\n",
		"t.ini:3: [defaults] section given twice; first in line 1\n"
		"t.ini:5: [listener a] section given twice; first in line 2\n"
		"t.ini:6: [listener a] unknown key \"x\"\n");
}

static void
a_scalar_given_twice_names_the_first(void **state)
{
	(void)state;
	assert_findings("[listener a]\nbackend = x:1\nlisten = *:1\n"
			"backend = x:2\nbackend = x:3\nlisten = *:2\n",
		"t.ini:4: [listener a] backend given twice; first in line 2\n"
		"t.ini:5: [listener a] backend given twice; first in line "
		"2\n");
	/* The value of a listener beside that of [defaults] is no second. */
	assert_findings("[defaults]\nbackend = x:1\n[listener a]\n"
			"backend = x:2\n[listener b]\nbackend = x:3\n",
		"");
}

static void
a_scalar_cannot_go_on_in_an_indented_line(void **state)
{
	(void)state;
	assert_findings("[listener a]\nbackend = x:1\n  y:2\n",
		"t.ini:3: [listener a] backend takes one value; this indented "
		"line continues it\n");
}

static void
a_key_indented_by_accident_is_not_swallowed(void **state)
{
	struct sections f = sections_of("[listener a]\nciphers = HIGH\n"
					"  minimum_version = TLSv1.3\n");

	(void)state;
	assert_int_equal(f.list.items[0]->n_values, 1);
	sections_done(&f);
	assert_findings("[listener a]\nciphers = HIGH\n"
			"  minimum_version = TLSv1.3\n  ALL:@SECLEVEL=1\n",
		"t.ini:3: [listener a] indented, this line continues "
		"\"ciphers\"; remove the blanks before \"minimum_version = "
		"TLSv1.3\"\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_keep_their_values_and_lines),
		cmocka_unit_test(unknown_keys_come_with_the_nearest_known_one),
		cmocka_unit_test(keys_in_the_wrong_section_are_sent_home),
		cmocka_unit_test(
			unknown_sections_come_with_the_nearest_known_one),
		cmocka_unit_test(
			a_policy_holds_nothing_but_what_a_certificate_must_have),
		cmocka_unit_test(sections_need_a_name_or_must_have_none),
		cmocka_unit_test(a_section_given_twice_names_the_first),
		cmocka_unit_test(a_scalar_given_twice_names_the_first),
		cmocka_unit_test(a_scalar_cannot_go_on_in_an_indented_line),
		cmocka_unit_test(a_key_indented_by_accident_is_not_swallowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
