#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/mem.h"
#include "conf/server_name.h"

static void
assert_name(const char *text, const char *wanted)
{
	char name[SERVER_NAME_SIZE];

	assert_int_equal(server_name_parse(text, name, NULL), 0);
	assert_string_equal(name, wanted);
}

static void
assert_refused(const char *text, const char *why)
{
	char name[SERVER_NAME_SIZE] = "as it was";
	char *wanted = xasprintf("\"%s\" is not a server name: %s", text, why);
	struct error err = {{0}};

	assert_int_equal(server_name_parse(text, name, &err), -1);
	assert_string_equal(err.text, wanted);
	assert_string_equal(name, "as it was");
	free(wanted);
}

/* LEN letters. */
static char *
letters(size_t len)
{
	char *text = xcalloc(1, len + 1);

	memset(text, 'a', len);
	return text;
}

static void
a_good_name_is_brought_into_one_form(void **state)
{
	(void)state;
	assert_name("example.com", "example.com");
	assert_name("API.Example.COM", "api.example.com");
	assert_name("example.com.", "example.com");
	assert_name("localhost", "localhost");
	assert_name("xn--bcher-kva.example", "xn--bcher-kva.example");
	assert_name("a-1.0-b.c", "a-1.0-b.c");
	assert_name("*.Example.com.", "*.example.com");
	assert_name("10.0.0.1", "10.0.0.1");
}

static void
a_wildcard_is_the_whole_first_part_of_three(void **state)
{
	static const char *const where =
		"\"*\" may only be the whole of the first part";
	static const char *const few =
		"there must be at least two more parts after \"*\"";

	(void)state;
	assert_refused("*", where);
	assert_refused("a*.example.com", where);
	assert_refused("*a.example.com", where);
	assert_refused("a.*.example.com", where);
	assert_refused("*.*.example.com", where);
	assert_refused("*.com", few);
	assert_refused("*.", where);
	assert_refused("*..", few);
}

static void
odd_names_are_refused(void **state)
{
	static const char *const bytes =
		"it may hold letters, digits, \"-\" and \".\" only (of names "
		"in other letters, the form that starts with xn--)";
	static const char *const dots = "there is nothing between two dots";
	static const char *const hyphen =
		"a part of it starts or ends with \"-\"";

	(void)state;
	assert_refused("", "it is empty");
	assert_refused(".", dots);
	assert_refused("..", dots);
	assert_refused(".example.com", dots);
	assert_refused("a..b", dots);
	assert_refused("a.b..", dots);
	assert_refused("a_b.example", bytes);
	assert_refused("b\xc3\xbc"
		       "cher.example",
		bytes);
	assert_refused("a/b", bytes);
	assert_refused("[::1]", bytes);
	assert_refused("a:443", bytes);
	assert_refused("-a.example", hyphen);
	assert_refused("a.example-", hyphen);
}

static void
lengths_have_limits(void **state)
{
	char *label = letters(63);
	char *name = xasprintf("%s.%s.%s.%.61s", label, label, label, label);
	char *dotted = xasprintf("%s.", name);
	char *longer = xasprintf("%sa", name);
	char *long_label = xasprintf("%sa.b", label);

	(void)state;
	assert_int_equal(strlen(name), 253);
	assert_name(name, name);
	assert_name(dotted, name);
	assert_refused(longer, "it is longer than 253 bytes");
	assert_refused(long_label, "a part of it is longer than 63 bytes");
	free(label);
	free(name);
	free(dotted);
	free(longer);
	free(long_label);
}

static void
addresses_are_recognised(void **state)
{
	(void)state;
	assert_true(server_name_is_address("192.0.2.1"));
	assert_false(server_name_is_address("192.0.2"));
	assert_false(server_name_is_address("192.0.2.1.example"));
	assert_false(server_name_is_address("192.0.2.256"));
}

static void
a_wildcard_covers_exactly_one_part(void **state)
{
	(void)state;
	assert_true(server_name_covers("*.a.b", "x.a.b"));
	assert_false(server_name_covers("*.a.b", "a.b"));
	assert_false(server_name_covers("*.a.b", "x.y.a.b"));
	assert_false(server_name_covers("*.a.b", "*.a.b"));
	assert_false(server_name_covers("*.a.b", "xa.b"));
	assert_false(server_name_covers("x.a.b", "x.a.b"));
	assert_false(server_name_covers("*.a.b", "b"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_name_is_brought_into_one_form),
		cmocka_unit_test(a_wildcard_is_the_whole_first_part_of_three),
		cmocka_unit_test(odd_names_are_refused),
		cmocka_unit_test(lengths_have_limits),
		cmocka_unit_test(addresses_are_recognised),
		cmocka_unit_test(a_wildcard_covers_exactly_one_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
