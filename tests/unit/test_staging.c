#include "worker/staging.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc/message.h"
#include "worker/generation.h"

/* What a message carries is a duplicate that somebody has to close. */
static int
spare(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void
begin(struct staging *staging, uint64_t number)
{
	struct message m;

	message_init(&m, MESSAGE_STAGE);
	message_put_u64(&m, number);
	message_put_text(&m, "t.ini");
	message_put_fd(&m, spare());
	message_put_fd(&m, spare());
	staging_begin(staging, &m);
	message_close_fds(&m);
}

static void
add_socket(struct staging *staging, uint64_t number)
{
	struct message m;

	message_init(&m, MESSAGE_SOCKET);
	message_put_u64(&m, number);
	message_put_text(&m, "gw");
	message_put_fd(&m, spare());
	staging_add_socket(staging, &m);
	message_close_fds(&m);
}

static void
nothing_is_on_its_way_at_first(void **state)
{
	struct staging staging;

	(void)state;
	staging_init(&staging);
	assert_false(staging_is_of(&staging, 0));
	add_socket(&staging, 0);
	staging_done(&staging);
}

static void
sockets_are_collected_for_the_one_begun(void **state)
{
	struct staging staging;

	(void)state;
	staging_init(&staging);
	begin(&staging, 3);
	assert_true(staging_is_of(&staging, 3));
	assert_string_equal(staging.path, "t.ini");
	add_socket(&staging, 3);
	add_socket(&staging, 2);
	add_socket(&staging, 3);
	assert_int_equal(generation_sockets(staging.generation), 2);
	staging_done(&staging);
	assert_false(staging_is_of(&staging, 3));
}

static void
the_next_takes_the_place_of_one_that_was_not_built(void **state)
{
	struct staging staging;

	(void)state;
	staging_init(&staging);
	begin(&staging, 3);
	add_socket(&staging, 3);
	begin(&staging, 4);
	assert_false(staging_is_of(&staging, 3));
	assert_true(staging_is_of(&staging, 4));
	assert_int_equal(generation_sockets(staging.generation), 0);
	staging_done(&staging);
}

static void
all_descriptors_are_closed_in_the_end(void **state)
{
	struct staging staging;
	int before = spare();
	int after;

	(void)state;
	(void)close(before);
	staging_init(&staging);
	begin(&staging, 1);
	add_socket(&staging, 1);
	begin(&staging, 2);
	add_socket(&staging, 1);
	staging_done(&staging);
	after = spare();
	assert_int_equal(after, before);
	(void)close(after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_on_its_way_at_first),
		cmocka_unit_test(sockets_are_collected_for_the_one_begun),
		cmocka_unit_test(
			the_next_takes_the_place_of_one_that_was_not_built),
		cmocka_unit_test(all_descriptors_are_closed_in_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
