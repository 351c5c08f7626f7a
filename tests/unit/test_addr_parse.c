#include "config.h"

#include "base/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/error.h"

static struct addr
parse(const char *text, enum addr_use use)
{
	struct addr addr;
	struct error err = {""};

	if (addr_parse(text, use, &addr, &err) != 0)
		fail_msg("%s", err.text);
	return addr;
}

static void
assert_refused(const char *text, enum addr_use use, const char *expected)
{
	struct addr addr, before;
	struct error err;

	memset(&addr, 0x5a, sizeof addr);
	memset(&before, 0x5a, sizeof before);
	assert_int_equal(addr_parse(text, use, &addr, &err), -1);
	assert_memory_equal(&addr, &before, sizeof addr);
	assert_string_equal(err.text, expected);
	assert_int_equal(addr_parse(text, use, &addr, NULL), -1);
}

static void
ipv4_with_a_port_is_an_address(void **state)
{
	const struct addr addr = parse("192.0.2.1:8443", ADDR_FOR_LISTEN);
	const struct sockaddr_in *sin = (const struct sockaddr_in *)&addr.sa;

	(void)state;
	assert_int_equal(addr.kind, ADDR_INET);
	assert_int_equal(addr.port, 8443);
	assert_int_equal(addr.sa_len, sizeof *sin);
	assert_int_equal(sin->sin_family, AF_INET);
	assert_int_equal(ntohs(sin->sin_port), 8443);
	assert_int_equal(ntohl(sin->sin_addr.s_addr), 0xc0000201);
	assert_false(addr.dual_stack);
}

static void
ipv6_stands_in_brackets(void **state)
{
	const struct addr addr = parse("[2001:db8::1]:8443", ADDR_FOR_CONNECT);
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)&addr.sa;
	struct in6_addr ip;

	(void)state;
	assert_int_equal(addr.kind, ADDR_INET6);
	assert_int_equal(addr.port, 8443);
	assert_int_equal(addr.sa_len, sizeof *sin6);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &ip), 1);
	assert_memory_equal(&sin6->sin6_addr, &ip, sizeof ip);
	assert_false(addr.dual_stack);
}

static void
a_star_is_both_stacks(void **state)
{
	const struct addr addr = parse("*:8443", ADDR_FOR_LISTEN);
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)&addr.sa;

	(void)state;
	assert_int_equal(addr.kind, ADDR_INET6);
	assert_true(addr.dual_stack);
	assert_true(IN6_IS_ADDR_UNSPECIFIED(&sin6->sin6_addr));
	assert_false(parse("[::]:8443", ADDR_FOR_LISTEN).dual_stack);
}

static void
port_zero_is_for_listening_only(void **state)
{
	(void)state;
	assert_int_equal(parse("127.0.0.1:0", ADDR_FOR_LISTEN).port, 0);
	assert_refused("127.0.0.1:0", ADDR_FOR_CONNECT,
		"\"0\" is not a port (1-65535)");
}

static void
ports_out_of_range_say_so(void **state)
{
	(void)state;
	assert_int_equal(parse("127.0.0.1:65535", ADDR_FOR_LISTEN).port, 65535);
	assert_refused("127.0.0.1:99999999", ADDR_FOR_LISTEN,
		"\"99999999\" is not a port (1-65535)");
	assert_refused("127.0.0.1:65536", ADDR_FOR_LISTEN,
		"\"65536\" is not a port (1-65535)");
	assert_refused(
		"127.0.0.1:", ADDR_FOR_LISTEN, "\"\" is not a port (1-65535)");
	assert_refused("127.0.0.1:-1", ADDR_FOR_LISTEN,
		"\"-1\" is not a port (1-65535)");
	assert_refused("127.0.0.1: 80", ADDR_FOR_LISTEN,
		"\" 80\" is not a port (1-65535)");
	assert_refused("[::1]:https", ADDR_FOR_LISTEN,
		"\"https\" is not a port (1-65535)");
}

static void
an_address_without_port_is_refused(void **state)
{
	(void)state;
	assert_refused("192.0.2.1", ADDR_FOR_LISTEN,
		"\"192.0.2.1\" has no port (ADDRESS:PORT)");
	assert_refused("", ADDR_FOR_LISTEN, "\"\" has no port (ADDRESS:PORT)");
	assert_refused("[::1]", ADDR_FOR_LISTEN,
		"\"[::1]\" is not of the form [IPV6]:PORT");
	assert_refused(":80", ADDR_FOR_CONNECT, "no address before the port");
}

static void
ipv6_without_brackets_is_refused(void **state)
{
	(void)state;
	assert_refused("::1:8443", ADDR_FOR_LISTEN,
		"\"::1:8443\": an IPv6 address wants brackets ([IPV6]:PORT)");
	assert_refused("[192.0.2.1]:80", ADDR_FOR_LISTEN,
		"\"[192.0.2.1]:80\": no IPv6 address in the brackets");
	assert_refused("[]:80", ADDR_FOR_LISTEN,
		"\"[]:80\": no IPv6 address in the brackets");
	assert_refused("[::1", ADDR_FOR_LISTEN,
		"\"[::1\" is not of the form [IPV6]:PORT");
}

