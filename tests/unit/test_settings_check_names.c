#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf_fixture.h"

#define LISTENER  "[listener gw]\nlisten = 127.0.0.1:1\nbackend = 127.0.0.1:9\n"
#define CERTIFIED LISTENER "certfile = c\n"
#define SECTION(name, names)                                                   \
	"[server_name " name "]\nlistener = gw\nserver_name = " names "\n"

static void
names_of_several_sections_are_fine(void **state)
{
	(void)state;
	assert_load(CERTIFIED SECTION("a", "a.example *.b.example")
			    SECTION("b", "b.example x.b.example *.x.b.example"),
		"");
}

static void
a_name_claimed_twice_is_refused(void **state)
{
	(void)state;
	assert_load(CERTIFIED SECTION("a", "a.example b.example")
			    SECTION("b", "c.example A.Example."),
		"t.ini:10: [server_name b] server_name \"a.example\" given "
		"twice; first in line 7 [server_name a]\n");
	assert_load(CERTIFIED SECTION("a", "*.a.example\n  b.a\n  b.a\n b.a")
			    SECTION("b", "*.a.example"),
		"t.ini:9: [server_name a] server_name \"b.a\" given twice; "
		"first in line 8 [server_name a]\n"
		"t.ini:10: [server_name a] server_name \"b.a\" given twice; "
		"first in line 8 [server_name a]\n"
		"t.ini:13: [server_name b] server_name \"*.a.example\" given "
		"twice; first in line 7 [server_name a]\n");
}

static void
two_listeners_may_have_the_same_names(void **state)
{
	(void)state;
	assert_load(
		CERTIFIED SECTION("a",
			"a.example") "[listener two]\nlisten = 127.0.0.1:2\ncertfile = c\n"
				     "backend = 127.0.0.1:9\n"
				     "[server_name b]\nlistener = two\nserver_name = a.example\n",
		"");
}

static void
names_without_use_are_warned_of(void **state)
{
	(void)state;
	assert_load(CERTIFIED SECTION("a", "x.a.example\n  *.a.example"),
		"t.ini:7: warning: [server_name a] server_name "
		"\"x.a.example\" adds nothing to \"*.a.example\" in line "
		"8\n");
	assert_load(CERTIFIED SECTION("a", "192.0.2.1"),
		"t.ini:7: warning: [server_name a] server_name \"192.0.2.1\" "
		"is an address: clients send no name for it, so it never "
		"matches\n");
}

static void
a_certificate_must_be_somewhere(void **state)
{
	(void)state;
	assert_load(LISTENER,
		"t.ini:1: [listener gw] missing required key \"certfile\"\n");
	assert_load(LISTENER SECTION("a", "a.example"),
		"t.ini:4: [server_name a] missing required key "
		"\"certfile\"\n");
	assert_load(LISTENER SECTION("a", "a.example") "certfile = c\n", "");
	assert_load(LISTENER SECTION("a", "a.example") "certfile = c\n" SECTION(
			    "b", "b.example"),
		"t.ini:8: [server_name b] missing required key "
		"\"certfile\"\n");
	assert_load(
		"[defaults]\ncertfile = c\n" LISTENER SECTION("a", "a.example"),
		"");
}

static void
unknown_names_need_a_certificate_or_are_rejected(void **state)
{
	(void)state;
	assert_load(LISTENER "sni_mismatch = default\n" SECTION(
			    "a", "a.example") "certfile = c\n",
		"t.ini:4: [listener gw] sni_mismatch \"default\" needs a "
		"certfile in [listener gw]\n");
	assert_load(LISTENER "sni_mismatch = reject\n" SECTION(
			    "a", "a.example") "certfile = c\n",
		"");
	assert_load(CERTIFIED
		"sni_mismatch = reject\n" SECTION("a", "a.example"),
		"");
	assert_load(CERTIFIED "sni_mismatch = reject\n",
		"t.ini:5: [listener gw] sni_mismatch \"reject\" would refuse "
		"every client: no [server_name NAME] belongs to [listener "
		"gw]\n");
}

static void
ten_thousand_names_are_no_trouble(void **state)
{
	char *text = xstrdup(CERTIFIED SECTION("a", "a.example"));
	size_t len = strlen(text);

	(void)state;
	text = xreallocarray(text, len + 10001 * 16, 1);
	for (int i = 0; i < 10000; i++)
		len += (size_t)snprintf(
			text + len, 16, "  n%d.ex\n", (i * 7919) % 10000);
	(void)snprintf(text + len, 16, "  n77.ex\n");
	assert_load(text, "t.ini:10008: [server_name a] server_name "
			  "\"n77.ex\" given twice; first in line 1291 "
			  "[server_name a]\n");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_several_sections_are_fine),
		cmocka_unit_test(a_name_claimed_twice_is_refused),
		cmocka_unit_test(two_listeners_may_have_the_same_names),
		cmocka_unit_test(names_without_use_are_warned_of),
		cmocka_unit_test(a_certificate_must_be_somewhere),
		cmocka_unit_test(
			unknown_names_need_a_certificate_or_are_rejected),
		cmocka_unit_test(ten_thousand_names_are_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
