#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf_fixture.h"

static void
two_listeners_cannot_share_an_address(void **state)
{
	static const char *const head = "[defaults]\ncertfile = c\n"
					"backend = 127.0.0.1:9\n";
	char *text = xasprintf("%s[listener a]\nlisten = 127.0.0.1:1\n"
			       "[listener b]\nlisten = 127.0.0.1:2\n"
			       "  0.0.0.0:1\n",
		head);

	(void)state;
	assert_load(text, "t.ini:8: [listener b] listen \"0.0.0.0:1\" overlaps "
			  "\"127.0.0.1:1\" of [listener a] in line 5\n");
	free(text);
	text = xasprintf("%s[listener a]\nlisten = *:1\n  127.0.0.1:1\n", head);
	assert_load(text,
		"t.ini:6: [listener a] listen \"127.0.0.1:1\" overlaps "
		"\"*:1\" of [listener a] in line 5\n");
	free(text);
}

static void
different_addresses_and_ports_of_the_kernel_do_not_collide(void **state)
{
	(void)state;
	assert_load("[listener a]\nlisten = 127.0.0.1:0 127.0.0.1:0 *:0\n"
		    "  127.0.0.1:1 127.0.0.2:1 unix:/a unix:/b systemd:x\n"
		    "certfile = c\nbackend = 127.0.0.1:9\n",
		"");
}

static void
every_overlap_is_told(void **state)
{
	(void)state;
	assert_load("[defaults]\ncertfile = c\nbackend = 127.0.0.1:9\n"
		    "[listener a]\nlisten = 127.0.0.1:2\n"
		    "[listener b]\nlisten = 127.0.0.1:1 unix:/a\n"
		    "[listener c]\nlisten = *:2 [::1]:1 unix:/a systemd:x\n"
		    "[listener d]\nlisten = 0.0.0.0:2 systemd:x\n",
		"t.ini:9: [listener c] listen \"unix:/a\" overlaps "
		"\"unix:/a\" of [listener b] in line 7\n"
		"t.ini:9: [listener c] listen \"*:2\" overlaps "
		"\"127.0.0.1:2\" of [listener a] in line 5\n"
		"t.ini:11: [listener d] listen \"systemd:x\" overlaps "
		"\"systemd:x\" of [listener c] in line 9\n"
		"t.ini:11: [listener d] listen \"0.0.0.0:2\" overlaps "
		"\"127.0.0.1:2\" of [listener a] in line 5\n"
		"t.ini:11: [listener d] listen \"0.0.0.0:2\" overlaps "
		"\"*:2\" of [listener c] in line 9\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_listeners_cannot_share_an_address),
		cmocka_unit_test(
			different_addresses_and_ports_of_the_kernel_do_not_collide),
		cmocka_unit_test(every_overlap_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
