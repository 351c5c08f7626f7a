#define _GNU_SOURCE
#include "config.h"

#include "supervisor/ticket_secret.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/systemd.h"
#include "service_manager.h"

#define NAME "ticket-secret"

#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

static const uint8_t kept[TICKET_SECRET_SIZE + 1] = {4, 2, 1};

static int
sealed(size_t len)
{
	struct error err;

	return fd_sealed_memfd("x", kept, len, &err);
}

/* What a fresh process with FD in the store makes of it. */
static int
is_used(int fd)
{
	struct ticket_secret secret;
	int used;

	manager_inherit(NAME, fd);
	ticket_secret_init(&secret);
	used = secret.inherited &&
	       memcmp(secret.bytes, kept, TICKET_SECRET_SIZE) == 0;
	ticket_secret_done(&secret);
	return used;
}

static int
use_sealed(void)
{
	return is_used(sealed(TICKET_SECRET_SIZE));
}

static int
use_short(void)
{
	return is_used(sealed(TICKET_SECRET_SIZE - 1));
}

static int
use_long(void)
{
	return is_used(sealed(TICKET_SECRET_SIZE + 1));
}

static int
use_unsealed(void)
{
	int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	(void)fd_write_all(fd, kept, TICKET_SECRET_SIZE);
	return is_used(fd);
}

static int
use_file(void)
{
	char path[] = "/tmp/test_ticket_secret.XXXXXX";
	int fd = mkstemp(path);

	(void)fd_write_all(fd, kept, TICKET_SECRET_SIZE);
	(void)unlink(path);
	return is_used(fd);
}

static int
use_pipe(void)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	return is_used(ends[0]);
}

static void
a_kept_secret_is_used(void **state)
{
	(void)state;
	if (!systemd_available())
		skip();
	assert_int_equal(manager_in_child(use_sealed), 1);
}

static void
what_is_no_sealed_memory_of_the_right_size_is_not_used(void **state)
{
	(void)state;
	assert_int_equal(manager_in_child(use_short), 0);
	assert_int_equal(manager_in_child(use_long), 0);
	assert_int_equal(manager_in_child(use_unsealed), 0);
	assert_int_equal(manager_in_child(use_file), 0);
	assert_int_equal(manager_in_child(use_pipe), 0);
}

static void
what_is_not_used_leaves_the_store(void **state)
{
	struct manager *manager = *state;

	if (!systemd_available())
		skip();
	assert_int_equal(manager_in_child(use_short), 0);
	manager_expect(manager, "FDSTOREREMOVE=1\nFDNAME=" NAME);
}

static void
without_one_it_is_random(void **state)
{
	struct ticket_secret a, b;

	(void)state;
	ticket_secret_init(&a);
	ticket_secret_init(&b);
	assert_false(a.inherited);
	assert_memory_not_equal(a.bytes, b.bytes, sizeof a.bytes);
	ticket_secret_done(&a);
	ticket_secret_done(&b);
}

static void
it_is_stored_once_and_sealed(void **state)
{
	struct manager *manager = *state;
	struct ticket_secret secret;
	uint8_t bytes[TICKET_SECRET_SIZE];
	int fd;

	if (!systemd_available())
		skip();
	ticket_secret_init(&secret);
	ticket_secret_store(&secret, true);
	ticket_secret_store(&secret, true);
	fd = manager_expect_fd(manager, "FDSTORE=1\nFDPOLL=0\nFDNAME=" NAME);
	assert_int_equal(pread(fd, bytes, sizeof bytes, 0), sizeof bytes);
	assert_memory_equal(bytes, secret.bytes, sizeof bytes);
	assert_int_equal(fcntl(fd, F_GET_SEALS) & SEALS, SEALS);
	assert_int_equal(ftruncate(fd, 1), -1);
	(void)close(fd);
	ticket_secret_store(&secret, false);
	manager_expect(manager, "FDSTOREREMOVE=1\nFDNAME=" NAME);
	ticket_secret_store(&secret, false);
	manager_expect_nothing(manager);
	ticket_secret_done(&secret);
}

static void
a_manager_that_stores_nothing_is_given_nothing(void **state)
{
	struct manager *manager = *state;
	struct ticket_secret secret;

	assert_int_equal(setenv("FDSTORE", "0", 1), 0);
	ticket_secret_init(&secret);
	ticket_secret_store(&secret, true);
	manager_expect_nothing(manager);
	ticket_secret_done(&secret);
}

static void
it_is_wiped_in_the_end(void **state)
{
	static const uint8_t zeros[TICKET_SECRET_SIZE];
	struct ticket_secret secret;

	(void)state;
	ticket_secret_init(&secret);
	assert_memory_not_equal(secret.bytes, zeros, sizeof zeros);
	ticket_secret_done(&secret);
	assert_memory_equal(secret.bytes, zeros, sizeof zeros);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, manager_start, manager_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_kept_secret_is_used),
		TEST(what_is_no_sealed_memory_of_the_right_size_is_not_used),
		TEST(what_is_not_used_leaves_the_store),
		TEST(without_one_it_is_random),
		TEST(it_is_stored_once_and_sealed),
		TEST(a_manager_that_stores_nothing_is_given_nothing),
		TEST(it_is_wiped_in_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
