#include "config.h"

#include "net/resolve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/error.h"

/* Does /etc/hosts know it? Smaller systems come without the file, and then
 * the answer is up to a name server. */
static bool
has_localhost(void)
{
	FILE *file = fopen("/etc/hosts", "re");
	char line[256];
	bool found = false;

	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		found |= line[0] != '#' && strstr(line, "localhost") != NULL;
	if (file != NULL)
		assert_int_equal(fclose(file), 0);
	return found;
}

static void
localhost_is_local(void **state)
{
	struct addr addrs[4];
	struct error err;
	int n;

	(void)state;
	if (!has_localhost())
		skip();
	n = resolve_host("localhost", 5432, addrs, 4, &err);
	assert_true(n >= 1 && n <= 4);
	for (int i = 0; i < n; i++) {
		assert_true(addr_is_local(&addrs[i]));
		assert_int_equal(addrs[i].port, 5432);
		for (int k = 0; k < i; k++)
			assert_false(addr_equal(&addrs[i], &addrs[k]));
	}
}

static void
numbers_need_no_name_server(void **state)
{
	struct addr addr;
	struct error err;
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_int_equal(resolve_host("192.0.2.7", 80, &addr, 1, &err), 1);
	assert_int_equal(addr.kind, ADDR_INET);
	assert_string_equal(addr_format(&addr, text), "192.0.2.7:80");
	assert_int_equal(resolve_host("2001:db8::7", 65535, &addr, 1, &err), 1);
	assert_int_equal(addr.kind, ADDR_INET6);
	assert_string_equal(addr_format(&addr, text), "[2001:db8::7]:65535");
}

static void
a_name_that_does_not_exist_is_an_error(void **state)
{
	struct addr addr = {.port = 7};
	struct error err;

	(void)state;
	assert_int_equal(
		resolve_host("does-not-exist.invalid", 80, &addr, 1, &err), -1);
	assert_non_null(strstr(
		err.text, "cannot resolve \"does-not-exist.invalid\": "));
	assert_int_equal(addr.port, 7);
}

static void
what_cannot_be_a_name_is_an_error(void **state)
{
	/* A label has at most 63 bytes. */
	static const char long_label[] =
		"0123456789012345678901234567890123456789"
		"012345678901234567890123.invalid";
	static const char *const names[] = {"", "..", "a..b", long_label};
	struct addr addr;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		assert_int_equal(
			resolve_host(names[i], 80, &addr, 1, &err), -1);
		assert_non_null(strstr(err.text, "cannot resolve"));
	}
}

static void
no_more_addresses_than_there_is_room_for(void **state)
{
	struct addr addr;
	struct error err;

	(void)state;
	assert_int_equal(resolve_host("127.0.0.1", 80, &addr, 0, &err), -1);
	assert_string_equal(
		err.text, "cannot resolve \"127.0.0.1\": no address");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(localhost_is_local),
		cmocka_unit_test(numbers_need_no_name_server),
		cmocka_unit_test(a_name_that_does_not_exist_is_an_error),
		cmocka_unit_test(what_cannot_be_a_name_is_an_error),
		cmocka_unit_test(no_more_addresses_than_there_is_room_for),
	};

	/* Without a network: fail soon. */
	(void)setenv("RES_OPTIONS", "timeout:1 attempts:1", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