static void
an_endless_thing_in_brackets_is_refused(void **state)
{
	char text[500];

	(void)state;
	memset(text, ':', sizeof text);
	text[0] = '[';
	memcpy(text + sizeof text - 5, "]:80", 5);
	assert_int_equal(
		addr_parse(text, ADDR_FOR_LISTEN, &(struct addr){0}, NULL), -1);
}

static void
a_zone_is_for_link_local_addresses_only(void **state)
{
	const unsigned lo = if_nametoindex("lo");
	struct addr addr;

	(void)state;
	if (lo == 0)
		skip();
	addr = parse("[fe80::1%lo]:80", ADDR_FOR_CONNECT);
	assert_int_equal(
		((const struct sockaddr_in6 *)&addr.sa)->sin6_scope_id, lo);
	assert_refused("[::1%lo]:80", ADDR_FOR_CONNECT,
		"zone \"%lo\" makes sense for link-local addresses only");
	assert_refused("[fe80::1%nosuch0]:80", ADDR_FOR_CONNECT,
		"there is no network interface \"nosuch0\"");
	assert_refused("[fe80::1%]:80", ADDR_FOR_CONNECT,
		"there is no network interface \"\"");
}

static void
a_unix_socket_is_an_absolute_path(void **state)
{
	const struct addr addr = parse("unix:/run/x.sock", ADDR_FOR_CONNECT);
	const struct sockaddr_un *sun = (const struct sockaddr_un *)&addr.sa;

	(void)state;
	assert_int_equal(addr.kind, ADDR_UNIX);
	assert_int_equal(sun->sun_family, AF_UNIX);
	assert_string_equal(sun->sun_path, "/run/x.sock");
	assert_int_equal(addr.sa_len,
		offsetof(struct sockaddr_un, sun_path) + sizeof "/run/x.sock");
	assert_refused("unix:run/x.sock", ADDR_FOR_CONNECT,
		"\"unix:run/x.sock\" is not a unix socket (unix:/PATH, or "
		"unix:@NAME for an abstract one)");
	assert_refused("unix:", ADDR_FOR_LISTEN,
		"\"unix:\" is not a unix socket (unix:/PATH, or unix:@NAME "
		"for an abstract one)");
	assert_refused("unix:@", ADDR_FOR_LISTEN,
		"\"unix:@\" is not a unix socket (unix:/PATH, or unix:@NAME "
		"for an abstract one)");
}

static void
an_abstract_socket_has_no_nul_at_its_end(void **state)
{
	const struct addr addr = parse("unix:@name", ADDR_FOR_LISTEN);
	const struct sockaddr_un *sun = (const struct sockaddr_un *)&addr.sa;

	(void)state;
	assert_int_equal(addr.kind, ADDR_UNIX);
	assert_memory_equal(sun->sun_path, "\0name", 5);
	assert_int_equal(
		addr.sa_len, offsetof(struct sockaddr_un, sun_path) + 5);
}

static void
a_unix_path_longer_than_the_kernel_takes_is_refused(void **state)
{
	char text[sizeof "unix:" + 108], expected[300];
	struct addr addr;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	memcpy(text, "unix:/", 6);
	text[sizeof text - 1] = '\0'; /* 108 bytes of path */
	(void)snprintf(expected, sizeof expected,
		"\"%s\" is too long for a unix socket: 108 bytes, at most 107",
		text);
	assert_refused(text, ADDR_FOR_LISTEN, expected);
	text[sizeof text - 2] = '\0';
	addr = parse(text, ADDR_FOR_LISTEN);
	assert_int_equal(addr.sa_len, sizeof(struct sockaddr_un));
	assert_string_equal(
		((const struct sockaddr_un *)&addr.sa)->sun_path, text + 5);
}

static void
an_inherited_socket_has_a_name_and_is_listened_on(void **state)
{
	const struct addr addr = parse("systemd:web", ADDR_FOR_LISTEN);

	(void)state;
	assert_int_equal(addr.kind, ADDR_SYSTEMD);
	assert_string_equal(addr.name, "web");
	assert_refused("systemd:web", ADDR_FOR_CONNECT,
		"\"systemd:web\": inherited sockets can be listened on only");
	assert_refused("systemd:", ADDR_FOR_LISTEN,
		"\"systemd:\" does not name an inherited socket "
		"(systemd:NAME)");
	assert_refused("systemd:a:b", ADDR_FOR_LISTEN,
		"\"systemd:a:b\" does not name an inherited socket "
		"(systemd:NAME)");
	assert_refused("systemd:a b", ADDR_FOR_LISTEN,
		"\"systemd:a b\" does not name an inherited socket "
		"(systemd:NAME)");
}

