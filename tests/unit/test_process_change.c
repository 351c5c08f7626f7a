#include "supervisor/process_change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_fixture.h"

#define LISTENER                                                               \
	"[listener gw]\nlisten = 127.0.0.1:0\ncertfile = c\n"                  \
	"backend = 127.0.0.1:1\n"

/* All that going from the one to the other finds. */
static void
assert_change(const char *from, const char *to, const char *wanted)
{
	struct loaded old = load(from);
	struct loaded now = load(to);

	process_change_check(old.settings, now.settings, now.report);
	assert_findings(&now, wanted);
	unload(&old);
	unload(&now);
}

static void
the_same_is_no_change(void **state)
{
	(void)state;
	assert_change(LISTENER, LISTENER, "");
	assert_change("[sallyport]\nuser = u\nadmin_socket = none\n" LISTENER,
		"[sallyport]\nadmin_socket = none\nuser = u\n" LISTENER, "");
}

static void
what_a_reload_brings_is_no_matter(void **state)
{
	(void)state;
	assert_change(LISTENER,
		"[sallyport]\nworkers = 7\nmax_connections = 9\n"
		"drain_timeout = 1s\nlog_level = error\nlog_format = json\n"
		"access_log = no\nlog_probes = yes\n" LISTENER,
		"");
}

#define LATER                                                                  \
	"takes effect in processes that are started from now on, and in all "  \
	"at the next start\n"

static void
what_it_cannot_bring_is_named_at_its_place(void **state)
{
	(void)state;
	assert_change("[sallyport]\nuser = a\n" LISTENER,
		"[sallyport]\nuser = b\ngroup = g\nsandbox = off\n"
		"admin_socket = /tmp/a\n" LISTENER,
		"t.ini:2: warning: [sallyport] a change of user " LATER
		"t.ini:3: warning: [sallyport] a change of group " LATER
		"t.ini:4: warning: [sallyport] a change of sandbox " LATER
		"t.ini:5: warning: [sallyport] a change of admin_socket takes "
		"effect at the next start\n");
}

static void
what_is_gone_is_a_change_too(void **state)
{
	(void)state;
	assert_change("[sallyport]\nuser = a\n" LISTENER, LISTENER,
		"t.ini: warning: [sallyport] a change of user " LATER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_is_no_change),
		cmocka_unit_test(what_a_reload_brings_is_no_matter),
		cmocka_unit_test(what_it_cannot_bring_is_named_at_its_place),
		cmocka_unit_test(what_is_gone_is_a_change_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
