#include "config.h"

#include "net/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The definition, bit by bit. */
static uint32_t
slowly(const uint8_t *bytes, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len * 8; i++) {
		crc ^= (uint32_t)bytes[i / 8] >> i % 8 & 1;
		crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return ~crc;
}

static void
known_sums_come_out(void **state)
{
	uint8_t bytes[32];

	(void)state;
	assert_int_equal(crc32c(0, "", 0), 0);
	assert_int_equal(crc32c(0, NULL, 0), 0);
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	/* RFC 3720, B.4 */
	memset(bytes, 0, sizeof bytes);
	assert_int_equal(crc32c(0, bytes, sizeof bytes), 0x8a9136aa);
	memset(bytes, 0xff, sizeof bytes);
	assert_int_equal(crc32c(0, bytes, sizeof bytes), 0x62a8ab43);
	for (uint8_t i = 0; i < 32; i++)
		bytes[i] = i;
	assert_int_equal(crc32c(0, bytes, sizeof bytes), 0x46dd794e);
}

static void
every_byte_has_the_sum_of_the_definition(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		const uint8_t byte = (uint8_t)i;

		assert_int_equal(crc32c(0, &byte, 1), slowly(&byte, 1));
	}
}

static void
a_sum_over_parts_is_the_sum_over_all(void **state)
{
	const char text[] = "The sum of parts, wherever they are cut.";
	const size_t len = strlen(text);
	const uint32_t whole = crc32c(0, text, len);

	(void)state;
	for (size_t cut = 0; cut <= len; cut++)
		assert_int_equal(
			crc32c(crc32c(0, text, cut), text + cut, len - cut),
			whole);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_sums_come_out),
		cmocka_unit_test(every_byte_has_the_sum_of_the_definition),
		cmocka_unit_test(a_sum_over_parts_is_the_sum_over_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
