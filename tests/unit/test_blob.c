#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/blob.h"

static void
what_was_put_comes_out_in_order(void **state)
{
	struct blob blob = {0};
	struct blob_reader reader = {0};
	size_t len = 0;
	char *text;

	(void)state;
	blob_put_u32(&blob, 0xfedcba98U);
	blob_put_text(&blob, "listener");
	blob_put_bytes(&blob, "a\0b", 3);
	blob_put_text(&blob, "");

	reader.next = blob.bytes;
	reader.left = blob.len;
	assert_int_equal(blob_get_u32(&reader), 0xfedcba98U);
	text = blob_get_text(&reader);
	assert_string_equal(text, "listener");
	free(text);
	assert_memory_equal(blob_get_bytes(&reader, &len), "a\0b", 3);
	assert_int_equal(len, 3);
	text = blob_get_text(&reader);
	assert_string_equal(text, "");
	free(text);
	assert_false(reader.bad);
	assert_int_equal(reader.left, 0);
	blob_done(&blob);
}

static void
a_blob_grows_beyond_its_first_block(void **state)
{
	char *large = xcalloc(1, 100000);
	struct blob blob = {0};
	struct blob_reader reader = {0};
	size_t len = 0;

	(void)state;
	memset(large, 'x', 100000);
	blob_put_u32(&blob, 7);
	blob_put_bytes(&blob, large, 100000);
	reader.next = blob.bytes;
	reader.left = blob.len;
	assert_int_equal(blob_get_u32(&reader), 7);
	assert_memory_equal(blob_get_bytes(&reader, &len), large, 100000);
	assert_int_equal(len, 100000);
	free(large);
	blob_done(&blob);
	assert_null(blob.bytes);
}

static void
a_length_beyond_the_end_is_bad_and_reads_as_nothing(void **state)
{
	const uint32_t huge = UINT32_MAX;
	struct blob_reader reader = {
		.next = (const char *)&huge, .left = sizeof huge};
	size_t len = 1;

	(void)state;
	assert_string_equal(blob_get_bytes(&reader, &len), "");
	assert_int_equal(len, 0);
	assert_true(reader.bad);
}

static void
nothing_more_is_read_once_it_is_bad(void **state)
{
	struct blob_reader reader = {.next = "abc", .left = 3};
	char *text;

	(void)state;
	assert_int_equal(blob_get_u32(&reader), 0);
	assert_true(reader.bad);
	text = blob_get_text(&reader);
	assert_string_equal(text, "");
	free(text);
}

static void
text_with_a_nul_inside_is_bad(void **state)
{
	struct blob blob = {0};
	struct blob_reader reader = {0};
	char *text;

	(void)state;
	blob_put_bytes(&blob, "a\0b", 3);
	reader.next = blob.bytes;
	reader.left = blob.len;
	text = blob_get_text(&reader);
	assert_string_equal(text, "");
	assert_true(reader.bad);
	free(text);
	blob_done(&blob);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_comes_out_in_order),
		cmocka_unit_test(a_blob_grows_beyond_its_first_block),
		cmocka_unit_test(
			a_length_beyond_the_end_is_bad_and_reads_as_nothing),
		cmocka_unit_test(nothing_more_is_read_once_it_is_bad),
		cmocka_unit_test(text_with_a_nul_inside_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
