#define _GNU_SOURCE
#include "config.h"

#include "supervisor/handover.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/mem.h"

static struct handover
filled(void)
{
	struct handover handover = {
		.version = xstrdup("1.2.3"),
		.protocol = xstrdup("p"),
		.program = xstrdup("/usr/sbin/sallyport"),
		.generation = UINT64_MAX - 1,
		.next_generation = UINT64_MAX,
		.public_fd = 10,
		.secret_fd = 11,
		.ticket_secret = {1, 2, 3},
		.ticket_secret_stored = true,
	};
	const struct handover_worker worker = {.index = 3,
		.pid = 4711,
		.leaving = true,
		.foreign = true,
		.channel_fd = 12,
		.stats_fd = -1};

	handover_add(&handover, HANDOVER_SOCKET, "gw", "*:443", 13);
	handover_add(&handover, HANDOVER_SOCKET, "gw", "[::1]:0", 14);
	handover_add(&handover, HANDOVER_OUTPUT, "", "/var/log/keys", 15);
	handover_add(&handover, HANDOVER_INHERITED, "web", "", 16);
	handover_add(&handover, HANDOVER_STORED, "sallyport-listen-1", "", -1);
	handover_add(&handover, HANDOVER_ADMIN, "", "/run/x/admin.sock", 17);
	handover_add(&handover, HANDOVER_SESSIONS, "", "", 18);
	handover_add_worker(&handover, &worker);
	return handover;
}

/* HANDOVER as it is read back; the first is done with. */
static int
pass(struct handover *handover, struct handover *out, struct error *err)
{
	int fd = handover_write(handover, err), rc;

	assert_true(fd >= 0);
	rc = handover_read(fd, out, err);
	assert_int_equal(close(fd), 0);
	handover_done(handover);
	return rc;
}

static void
what_was_written_is_read(void **state)
{
	struct handover handover = filled(), got;
	struct error err;

	(void)state;
	assert_int_equal(pass(&handover, &got, &err), 0);
	assert_string_equal(got.version, "1.2.3");
	assert_string_equal(got.protocol, "p");
	assert_string_equal(got.program, "/usr/sbin/sallyport");
	assert_true(got.generation == UINT64_MAX - 1);
	assert_true(got.next_generation == UINT64_MAX);
	assert_int_equal(got.public_fd, 10);
	assert_int_equal(got.secret_fd, 11);
	assert_int_equal(got.ticket_secret[2], 3);
	assert_true(got.ticket_secret_stored);
	assert_int_equal(got.n_items, 7);
	assert_int_equal(got.n_workers, 1);
	assert_int_equal(got.workers[0].index, 3);
	assert_int_equal(got.workers[0].pid, 4711);
	assert_true(got.workers[0].leaving);
	assert_true(got.workers[0].foreign);
	assert_int_equal(got.workers[0].channel_fd, 12);
	assert_int_equal(got.workers[0].stats_fd, -1);
	handover_done(&got);
}

static void
each_item_is_taken_once(void **state)
{
	struct handover handover = filled();
	struct handover_item *item;

	(void)state;
	item = handover_take(&handover, HANDOVER_SOCKET);
	assert_string_equal(item->where, "*:443");
	assert_int_equal(item->fd, 13);
	item = handover_take(&handover, HANDOVER_SOCKET);
	assert_string_equal(item->where, "[::1]:0");
	assert_null(handover_take(&handover, HANDOVER_SOCKET));
	item = handover_take(&handover, HANDOVER_STORED);
	assert_string_equal(item->name, "sallyport-listen-1");
	assert_int_equal(item->fd, -1);
	handover_done(&handover);
}

/* Why HANDOVER is not read; "" if it is. */
static const char *
refusal(struct handover *handover)
{
	static struct error err;
	struct handover got;

	if (pass(handover, &got, &err) < 0)
		return err.text;
	handover_done(&got);
	return "";
}

#define NONSENSE "the handover makes no sense"

static void
a_descriptor_that_is_named_twice_is_refused(void **state)
{
	struct handover handover = filled();

	(void)state;
	handover.items[0].fd = handover.items[1].fd;
	assert_string_equal(refusal(&handover), NONSENSE);
	handover = filled();
	handover.workers[0].channel_fd = handover.public_fd;
	assert_string_equal(refusal(&handover), NONSENSE);
}

static void
standard_descriptors_are_refused(void **state)
{
	struct handover handover = filled();

	(void)state;
	handover.items[0].fd = STDERR_FILENO;
	assert_string_equal(refusal(&handover), NONSENSE);
	handover = filled();
	handover.secret_fd = STDIN_FILENO;
	assert_string_equal(refusal(&handover), NONSENSE);
}

