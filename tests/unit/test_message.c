#include "config.h"

#include "ipc/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <unistd.h>

#include <cmocka.h>

static void
put_one_of_each(struct message *m)
{
	message_init(m, MESSAGE_STAGE);
	message_put_u8(m, 200);
	message_put_u16(m, 60000);
	message_put_u32(m, 4000000000U);
	message_put_u64(m, UINT64_MAX - 1);
	message_put_text(m, "settings");
	message_put_text(m, "");
	message_put_bytes(m, "\0\1\2", 3);
	message_put_bytes(m, NULL, 0);
}

static void
get_one_of_each(struct message *m)
{
	char text[9];
	uint8_t bytes[3];

	(void)message_get_u8(m);
	(void)message_get_u16(m);
	(void)message_get_u32(m);
	(void)message_get_u64(m);
	message_get_text(m, text, sizeof text);
	message_get_text(m, text, sizeof text);
	(void)message_get_bytes(m, bytes, sizeof bytes);
	(void)message_get_bytes(m, bytes, sizeof bytes);
}

static void
every_field_comes_back_as_it_was_put(void **state)
{
	struct message out, in;
	uint8_t wire[MESSAGE_WIRE_MAX];
	char text[9];
	uint8_t bytes[3];
	size_t len;

	(void)state;
	put_one_of_each(&out);
	len = message_encode(&out, wire, sizeof wire);
	assert_int_equal(len, out.len + 2);
	assert_true(message_decode(&in, wire, len));
	assert_int_equal(in.type, MESSAGE_STAGE);
	assert_int_equal(message_get_u8(&in), 200);
	assert_int_equal(message_get_u16(&in), 60000);
	assert_int_equal(message_get_u32(&in), 4000000000U);
	assert_true(message_get_u64(&in) == UINT64_MAX - 1);
	message_get_text(&in, text, sizeof text);
	assert_string_equal(text, "settings");
	message_get_text(&in, text, sizeof text);
	assert_string_equal(text, "");
	assert_int_equal(message_get_bytes(&in, bytes, sizeof bytes), 3);
	assert_memory_equal(bytes, "\0\1\2", 3);
	assert_false(message_is_done(&in));
	assert_int_equal(message_get_bytes(&in, bytes, sizeof bytes), 0);
	assert_true(message_is_done(&in));
}

static void
reading_past_the_end_yields_zeros_and_marks_as_bad(void **state)
{
	struct message m;
	char text[4] = "abc";
	uint8_t byte = 7;

	(void)state;
	message_init(&m, MESSAGE_PING);
	message_put_u8(&m, 9);
	assert_int_equal(message_get_u32(&m), 0);
	assert_true(m.bad);
	assert_int_equal(message_get_u8(&m), 0);
	assert_int_equal(message_get_u16(&m), 0);
	assert_true(message_get_u64(&m) == 0);
	message_get_text(&m, text, sizeof text);
	assert_string_equal(text, "");
	assert_int_equal(message_get_bytes(&m, &byte, 1), 0);
	assert_false(message_is_done(&m));
}

static void
text_without_an_end_marks_as_bad(void **state)
{
	struct message m;
	char text[16] = "before";

	(void)state;
	message_init(&m, MESSAGE_RESOLVE);
	message_put_u32(&m, 0x41414141);
	message_get_text(&m, text, sizeof text);
	assert_true(m.bad);
	assert_string_equal(text, "");
}

static void
text_longer_than_its_place_marks_as_bad(void **state)
{
	struct message m;
	char text[4];

	(void)state;
	message_init(&m, MESSAGE_RESOLVE);
	message_put_text(&m, "abc");
	message_put_text(&m, "abcd");
	message_get_text(&m, text, sizeof text);
	assert_string_equal(text, "abc");
	assert_false(m.bad);
	message_get_text(&m, text, sizeof text);
	assert_string_equal(text, "");
	assert_true(m.bad);
}

static void
bytes_longer_than_their_place_mark_as_bad(void **state)
{
	struct message m;
	uint8_t bytes[3];

	(void)state;
	message_init(&m, MESSAGE_RESOLVED);
	message_put_bytes(&m, "abcd", 4);
	assert_int_equal(message_get_bytes(&m, bytes, sizeof bytes), 0);
	assert_true(m.bad);
}

static void
bytes_that_promise_more_than_there_is_mark_as_bad(void **state)
{
	struct message m;
	uint8_t bytes[MESSAGE_MAX];

	(void)state;
	message_init(&m, MESSAGE_RESOLVED);
	message_put_u16(&m, 5);
	message_put_u32(&m, 0);
	assert_int_equal(message_get_bytes(&m, bytes, sizeof bytes), 0);
	assert_true(m.bad);
}

