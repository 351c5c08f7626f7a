#include "authz/policy_ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cidr.h"

static bool
is_in(const char *range, const char *address)
{
	struct cidr cidr;

	assert_int_equal(cidr_parse(range, &cidr, NULL), 0);
	return policy_ip_find(&cidr, 1, address) == 0;
}

static void
addresses_match_by_value(void **state)
{
	(void)state;
	assert_true(is_in("192.0.2.1", "192.0.2.1"));
	assert_false(is_in("192.0.2.1", "192.0.2.2"));
	assert_true(is_in("2001:DB8:0::1", "2001:db8::1"));
	assert_false(is_in("2001:db8::1", "2001:db8::2"));
}

static void
ranges_hold_what_their_prefix_says(void **state)
{
	(void)state;
	assert_true(is_in("10.0.0.0/8", "10.255.255.255"));
	assert_false(is_in("10.0.0.0/8", "11.0.0.0"));
	assert_true(is_in("192.0.2.128/25", "192.0.2.200"));
	assert_false(is_in("192.0.2.128/25", "192.0.2.127"));
	assert_true(is_in("0.0.0.0/0", "203.0.113.9"));
	assert_true(is_in("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(is_in("2001:db8::/33", "2001:db8:8000::1"));
	assert_true(is_in("::/0", "::ffff:192.0.2.1"));
}

static void
the_families_never_mix(void **state)
{
	(void)state;
	assert_false(is_in("192.0.2.1", "::ffff:192.0.2.1"));
	assert_false(is_in("::ffff:192.0.2.1", "192.0.2.1"));
	assert_false(is_in("0.0.0.0/0", "::1"));
	assert_false(is_in("::/0", "192.0.2.1"));
	assert_true(is_in("::ffff:192.0.2.1", "::ffff:192.0.2.1"));
}

static void
what_is_no_address_is_in_no_range(void **state)
{
	(void)state;
	assert_false(is_in("0.0.0.0/0", ""));
	assert_false(is_in("0.0.0.0/0", "192.0.2.1/32"));
	assert_false(is_in("0.0.0.0/0", "192.0.2"));
	assert_false(is_in("::/0", "::1%lo"));
	assert_int_equal(policy_ip_find(NULL, 0, "192.0.2.1"), 0);
}

static void
equal_ranges_have_equal_texts(void **state)
{
	char text[POLICY_IP_TEXT_MAX];
	struct cidr cidr;

	(void)state;
	assert_int_equal(cidr_parse("2001:DB8:0:0::/32", &cidr, NULL), 0);
	assert_string_equal(policy_ip_text(&cidr, text), "2001:db8::/32");
	assert_int_equal(cidr_parse("192.0.2.1/32", &cidr, NULL), 0);
	assert_string_equal(policy_ip_text(&cidr, text), "192.0.2.1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_match_by_value),
		cmocka_unit_test(ranges_hold_what_their_prefix_says),
		cmocka_unit_test(the_families_never_mix),
		cmocka_unit_test(what_is_no_address_is_in_no_range),
		cmocka_unit_test(equal_ranges_have_equal_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
