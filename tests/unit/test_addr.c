#include "config.h"

#include "base/addr.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static struct addr
listen_on(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, ADDR_FOR_LISTEN, &addr, NULL), 0);
	return addr;
}

static struct addr
connect_to(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, ADDR_FOR_CONNECT, &addr, NULL), 0);
	return addr;
}

static void
what_is_formatted_can_be_parsed_again(void **state)
{
	static const char *const texts[] = {"192.0.2.1:8443", "0.0.0.0:0",
		"[2001:db8::1]:8443", "[::]:1", "*:8443", "unix:/run/x.sock",
		"unix:@abstract", "systemd:web"};
	char out[ADDR_TEXT_MAX];
	struct addr addr;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		addr = listen_on(texts[i]);
		assert_ptr_equal(addr_format(&addr, out), out);
		assert_string_equal(out, texts[i]);
	}
	addr = connect_to("db.example:5432");
	assert_string_equal(addr_format(&addr, out), "db.example:5432");
	addr = (struct addr){0};
	assert_string_equal(addr_format(&addr, out), "");
}

static void
a_zone_is_formatted_even_when_its_interface_is_gone(void **state)
{
	struct addr addr = connect_to("[fe80::1]:80");
	char out[ADDR_TEXT_MAX];

	(void)state;
	((struct sockaddr_in6 *)&addr.sa)->sin6_scope_id = 2147483000;
	assert_string_equal(addr_format(&addr, out), "[fe80::1%2147483000]:80");
}

static void
a_peer_of_the_kernel_becomes_an_address(void **state)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
		.sin_port = htons(1234),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6,
		.sin6_port = htons(1234),
		.sin6_addr = in6addr_loopback};
	char out[ADDR_TEXT_MAX];
	struct addr addr;

	(void)state;
	addr_from_sockaddr((const struct sockaddr *)&sin, sizeof sin, &addr);
	assert_int_equal(addr.kind, ADDR_INET);
	assert_int_equal(addr.port, 1234);
	assert_string_equal(addr_format(&addr, out), "127.0.0.1:1234");
	addr_from_sockaddr((const struct sockaddr *)&sin6, sizeof sin6, &addr);
	assert_int_equal(addr.kind, ADDR_INET6);
	assert_string_equal(addr_format(&addr, out), "[::1]:1234");
}

static void
unix_peers_may_be_unnamed_or_abstract_or_unterminated(void **state)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	const socklen_t head = offsetof(struct sockaddr_un, sun_path);
	char out[ADDR_TEXT_MAX], expected[ADDR_TEXT_MAX];
	struct addr addr;

	(void)state;
	addr_from_sockaddr((const struct sockaddr *)&sun, head, &addr);
	assert_int_equal(addr.kind, ADDR_UNIX);
	assert_string_equal(addr_format(&addr, out), "unix:");

	memcpy(sun.sun_path, "\0a\0b", 4);
	addr_from_sockaddr((const struct sockaddr *)&sun, head + 4, &addr);
	assert_string_equal(addr_format(&addr, out), "unix:@a@b");

	memset(sun.sun_path, 'x', sizeof sun.sun_path);
	addr_from_sockaddr((const struct sockaddr *)&sun, sizeof sun, &addr);
	memcpy(expected, "unix:", 5);
	memset(expected + 5, 'x', sizeof sun.sun_path);
	expected[5 + sizeof sun.sun_path] = '\0';
	assert_string_equal(addr_format(&addr, out), expected);
}

static void
a_socketpair_has_unnamed_ends(void **state)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;
	char out[ADDR_TEXT_MAX];
	struct addr addr;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(getpeername(fds[0], (struct sockaddr *)&sa, &len), 0);
	addr_from_sockaddr((const struct sockaddr *)&sa, len, &addr);
	assert_string_equal(addr_format(&addr, out), "unix:");
	assert_true(addr_is_local(&addr));
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void
short_or_strange_socket_addresses_are_none(void **state)
{
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};
	struct sockaddr other = {.sa_family = AF_APPLETALK};
	struct addr addr;

	(void)state;
	addr_from_sockaddr((const struct sockaddr *)&sin6,
		sizeof(struct sockaddr_in) - 1, &addr);
	assert_int_equal(addr.kind, ADDR_NONE);
	addr_from_sockaddr((const struct sockaddr *)&sin6, 0, &addr);
	assert_int_equal(addr.kind, ADDR_NONE);
	addr_from_sockaddr(&other, sizeof other, &addr);
	assert_int_equal(addr.kind, ADDR_NONE);
}

static bool
equal(const char *a_text, const char *b_text)
{
	const struct addr a = connect_to(a_text), b = connect_to(b_text);

	assert_int_equal(addr_equal(&a, &b), addr_equal(&b, &a));
	return addr_equal(&a, &b);
}

