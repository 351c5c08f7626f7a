#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf_fixture.h"

#define LISTENER                                                               \
	"[listener gw]\nlisten = 127.0.0.1:1\nbackend = 127.0.0.1:9\n"         \
	"certfile = c\n"
#define SERVER_NAME "[server_name x]\nlistener = gw\nserver_name = x.example\n"
#define GETS_IN                                                                \
	" gets in: no rule says who may; authorize = any says that this is "   \
	"meant\n"

/* LINES below line 4 of a good listener bring these notices and no warning. */
static void
assert_notices(const char *lines, const char *wanted)
{
	char *text = xasprintf("%s%s", LISTENER, lines);
	struct loaded l = load(text);

	assert_findings(&l, "");
	report_free(&l.report);
	l.report = report_new();
	settings_notices(l.settings, l.report);
	assert_findings(&l, wanted);
	unload(&l);
	free(text);
}

static void
an_open_door_names_the_ca(void **state)
{
	(void)state;
	assert_notices("cafile = a.pem\n  b.pem\n",
		"t.ini:5: warning: [listener gw] every client with a "
		"certificate of cafile \"a.pem\"" GETS_IN
		"t.ini:6: warning: [listener gw] every client with a "
		"certificate of cafile \"b.pem\"" GETS_IN);
	assert_notices("capath = cas\ncadata = x\n",
		"t.ini:5: warning: [listener gw] every client with a "
		"certificate of capath \"cas\"" GETS_IN
		"t.ini:6: warning: [listener gw] every client with a "
		"certificate of cadata" GETS_IN);
}

static void
who_is_denied_says_nothing_of_who_gets_in(void **state)
{
	(void)state;
	assert_notices("cafile = a.pem\ndeny_serial = 0a\n",
		"t.ini:5: warning: [listener gw] every client with a "
		"certificate of cafile \"a.pem\"" GETS_IN);
}

static void
a_rule_is_enough(void **state)
{
	(void)state;
	assert_notices("cafile = a.pem\nauthorize = any\n", "");
	assert_notices("cafile = a.pem\nallow_cn = a\n", "");
	assert_notices("cafile = a.pem\nauthorize = ops\n"
		       "[policy ops]\nallow_o = Ops\n",
		"");
}

static void
so_is_a_certificate_that_need_not_be(void **state)
{
	(void)state;
	assert_notices("", "");
	assert_notices("cafile = a.pem\nverify_mode = optional\n", "");
}

static void
server_names_have_doors_of_their_own(void **state)
{
	(void)state;
	assert_notices("cafile = a.pem\nallow_cn = a\n" SERVER_NAME
		       "cafile = b.pem\n",
		"");
	assert_notices(SERVER_NAME "cafile = b.pem\n",
		"t.ini:8: warning: [server_name x] every client with a "
		"certificate of cafile \"b.pem\"" GETS_IN);
	/* One line for what both have from one place. */
	assert_notices("cafile = a.pem\n" SERVER_NAME,
		"t.ini:5: warning: [listener gw] every client with a "
		"certificate of cafile \"a.pem\"" GETS_IN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_open_door_names_the_ca),
		cmocka_unit_test(who_is_denied_says_nothing_of_who_gets_in),
		cmocka_unit_test(a_rule_is_enough),
		cmocka_unit_test(so_is_a_certificate_that_need_not_be),
		cmocka_unit_test(server_names_have_doors_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