static void
a_message_is_marked_as_bad_instead_of_growing(void **state)
{
	static const uint8_t zeros[MESSAGE_MAX + 1];
	struct message m;

	(void)state;
	message_init(&m, MESSAGE_PING);
	message_put_bytes(&m, zeros, MESSAGE_MAX - 2);
	assert_false(m.bad);
	assert_int_equal(m.len, MESSAGE_MAX);
	message_put_u8(&m, 1);
	assert_true(m.bad);
	assert_int_equal(m.len, MESSAGE_MAX);

	message_init(&m, MESSAGE_PING);
	message_put_bytes(&m, zeros, sizeof zeros);
	assert_true(m.bad);
}

static void
what_is_put_after_a_failure_is_not_taken(void **state)
{
	static const uint8_t zeros[MESSAGE_MAX];
	struct message m;

	(void)state;
	message_init(&m, MESSAGE_PING);
	message_put_bytes(&m, zeros, sizeof zeros);
	assert_true(m.bad);
	message_put_u8(&m, 1);
	message_put_fd(&m, STDIN_FILENO);
	assert_true(m.bad);
	assert_int_equal(m.n_fds, 0);
}

static void
the_largest_message_survives_the_wire(void **state)
{
	static uint8_t bytes[MESSAGE_MAX - 2];
	struct message out, in;
	uint8_t wire[MESSAGE_WIRE_MAX];
	uint8_t back[MESSAGE_MAX];

	(void)state;
	memset(bytes, 0x5a, sizeof bytes);
	message_init(&out, MESSAGE_RESOLVED);
	message_put_bytes(&out, bytes, sizeof bytes);
	assert_int_equal(message_encode(&out, wire, sizeof wire), sizeof wire);
	assert_true(message_decode(&in, wire, sizeof wire));
	assert_int_equal(
		message_get_bytes(&in, back, sizeof back), sizeof bytes);
	assert_memory_equal(back, bytes, sizeof bytes);
	assert_true(message_is_done(&in));
}

static void
what_is_bad_or_does_not_fit_is_not_encoded(void **state)
{
	struct message m;
	uint8_t wire[MESSAGE_WIRE_MAX];

	(void)state;
	message_init(&m, MESSAGE_PING);
	message_put_u64(&m, 1);
	assert_int_equal(message_encode(&m, wire, 10), 10);
	assert_int_equal(message_encode(&m, wire, 9), 0);
	assert_int_equal(message_encode(&m, wire, 1), 0);
	assert_int_equal(message_encode(&m, wire, 0), 0);
	message_put_fd(&m, -1);
	assert_int_equal(message_encode(&m, wire, sizeof wire), 0);
}

static void
unknown_types_and_lengths_are_not_decoded(void **state)
{
	static uint8_t wire[MESSAGE_WIRE_MAX + 1];
	const uint16_t types[] = {MESSAGE_NONE, MESSAGE_N_TYPES, UINT16_MAX};
	const uint16_t ready = MESSAGE_READY;
	struct message m;

	(void)state;
	message_init(&m, MESSAGE_PONG);
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		memcpy(wire, &types[i], sizeof types[i]);
		assert_false(message_decode(&m, wire, 2));
	}
	memcpy(wire, &ready, sizeof ready);
	assert_false(message_decode(&m, wire, 0));
	assert_false(message_decode(&m, wire, 1));
	assert_false(message_decode(&m, wire, sizeof wire));
	assert_int_equal(m.type, MESSAGE_PONG);
	assert_true(message_decode(&m, wire, 2));
	assert_true(message_is_done(&m));
}

/* The copy on the heap lets AddressSanitizer see a read past the end. */
static bool
read_copy(const uint8_t *wire, size_t len, bool *done_out)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	struct message *m = malloc(sizeof *m);
	bool ok;

	assert_non_null(copy);
	assert_non_null(m);
	memcpy(copy, wire, len);
	ok = message_decode(m, copy, len);
	free(copy);
	if (ok) {
		get_one_of_each(m);
		*done_out = message_is_done(m);
	}
	free(m);
	return ok;
}

