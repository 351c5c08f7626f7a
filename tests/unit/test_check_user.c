#include "check/check_user.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf_fixture.h"

#define LISTENER                                                               \
	"[listener gw]\nlisten = 127.0.0.1:0\ncertfile = c\n"                  \
	"backend = 127.0.0.1:1\n"

static void
assert_users(const char *text, const char *wanted)
{
	struct loaded l = load(text);

	check_user(l.settings, l.report);
	/* Who cannot become another is not asked to. */
	assert_findings(&l, geteuid() == 0 ? wanted : "");
	unload(&l);
}

static void
those_who_exist_are_fine(void **state)
{
	(void)state;
	assert_users(LISTENER, "");
	assert_users("[sallyport]\nuser = daemon\n" LISTENER, "");
	assert_users(
		"[sallyport]\nuser = daemon\ngroup = nogroup\n" LISTENER, "");
}

static void
those_who_do_not_are_named_at_their_place(void **state)
{
	(void)state;
	assert_users("[sallyport]\nworkers = 1\nuser = no-one\n" LISTENER,
		"t.ini:3: [sallyport] user: there is no user \"no-one\"\n");
	assert_users("[sallyport]\ngroup = no-one\n" LISTENER,
		"t.ini:2: [sallyport] group: there is no group \"no-one\"\n");
	assert_users("[sallyport]\nuser = daemon\ngroup = x-y\n" LISTENER,
		"t.ini:3: [sallyport] group: there is no group \"x-y\"\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_who_exist_are_fine),
		cmocka_unit_test(those_who_do_not_are_named_at_their_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
