/* Address ranges. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cidr.h"
#include "base/error.h"

static bool
matches(const char *range, const char *address)
{
	struct cidr cidr;
	uint8_t bytes[16];
	sa_family_t family = strchr(address, ':') ? AF_INET6 : AF_INET;

	assert_int_equal(cidr_parse(range, &cidr, NULL), 0);
	assert_int_equal(inet_pton(family, address, bytes), 1);
	return cidr_matches(&cidr, family, bytes);
}

static void
a_range_holds_what_its_prefix_says(void **state)
{
	(void)state;
	assert_true(matches("192.0.2.0/24", "192.0.2.255"));
	assert_false(matches("192.0.2.0/24", "192.0.3.0"));
	assert_true(matches("192.0.2.128/25", "192.0.2.129"));
	assert_false(matches("192.0.2.128/25", "192.0.2.127"));
	assert_true(matches("10.0.0.0/7", "11.255.0.1"));
	assert_true(matches("0.0.0.0/0", "203.0.113.9"));
	assert_true(matches("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(matches("2001:db8::/33", "2001:db8:8000::1"));
	assert_true(matches("::1", "::1"));
	assert_false(matches("::1", "::2"));
}

static void
families_do_not_match_each_other(void **state)
{
	(void)state;
	assert_false(matches("0.0.0.0/0", "::1"));
	assert_false(matches("::/0", "192.0.2.1"));
}

static void
a_mapped_peer_counts_as_ipv4(void **state)
{
	(void)state;
	assert_true(matches("192.0.2.0/24", "::ffff:192.0.2.7"));
	assert_false(matches("::/0", "::ffff:192.0.2.7"));
}

static void
a_socket_address_is_looked_up(void **state)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr other = {.sa_family = AF_UNIX};
	struct cidr cidr;

	(void)state;
	assert_int_equal(cidr_parse("127.0.0.0/8", &cidr, NULL), 0);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in6.sin6_addr = in6addr_loopback;
	assert_true(cidr_matches_sockaddr(&cidr, (struct sockaddr *)&in));
	assert_false(cidr_matches_sockaddr(&cidr, (struct sockaddr *)&in6));
	assert_false(cidr_matches_sockaddr(&cidr, &other));
}

static void
what_is_no_range_is_refused(void **state)
{
	static const char *const bad[] = {"", "/", "10", "10.0.0.0/",
		"10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "2001:db8::/129",
		"10.1.2.3/8", "2001:db8::1/32", "localhost", "10.0.0.0 /8",
		"::/0/0"};
	struct cidr cidr = {.prefix = 77};
	struct error err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		err.text[0] = '\0';
		if (cidr_parse(bad[i], &cidr, &err) == 0)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_true(strlen(err.text) > 0);
		assert_int_equal(cidr.prefix, 77);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_holds_what_its_prefix_says),
		cmocka_unit_test(families_do_not_match_each_other),
		cmocka_unit_test(a_mapped_peer_counts_as_ipv4),
		cmocka_unit_test(a_socket_address_is_looked_up),
		cmocka_unit_test(what_is_no_range_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