static void
every_truncation_is_noticed(void **state)
{
	struct message m;
	uint8_t wire[MESSAGE_WIRE_MAX];
	size_t len;
	bool done = false;

	(void)state;
	put_one_of_each(&m);
	len = message_encode(&m, wire, sizeof wire);
	for (size_t cut = 0; cut < len; cut++) {
		if (read_copy(wire, cut, &done))
			assert_false(done);
	}
	assert_true(read_copy(wire, len, &done));
	assert_true(done);
	wire[len] = 0;
	assert_true(read_copy(wire, len + 1, &done));
	assert_false(done);
}

static void
random_bytes_do_no_harm(void **state)
{
	uint8_t wire[64];
	uint32_t seed = 12345;
	bool done;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t len;

		for (size_t i = 0; i < sizeof wire; i++) {
			seed = seed * 1664525U + 1013904223U;
			wire[i] = (uint8_t)(seed >> 24);
		}
		len = wire[2] % sizeof wire;
		/* Mostly a type that exists, or all would end there. */
		if (round % 4 != 0) {
			wire[0] = (uint8_t)(wire[0] % MESSAGE_N_TYPES);
			wire[1] = 0;
		}
		(void)read_copy(wire, len, &done);
	}
}

static void
each_descriptor_is_taken_once_and_in_order(void **state)
{
	struct message m;

	(void)state;
	message_init(&m, MESSAGE_STAGE);
	message_put_fd(&m, STDERR_FILENO);
	message_put_fd(&m, STDIN_FILENO);
	assert_false(message_is_done(&m));
	assert_int_equal(message_take_fd(&m), STDERR_FILENO);
	assert_false(message_is_done(&m));
	assert_int_equal(message_take_fd(&m), STDIN_FILENO);
	assert_true(message_is_done(&m));
	assert_int_equal(message_take_fd(&m), -1);
	assert_true(m.bad);
}

static void
one_descriptor_too_many_marks_as_bad(void **state)
{
	struct message m;

	(void)state;
	message_init(&m, MESSAGE_STAGE);
	for (int i = 0; i < MESSAGE_FDS_MAX; i++)
		message_put_fd(&m, STDIN_FILENO);
	assert_false(m.bad);
	message_put_fd(&m, STDIN_FILENO);
	assert_true(m.bad);
	assert_int_equal(m.n_fds, MESSAGE_FDS_MAX);
}

static void
only_descriptors_that_nobody_took_are_closed(void **state)
{
	struct message m;
	int pipe_fds[2];
	int taken;

	(void)state;
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	message_init(&m, MESSAGE_STAGE);
	message_put_fd(&m, pipe_fds[0]);
	message_put_fd(&m, pipe_fds[1]);
	taken = message_take_fd(&m);
	assert_int_equal(taken, pipe_fds[0]);
	message_close_fds(&m);
	assert_int_equal(fcntl(pipe_fds[1], F_GETFD), -1);
	assert_int_not_equal(fcntl(taken, F_GETFD), -1);
	message_close_fds(&m); /* nothing left to do */
	assert_int_equal(close(taken), 0);
}

static void
every_type_has_a_name(void **state)
{
	(void)state;
	for (unsigned type = 0; type < MESSAGE_N_TYPES; type++) {
		const char *name = message_type_name((enum message_type)type);

		assert_string_not_equal(name, "unknown");
	}
	assert_string_equal(message_type_name(MESSAGE_RESOLVED), "resolved");
	assert_string_equal(message_type_name(MESSAGE_N_TYPES), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_comes_back_as_it_was_put),
		cmocka_unit_test(
			reading_past_the_end_yields_zeros_and_marks_as_bad),
		cmocka_unit_test(text_without_an_end_marks_as_bad),
		cmocka_unit_test(text_longer_than_its_place_marks_as_bad),
		cmocka_unit_test(bytes_longer_than_their_place_mark_as_bad),
		cmocka_unit_test(
			bytes_that_promise_more_than_there_is_mark_as_bad),
		cmocka_unit_test(a_message_is_marked_as_bad_instead_of_growing),
		cmocka_unit_test(what_is_put_after_a_failure_is_not_taken),
		cmocka_unit_test(the_largest_message_survives_the_wire),
		cmocka_unit_test(what_is_bad_or_does_not_fit_is_not_encoded),
		cmocka_unit_test(unknown_types_and_lengths_are_not_decoded),
		cmocka_unit_test(every_truncation_is_noticed),
		cmocka_unit_test(random_bytes_do_no_harm),
		cmocka_unit_test(each_descriptor_is_taken_once_and_in_order),
		cmocka_unit_test(one_descriptor_too_many_marks_as_bad),
		cmocka_unit_test(only_descriptors_that_nobody_took_are_closed),
		cmocka_unit_test(every_type_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
