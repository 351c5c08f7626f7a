#include "config.h"

#include "stream/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
every_buffer_has_the_size_it_promises(void **state)
{
	struct scratch *scratch = scratch_new();

	(void)state;
	memset(scratch->in, 1, SCRATCH_READ_MAX);
	memset(scratch->plain, 2, SCRATCH_PLAIN_MAX);
	memset(scratch->out, 3, SCRATCH_WRITE_MAX);
	assert_int_equal(scratch->in[SCRATCH_READ_MAX - 1], 1);
	assert_int_equal(scratch->plain[0], 2);
	assert_int_equal(scratch->out[0], 3);
	scratch_free(&scratch);
	assert_null(scratch);
}

static void
a_new_one_is_empty(void **state)
{
	struct scratch *scratch = scratch_new();

	(void)state;
	assert_int_equal(scratch->in_len, 0);
	assert_int_equal(scratch->in_at, 0);
	assert_int_equal(scratch->out_len, 0);
	scratch_free(&scratch);
}

/* Whatever one read may give must leave with one send, with 325 bytes for
 * each record and one record that is not full. */
static void
all_plaintext_fits_as_ciphertext(void **state)
{
	const size_t record = 16384;
	const size_t records = SCRATCH_PLAIN_MAX / record + 1;

	(void)state;
	assert_true(SCRATCH_WRITE_MAX >= SCRATCH_PLAIN_MAX + records * 325);
	assert_true(SCRATCH_PLAIN_MAX >= SCRATCH_READ_MAX + record);
}

static void
freeing_nothing_is_allowed(void **state)
{
	struct scratch *scratch = NULL;

	(void)state;
	scratch_free(&scratch);
	assert_null(scratch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_buffer_has_the_size_it_promises),
		cmocka_unit_test(a_new_one_is_empty),
		cmocka_unit_test(all_plaintext_fits_as_ciphertext),
		cmocka_unit_test(freeing_nothing_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