static void
a_missing_descriptor_is_refused(void **state)
{
	struct handover handover = filled();

	(void)state;
	handover.public_fd = -1;
	assert_string_equal(refusal(&handover), NONSENSE);
	handover = filled();
	handover.items[0].fd = -1;
	assert_string_equal(refusal(&handover), NONSENSE);
	handover = filled();
	handover.workers[0].channel_fd = -1;
	assert_string_equal(refusal(&handover), NONSENSE);
	handover = filled();
	handover.items[4].fd = 30; /* one that is with the manager */
	assert_string_equal(refusal(&handover), NONSENSE);
}

static void
a_pid_that_is_none_of_ours_is_refused(void **state)
{
	struct handover handover = filled();

	(void)state;
	handover.workers[0].pid = 1;
	assert_string_equal(refusal(&handover), NONSENSE);
	handover = filled();
	handover.workers[0].pid = -1;
	assert_string_equal(refusal(&handover), NONSENSE);
}

static void
an_unknown_kind_is_refused(void **state)
{
	struct handover handover = filled();

	(void)state;
	handover.items[0].kind = HANDOVER_N_KINDS;
	assert_string_equal(refusal(&handover), NONSENSE);
}

static void
another_format_is_refused_by_name(void **state)
{
	static const char bytes[] = "\x05\0\0\0other and more";
	struct handover got;
	struct error err;

	(void)state;
	assert_int_equal(handover_decode(bytes, sizeof bytes, &got, &err), -1);
	assert_non_null(strstr(err.text, "another format"));
	assert_non_null(strstr(err.text, HANDOVER_FORMAT));
	assert_int_equal(handover_decode("", 0, &got, &err), -1);
}

/* Every length but the whole one. */
static void
what_was_cut_off_or_goes_on_is_refused(void **state)
{
	struct handover handover = filled(), got;
	struct error err;
	char *bytes, *longer;
	size_t len, i;
	int fd = handover_write(&handover, &err);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fd_read_all(fd, HANDOVER_MAX, &bytes, &len, &err), 0);
	for (i = 0; i < len; i++)
		assert_int_equal(handover_decode(bytes, i, &got, &err), -1);
	longer = xcalloc(1, len + 1);
	memcpy(longer, bytes, len);
	assert_int_equal(handover_decode(longer, len + 1, &got, &err), -1);
	free(longer);
	free(bytes);
	assert_int_equal(close(fd), 0);
	handover_done(&handover);
}

static void
all_descriptors_survive_exec_or_none(void **state)
{
	struct handover handover = {.public_fd = -1, .secret_fd = -1};
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	handover_add(&handover, HANDOVER_OUTPUT, "", "x", fd);
	assert_int_equal(handover_set_cloexec(&handover, false), 0);
	assert_int_equal(fcntl(fd, F_GETFD), 0);
	assert_int_equal(handover_set_cloexec(&handover, true), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(close(fd), 0);
	assert_int_equal(handover_set_cloexec(&handover, true), -1);
	handover_done(&handover);
}

static void
it_is_found_once_and_only_by_the_process_it_is_for(void **state)
{
	int fd = open("/dev/null", O_RDONLY);

	(void)state;
	assert_int_equal(handover_find(), -1);
	handover_announce(fd);
	assert_int_equal(handover_find(), fd);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(handover_find(), -1);
	assert_int_equal(setenv("SALLYPORT_HANDOVER", "1:5", 1), 0);
	assert_int_equal(handover_find(), -1);
	assert_null(getenv("SALLYPORT_HANDOVER"));
	handover_announce(fd);
	assert_int_equal(close(fd), 0);
	assert_int_equal(handover_find(), -1); /* not open */
	handover_announce(STDERR_FILENO);
	assert_int_equal(handover_find(), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(each_item_is_taken_once),
		cmocka_unit_test(a_descriptor_that_is_named_twice_is_refused),
		cmocka_unit_test(standard_descriptors_are_refused),
		cmocka_unit_test(a_missing_descriptor_is_refused),
		cmocka_unit_test(a_pid_that_is_none_of_ours_is_refused),
		cmocka_unit_test(an_unknown_kind_is_refused),
		cmocka_unit_test(another_format_is_refused_by_name),
		cmocka_unit_test(what_was_cut_off_or_goes_on_is_refused),
		cmocka_unit_test(all_descriptors_survive_exec_or_none),
		cmocka_unit_test(
			it_is_found_once_and_only_by_the_process_it_is_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
