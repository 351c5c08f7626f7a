#include "config.h"

#include "proxy/conn_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* From (row) to (column), in the order of the enum. */
static const bool legal[CONN_N_STATES][CONN_N_STATES] = {
	[CONN_HANDSHAKING] = {[CONN_CONNECTING] = true, [CONN_CLOSED] = true},
	[CONN_CONNECTING] = {[CONN_RELAYING] = true, [CONN_CLOSED] = true},
	[CONN_RELAYING] = {[CONN_HALF_CLOSED] = true,
		[CONN_CUTTING] = true,
		[CONN_CLOSED] = true},
	[CONN_HALF_CLOSED] = {[CONN_CUTTING] = true, [CONN_CLOSED] = true},
	[CONN_CUTTING] = {[CONN_CLOSED] = true},
};

static void
every_move_is_legal_or_illegal_as_designed(void **state)
{
	(void)state;
	for (unsigned from = 0; from < CONN_N_STATES; from++)
		for (unsigned to = 0; to < CONN_N_STATES; to++)
			assert_int_equal(
				conn_state_may_move((enum conn_state)from,
					(enum conn_state)to),
				legal[from][to]);
}

static void
the_closed_state_is_reached_from_everywhere_and_never_left(void **state)
{
	(void)state;
	for (unsigned other = 0; other < CONN_CLOSED; other++) {
		assert_true(conn_state_may_move(
			(enum conn_state)other, CONN_CLOSED));
		assert_false(conn_state_may_move(
			CONN_CLOSED, (enum conn_state)other));
	}
}

static void
nobody_gets_to_a_backend_without_a_handshake(void **state)
{
	(void)state;
	assert_false(conn_state_may_move(CONN_HANDSHAKING, CONN_RELAYING));
	assert_false(conn_state_may_move(CONN_HANDSHAKING, CONN_HALF_CLOSED));
	assert_false(conn_state_may_move(CONN_HANDSHAKING, CONN_CUTTING));
}

/* A token that a log filter can match. */
static void
assert_is_word(const char *word)
{
	assert_non_null(word);
	assert_true(strlen(word) > 0);
	assert_int_equal(
		strspn(word, "abcdefghijklmnopqrstuvwxyz_"), strlen(word));
}

static void
every_state_has_a_word_of_its_own(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CONN_N_STATES; i++) {
		const char *name = conn_state_name((enum conn_state)i);

		assert_is_word(name);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(
				name, conn_state_name((enum conn_state)k));
	}
}

static void
every_reason_has_a_word_of_its_own(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CONN_N_REASONS; i++) {
		const char *name = conn_reason_name((enum conn_reason)i);

		assert_is_word(name);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(
				name, conn_reason_name((enum conn_reason)k));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_move_is_legal_or_illegal_as_designed),
		cmocka_unit_test(
			the_closed_state_is_reached_from_everywhere_and_never_left),
		cmocka_unit_test(nobody_gets_to_a_backend_without_a_handshake),
		cmocka_unit_test(every_state_has_a_word_of_its_own),
		cmocka_unit_test(every_reason_has_a_word_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
