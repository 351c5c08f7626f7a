#include "config.h"

#include "stats/stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"

static struct stats *
new_stats(void)
{
	struct error err;
	int fd = stats_create_fd(&err);
	struct stats *stats;

	assert_true(fd >= 0);
	stats = stats_map(fd, &err);
	assert_non_null(stats);
	assert_int_equal(close(fd), 0);
	return stats;
}

static void
new_memory_is_all_zero(void **state)
{
	struct stats *stats = new_stats();

	(void)state;
	for (unsigned i = 0; i < STATS_N_COUNTERS; i++)
		assert_true(stats_get(stats, (enum stats_counter)i) == 0);
	for (unsigned i = 0; i < STATS_N_GAUGES; i++)
		assert_true(stats_get_gauge(stats, (enum stats_gauge)i) == 0);
	stats_unmap(&stats);
	assert_null(stats);
}

static void
counters_add_up_and_gauges_are_replaced(void **state)
{
	struct stats *stats = new_stats();

	(void)state;
	stats_count(stats, STATS_BYTES_UP, UINT64_C(1) << 40);
	stats_count(stats, STATS_BYTES_UP, 7);
	stats_set(stats, STATS_CONNECTIONS, 12);
	stats_set(stats, STATS_CONNECTIONS, 5);
	assert_true(
		stats_get(stats, STATS_BYTES_UP) == (UINT64_C(1) << 40) + 7);
	assert_true(stats_get(stats, STATS_BYTES_DOWN) == 0);
	assert_true(stats_get_gauge(stats, STATS_CONNECTIONS) == 5);
	assert_true(stats_get_gauge(stats, STATS_HANDSHAKING) == 0);
	stats_unmap(&stats);
}

static void
what_a_dead_process_counted_is_not_lost(void **state)
{
	struct stats *stats = new_stats();
	int status = -1;
	pid_t pid;

	(void)state;
	stats_count(stats, STATS_ACCEPTED, 1);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		stats_count(stats, STATS_ACCEPTED, 2);
		stats_set(stats, STATS_HANDSHAKING, 3);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(stats_get(stats, STATS_ACCEPTED) == 3);
	assert_true(stats_get_gauge(stats, STATS_HANDSHAKING) == 3);
	stats_unmap(&stats);
}

static void
two_mappings_show_the_same_numbers(void **state)
{
	int fd = stats_create_fd(NULL);
	struct stats *one = stats_map(fd, NULL);
	struct stats *two = stats_map(fd, NULL);

	(void)state;
	assert_non_null(one);
	assert_non_null(two);
	stats_count(one, STATS_CLOSED, 4);
	assert_true(stats_get(two, STATS_CLOSED) == 4);
	stats_unmap(&one);
	stats_unmap(&two);
	assert_int_equal(close(fd), 0);
}

static void
the_memory_can_neither_shrink_nor_grow(void **state)
{
	int fd = stats_create_fd(NULL);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, 1 << 20), -1);
	assert_int_equal(close(fd), 0);
}

static void
memory_of_another_size_is_refused(void **state)
{
	const unsigned seals = F_SEAL_SHRINK | F_SEAL_GROW;
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct error err;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 8), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	assert_null(stats_map(fd, &err));
	assert_string_equal(
		err.text, "cannot map the stats memory: wrong size");
	assert_int_equal(close(fd), 0);
}

static void
what_is_no_memfd_is_refused(void **state)
{
	struct error err;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_null(stats_map(fds[0], &err));
	assert_non_null(strstr(err.text, "cannot map the stats memory: "));
	assert_null(stats_map(-1, &err));
	assert_int_equal(close(fds[0]), 0);
	assert_int_equal(close(fds[1]), 0);
}

static void
unmapping_nothing_is_allowed(void **state)
{
	struct stats *stats = NULL;

	(void)state;
	stats_unmap(&stats);
	assert_null(stats);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_memory_is_all_zero),
		cmocka_unit_test(counters_add_up_and_gauges_are_replaced),
		cmocka_unit_test(what_a_dead_process_counted_is_not_lost),
		cmocka_unit_test(two_mappings_show_the_same_numbers),
		cmocka_unit_test(the_memory_can_neither_shrink_nor_grow),
		cmocka_unit_test(memory_of_another_size_is_refused),
		cmocka_unit_test(what_is_no_memfd_is_refused),
		cmocka_unit_test(unmapping_nothing_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