static void
host_names_are_connected_to(void **state)
{
	static const char *const good[] = {"localhost", "db.example",
		"db.example.", "1and1.example", "a-b.c-d", "xn--bcher-kva.test",
		"1.2.3.4.example"};
	char text[64];
	struct addr addr;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		(void)snprintf(text, sizeof text, "%s:5432", good[i]);
		addr = parse(text, ADDR_FOR_CONNECT);
		assert_int_equal(addr.kind, ADDR_HOST);
		assert_string_equal(addr.name, good[i]);
		assert_int_equal(addr.port, 5432);
	}
	assert_refused("localhost:80", ADDR_FOR_LISTEN,
		"\"localhost\" is not an address to listen on (IPV4:PORT, "
		"[IPV6]:PORT, *:PORT, unix:/PATH, systemd:NAME)");
	assert_refused("*:80", ADDR_FOR_CONNECT,
		"\"*:80\": * can be listened on only, not connected to");
}

static void
what_is_no_host_name_is_refused(void **state)
{
	static const char *const bad[] = {"-a", "a-", "a..b", ".a", ".", "a_b",
		"a b", "z\xc3\xbcrich", "a/b", "a.-b", "*.example", "0xfg-"};
	char text[64], expected[128];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		(void)snprintf(text, sizeof text, "%s:1", bad[i]);
		(void)snprintf(expected, sizeof expected,
			"\"%s\" is not a host name", bad[i]);
		assert_refused(text, ADDR_FOR_CONNECT, expected);
	}
}

static void
numbers_that_are_no_address_are_no_host_name_either(void **state)
{
	(void)state;
	assert_refused("1.2.3:80", ADDR_FOR_CONNECT,
		"\"1.2.3\" is not an IPv4 address");
	assert_refused("256.0.0.1:80", ADDR_FOR_LISTEN,
		"\"256.0.0.1\" is not an IPv4 address");
	assert_refused("10.0.0.010:80", ADDR_FOR_CONNECT,
		"\"10.0.0.010\" is not an IPv4 address");
	assert_refused("2130706433:80", ADDR_FOR_CONNECT,
		"\"2130706433\" is not an IPv4 address");
	assert_refused("0x7f.1:80", ADDR_FOR_CONNECT,
		"\"0x7f.1\" is not an IPv4 address");
	assert_refused("127.0x1:80", ADDR_FOR_CONNECT,
		"\"127.0x1\" is not an IPv4 address");
	assert_refused("127.0.0.1.:80", ADDR_FOR_CONNECT,
		"\"127.0.0.1.\" is not an IPv4 address");
}

/* N bytes of host name in labels of 63, ":1" behind them. */
static void
fill_host(char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		text[i] = i % 64 == 63 ? '.' : 'a';
	memcpy(text + n, ":1", 3);
}

static void
host_names_have_the_limits_of_dns(void **state)
{
	char text[300];
	struct error err;
	struct addr addr;

	(void)state;
	fill_host(text, 253);
	assert_int_equal(strlen(parse(text, ADDR_FOR_CONNECT).name), 253);
	fill_host(text, 254);
	assert_int_equal(addr_parse(text, ADDR_FOR_CONNECT, &addr, &err), -1);
	assert_non_null(strstr(err.text, "a host name has at most 253 bytes"));
	memset(text, 'a', 64);
	memcpy(text + 64, ":1", 3);
	assert_int_equal(addr_parse(text, ADDR_FOR_CONNECT, &addr, &err), -1);
	assert_non_null(strstr(err.text, "is not a host name"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_with_a_port_is_an_address),
		cmocka_unit_test(ipv6_stands_in_brackets),
		cmocka_unit_test(a_star_is_both_stacks),
		cmocka_unit_test(port_zero_is_for_listening_only),
		cmocka_unit_test(ports_out_of_range_say_so),
		cmocka_unit_test(an_address_without_port_is_refused),
		cmocka_unit_test(ipv6_without_brackets_is_refused),
		cmocka_unit_test(an_endless_thing_in_brackets_is_refused),
		cmocka_unit_test(a_zone_is_for_link_local_addresses_only),
		cmocka_unit_test(a_unix_socket_is_an_absolute_path),
		cmocka_unit_test(an_abstract_socket_has_no_nul_at_its_end),
		cmocka_unit_test(
			a_unix_path_longer_than_the_kernel_takes_is_refused),
		cmocka_unit_test(
			an_inherited_socket_has_a_name_and_is_listened_on),
		cmocka_unit_test(host_names_are_connected_to),
		cmocka_unit_test(what_is_no_host_name_is_refused),
		cmocka_unit_test(
			numbers_that_are_no_address_are_no_host_name_either),
		cmocka_unit_test(host_names_have_the_limits_of_dns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
