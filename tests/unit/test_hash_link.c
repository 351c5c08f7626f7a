#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/hash_link.h"

static void
certificates_and_lists_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(hash_link_of("9d66eef0.0"), HASH_LINK_CERT);
	assert_int_equal(hash_link_of("00000000.17"), HASH_LINK_CERT);
	assert_int_equal(hash_link_of("9d66eef0.r0"), HASH_LINK_CRL);
	assert_int_equal(hash_link_of("abcdef12.r12"), HASH_LINK_CRL);
}

static void
other_files_are_none(void **state)
{
	static const char *const others[] = {"", ".", "..", "ca.pem",
		"9d66eef0", "9d66eef0.", "9d66eef0.r", "9d66eef0.0a",
		"9d66eef0.r0~", "9D66EEF0.0", "9d66eef.0", "9d66eef00.0",
		"9d66eef0.R0", "9d66eef0.-1", "9d66eef0 .0", NULL};

	(void)state;
	for (size_t i = 0; others[i] != NULL; i++)
		assert_int_equal(hash_link_of(others[i]), HASH_LINK_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates_and_lists_are_told_apart),
		cmocka_unit_test(other_files_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
