#include "config.h"

#include "proxy/backend.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "sockets.h"

static struct addr
parse(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, ADDR_FOR_CONNECT, &addr, NULL), 0);
	return addr;
}

static struct backend
backend_of(const char *text)
{
	struct addr addr = parse(text);
	struct backend backend;

	backend_init(&backend, &addr);
	return backend;
}

static void
a_numeric_address_is_its_own_only_address(void **state)
{
	struct addr addr = parse("127.0.0.1:8080");
	struct backend backend = backend_of("127.0.0.1:8080");

	(void)state;
	assert_int_equal(backend.n_addresses, 1);
	assert_true(addr_equal(backend_address(&backend, 0), &addr));
	backend_done(&backend);
	assert_int_equal(backend.n_addresses, 0);
	assert_null(backend_address(&backend, 0));
}

static void
a_unix_address_is_its_own_only_address(void **state)
{
	struct backend backend = backend_of("unix:/run/x.sock");

	(void)state;
	assert_int_equal(backend.n_addresses, 1);
	assert_int_equal(backend_address(&backend, 0)->kind, ADDR_UNIX);
	backend_done(&backend);
}

static void
a_host_name_has_no_address_before_it_is_resolved(void **state)
{
	struct backend backend = backend_of("db.example:5432");

	(void)state;
	assert_int_equal(backend.n_addresses, 0);
	errno = 0;
	assert_int_equal(backend_dial(&backend, 0), -1);
	assert_int_equal(errno, ENXIO);
	backend_done(&backend);
}

static void
an_answer_replaces_the_one_before(void **state)
{
	const struct addr first[] = {
		parse("192.0.2.1:5432"), parse("192.0.2.2:5432")};
	const struct addr second[] = {parse("192.0.2.3:5432")};
	struct backend backend = backend_of("db.example:5432");

	(void)state;
	backend_resolved(&backend, "db.example", 5432, first, 2);
	assert_int_equal(backend.n_addresses, 2);
	assert_true(addr_equal(backend_address(&backend, 1), &first[1]));
	backend_resolved(&backend, "db.example", 5432, second, 1);
	assert_int_equal(backend.n_addresses, 1);
	assert_true(addr_equal(backend_address(&backend, 0), &second[0]));
	backend_done(&backend);
}

static void
an_empty_answer_keeps_the_one_before(void **state)
{
	const struct addr addr = parse("192.0.2.1:5432");
	struct backend backend = backend_of("db.example:5432");

	(void)state;
	backend_resolved(&backend, "db.example", 5432, NULL, 0);
	assert_int_equal(backend.n_addresses, 0);
	backend_resolved(&backend, "db.example", 5432, &addr, 1);
	backend_resolved(&backend, "db.example", 5432, NULL, 0);
	assert_int_equal(backend.n_addresses, 1);
	backend_done(&backend);
}

static void
news_of_another_name_or_port_is_ignored(void **state)
{
	const struct addr addr = parse("192.0.2.1:5432");
	struct backend backend = backend_of("db.example:5432");

	(void)state;
	backend_resolved(&backend, "db2.example", 5432, &addr, 1);
	backend_resolved(&backend, "db.example", 5433, &addr, 1);
	backend_resolved(&backend, "", 5432, &addr, 1);
	assert_int_equal(backend.n_addresses, 0);
	backend_done(&backend);
}

static void
a_numeric_backend_cannot_be_resolved_away(void **state)
{
	const struct addr addr = parse("192.0.2.1:80");
	struct backend backend = backend_of("127.0.0.1:80");

	(void)state;
	backend_resolved(&backend, "127.0.0.1", 80, &addr, 1);
	backend_resolved(&backend, "", 80, &addr, 1);
	assert_false(addr_equal(backend_address(&backend, 0), &addr));
	backend_done(&backend);
}

static void
each_attempt_takes_the_next_address(void **state)
{
	unsigned short port;
	int listener = tcp_listen(&port);
	struct sockaddr_storage peer = {0};
	socklen_t len = sizeof peer;
	struct addr addresses[2];
	char text[32];
	struct backend backend = backend_of("db.example:5432");
	int fd;

	(void)state;
	(void)snprintf(text, sizeof text, "127.0.0.1:%hu", port);
	addresses[0] = parse("unix:/nonexistent/x.sock");
	addresses[1] = parse(text);
	backend_resolved(&backend, "db.example", 5432, addresses, 2);
	errno = 0;
	assert_int_equal(backend_dial(&backend, 0), -1);
	assert_int_equal(errno, ENOENT);
	fd = backend_dial(&backend, 1);
	assert_true(fd >= 0);
	wait_readable(listener);
	assert_int_equal(getpeername(fd, (struct sockaddr *)&peer, &len), 0);
	assert_int_equal(backend_dial(&backend, 2), -1);
	assert_int_equal(errno, ENXIO);
	assert_int_equal(close(fd), 0);
	assert_int_equal(close(listener), 0);
	backend_done(&backend);
}

static void
done_twice_is_done_once(void **state)
{
	struct backend backend = backend_of("127.0.0.1:80");

	(void)state;
	backend_done(&backend);
	backend_done(&backend);
	assert_null(backend_address(&backend, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_numeric_address_is_its_own_only_address),
		cmocka_unit_test(a_unix_address_is_its_own_only_address),
		cmocka_unit_test(
			a_host_name_has_no_address_before_it_is_resolved),
		cmocka_unit_test(an_answer_replaces_the_one_before),
		cmocka_unit_test(an_empty_answer_keeps_the_one_before),
		cmocka_unit_test(news_of_another_name_or_port_is_ignored),
		cmocka_unit_test(a_numeric_backend_cannot_be_resolved_away),
		cmocka_unit_test(each_attempt_takes_the_next_address),
		cmocka_unit_test(done_twice_is_done_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