static void
equal_is_the_same_socket(void **state)
{
	const struct addr none = {0}, star = listen_on("*:80"),
			  any6 = listen_on("[::]:80"),
			  web = listen_on("systemd:web"),
			  ftp = listen_on("systemd:ftp");

	(void)state;
	assert_true(equal("192.0.2.1:80", "192.0.2.1:80"));
	assert_false(equal("192.0.2.1:80", "192.0.2.1:81"));
	assert_false(equal("192.0.2.1:80", "192.0.2.2:80"));
	assert_true(equal("[::1]:80", "[0::1]:80"));
	assert_false(equal("[::1]:80", "127.0.0.1:80"));
	assert_true(equal("unix:/a", "unix:/a"));
	assert_false(equal("unix:/a", "unix:/ab"));
	assert_false(equal("unix:@aa", "unix:/aa"));
	assert_true(equal("DB.example:1", "db.example:1"));
	assert_false(equal("db.example:1", "db.example:2"));
	assert_true(addr_equal(&none, &none));
	assert_false(addr_equal(&star, &any6));
	assert_true(addr_equal(&web, &web));
	assert_false(addr_equal(&web, &ftp));
}

static bool
overlap(const char *a_text, const char *b_text)
{
	const struct addr a = listen_on(a_text), b = listen_on(b_text);

	assert_int_equal(addr_overlaps(&a, &b), addr_overlaps(&b, &a));
	return addr_overlaps(&a, &b);
}

static void
overlapping_is_what_cannot_be_bound_side_by_side(void **state)
{
	const struct addr none = {0};

	(void)state;
	assert_true(overlap("192.0.2.1:80", "192.0.2.1:80"));
	assert_true(overlap("192.0.2.1:80", "0.0.0.0:80"));
	assert_true(overlap("192.0.2.1:80", "*:80"));
	assert_true(overlap("0.0.0.0:80", "*:80"));
	assert_true(overlap("[::1]:80", "[::]:80"));
	assert_true(overlap("[::1]:80", "*:80"));
	assert_true(overlap("*:80", "[::]:80"));
	assert_true(overlap("unix:/a", "unix:/a"));
	assert_true(overlap("systemd:web", "systemd:web"));

	assert_false(overlap("192.0.2.1:80", "192.0.2.2:80"));
	assert_false(overlap("192.0.2.1:80", "*:81"));
	assert_false(overlap("0.0.0.0:80", "[::]:80"));
	assert_false(overlap("192.0.2.1:80", "[::1]:80"));
	assert_false(overlap("127.0.0.1:0", "127.0.0.1:0"));
	assert_false(overlap("*:0", "0.0.0.0:0"));
	assert_false(overlap("unix:/a", "unix:/b"));
	assert_false(overlap("unix:/a", "*:80"));
	assert_false(overlap("systemd:a", "systemd:b"));
	assert_false(addr_overlaps(&none, &none));
}

static void
local_is_loopback_or_unix(void **state)
{
	static const char *const local[] = {"127.0.0.1:1", "127.255.0.9:1",
		"[::1]:1", "[::ffff:127.1.2.3]:1", "unix:/a", "unix:@a"};
	static const char *const remote[] = {"128.0.0.1:1", "0.0.0.0:1",
		"10.0.0.1:1", "[::]:1", "[::2]:1", "[::ffff:10.0.0.1]:1",
		"[fe80::1]:1", "[::127.0.0.1]:1", "localhost:1"};
	const struct addr inherited = listen_on("systemd:web"), none = {0};

	(void)state;
	for (size_t i = 0; i < sizeof local / sizeof local[0]; i++) {
		const struct addr addr = connect_to(local[i]);

		assert_true(addr_is_local(&addr));
	}
	for (size_t i = 0; i < sizeof remote / sizeof remote[0]; i++) {
		const struct addr addr = connect_to(remote[i]);

		assert_false(addr_is_local(&addr));
	}
	assert_false(addr_is_local(&inherited));
	assert_false(addr_is_local(&none));
}

static void
only_a_unix_socket_with_a_name_has_a_path(void **state)
{
	const struct addr path = listen_on("unix:/run/x");
	const struct addr abstract = listen_on("unix:@x");
	const struct addr unnamed = {.kind = ADDR_UNIX};
	const struct addr inet = listen_on("127.0.0.1:1");

	(void)state;
	assert_string_equal(addr_unix_path(&path), "/run/x");
	assert_null(addr_unix_path(&abstract));
	assert_null(addr_unix_path(&unnamed));
	assert_null(addr_unix_path(&inet));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_formatted_can_be_parsed_again),
		cmocka_unit_test(
			a_zone_is_formatted_even_when_its_interface_is_gone),
		cmocka_unit_test(a_peer_of_the_kernel_becomes_an_address),
		cmocka_unit_test(
			unix_peers_may_be_unnamed_or_abstract_or_unterminated),
		cmocka_unit_test(a_socketpair_has_unnamed_ends),
		cmocka_unit_test(short_or_strange_socket_addresses_are_none),
		cmocka_unit_test(equal_is_the_same_socket),
		cmocka_unit_test(
			overlapping_is_what_cannot_be_bound_side_by_side),
		cmocka_unit_test(local_is_loopback_or_unix),
		cmocka_unit_test(only_a_unix_socket_with_a_name_has_a_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
