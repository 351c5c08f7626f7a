#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf_fixture.h"

#define LISTENER                                                               \
	"[listener gw]\nlisten = 127.0.0.1:1\nbackend = 127.0.0.1:9\n"         \
	"certfile = c\n"

/* LINES stand below line 4 of a good listener. */
static void
assert_listener(const char *lines, const char *wanted)
{
	char *text = xasprintf("%s%s", LISTENER, lines);

	assert_load(text, wanted);
	free(text);
}

static void
a_good_listener_has_no_findings(void **state)
{
	(void)state;
	assert_listener("", "");
	assert_listener("keyfile = k\ncafile = ca\nverify_mode = required\n"
			"minimum_version = TLSv1.3\nmaximum_version = TLSv1.3",
		"");
}

static void
keyfiles_must_be_as_many_as_certfiles(void **state)
{
	(void)state;
	assert_listener("certfile = d\nkeyfile = k\n",
		"t.ini:6: [listener gw] 1 keyfile for 2 certfile; there must "
		"be one for each, in the same order, or none\n");
	assert_listener("keyfile = k\nkeyfile = l\n",
		"t.ini:5: [listener gw] 2 keyfile for 1 certfile; there must "
		"be one for each, in the same order, or none\n");
	assert_listener("certfile = d\nkeyfile = k\nkeyfile = l\n", "");
}

static void
a_maximum_below_the_minimum_is_refused(void **state)
{
	(void)state;
	assert_listener("maximum_version = TLSv1.1\n",
		"t.ini:5: [listener gw] maximum_version \"TLSv1.1\" is below "
		"minimum_version \"TLSv1.2\"\n");
	assert_listener(
		"minimum_version = TLSv1.3\nmaximum_version = TLSv1.2\n",
		"t.ini:6: [listener gw] maximum_version \"TLSv1.2\" is below "
		"minimum_version \"TLSv1.3\"\n");
}

static void
old_protocols_are_warned_of(void **state)
{
	(void)state;
	assert_listener("minimum_version = TLSv1\n",
		"t.ini:5: warning: [listener gw] minimum_version \"TLSv1\" "
		"lets clients use a protocol that is no longer safe\n");
	assert_listener(
		"minimum_version = TLSv1.1\nmaximum_version = TLSv1.1\n",
		"t.ini:5: warning: [listener gw] minimum_version \"TLSv1.1\" "
		"lets clients use a protocol that is no longer safe\n");
}

static void
verify_mode_and_cafile_must_not_contradict(void **state)
{
	(void)state;
	assert_listener("cafile = ca\nverify_mode = none\n",
		"t.ini:6: [listener gw] verify_mode \"none\" would ignore "
		"cafile; remove one of them\n");
	assert_listener("verify_mode = optional\n",
		"t.ini:5: [listener gw] verify_mode needs a cafile to verify "
		"with\n");
	assert_listener("verify_mode = required\n",
		"t.ini:5: [listener gw] verify_mode needs a cafile to verify "
		"with\n");
	assert_listener("verify_mode = none\n", "");
}

static void
assert_backend(const char *backend, const char *more, const char *wanted)
{
	char *text = xasprintf("[listener gw]\nlisten = 127.0.0.1:1\n"
			       "certfile = c\nbackend = %s\n%s",
		backend, more);

	assert_load(text, wanted);
	free(text);
}

static void
plaintext_to_another_machine_must_be_allowed(void **state)
{
	static const char *const yes = "allow_remote_plaintext = yes\n";
	static const char *const no = "allow_remote_plaintext = no\n";

	(void)state;
	assert_backend("192.0.2.1:80", "",
		"t.ini:4: [listener gw] backend \"192.0.2.1:80\" may be on "
		"another machine and would be sent plaintext; set "
		"allow_remote_plaintext = yes if that is meant\n");
	assert_backend("localhost:80", no,
		"t.ini:4: [listener gw] backend \"localhost:80\" may be on "
		"another machine and would be sent plaintext; set "
		"allow_remote_plaintext = yes if that is meant\n");
	assert_backend("192.0.2.1:80", yes, "");
	assert_backend("db.example:80", yes, "");
	assert_backend("127.9.9.9:80", "", "");
	assert_backend("[::1]:80", "", "");
	assert_backend("unix:/run/x.sock", "", "");
}

static void
a_configuration_without_listeners_is_refused(void **state)
{
	(void)state;
	assert_load("", "t.ini: there is no [listener NAME] section\n");
	assert_load("[sallyport]\n[defaults]\n",
		"t.ini: there is no [listener NAME] section\n");
}

static void
contradictions_inherited_from_defaults_are_found_too(void **state)
{
	(void)state;
	assert_load("[defaults]\nverify_mode = none\nbackend = h:1\n"
		    "[listener a]\nlisten = *:1\ncertfile = c\ncafile = ca\n",
		"t.ini:2: [listener a] verify_mode \"none\" would ignore "
		"cafile; remove one of them\n"
		"t.ini:3: [listener a] backend \"h:1\" may be on another "
		"machine and would be sent plaintext; set "
		"allow_remote_plaintext = yes if that is meant\n");
}

static void
defaults_that_nobody_uses_are_fine(void **state)
{
	(void)state;
	assert_load("[defaults]\nbackend = 192.0.2.1:1\ncertfile = d\n"
		    "[listener a]\nlisten = *:1\ncertfile = c\n"
		    "backend = 127.0.0.1:9\n",
		"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_listener_has_no_findings),
		cmocka_unit_test(keyfiles_must_be_as_many_as_certfiles),
		cmocka_unit_test(a_maximum_below_the_minimum_is_refused),
		cmocka_unit_test(old_protocols_are_warned_of),
		cmocka_unit_test(verify_mode_and_cafile_must_not_contradict),
		cmocka_unit_test(plaintext_to_another_machine_must_be_allowed),
		cmocka_unit_test(a_configuration_without_listeners_is_refused),
		cmocka_unit_test(
			contradictions_inherited_from_defaults_are_found_too),
		cmocka_unit_test(defaults_that_nobody_uses_are_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
