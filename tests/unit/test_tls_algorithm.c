#include "tls/tls_algorithm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/core.h>

static const OSSL_ALGORITHM table[] = {
	{"X25519MLKEM768", "provider=default", NULL, NULL},
	{"EC:id-ecPublicKey:1.2.840.10045.2.1", "provider=default", NULL, NULL},
	{"X25519", "provider=default", NULL, NULL},
	{"X25519:another", "provider=default", NULL, NULL},
	{NULL, NULL, NULL, NULL},
};

static void
its_first_name_is_what_it_is_called(void **state)
{
	(void)state;
	assert_true(tls_algorithm_is_called(&table[1], "EC"));
	assert_true(tls_algorithm_is_called(&table[2], "X25519"));
	assert_false(tls_algorithm_is_called(&table[1], "id-ecPublicKey"));
}

static void
a_part_of_a_name_is_none(void **state)
{
	(void)state;
	assert_false(tls_algorithm_is_called(&table[0], "X25519"));
	assert_false(tls_algorithm_is_called(&table[1], "E"));
	assert_false(tls_algorithm_is_called(&table[2], "X25519MLKEM768"));
}

static void
the_first_of_its_name_is_found(void **state)
{
	(void)state;
	assert_ptr_equal(tls_algorithm_find(table, "X25519"), &table[2]);
}

static void
what_is_not_there_is_not_found(void **state)
{
	(void)state;
	assert_null(tls_algorithm_find(table, "X448"));
	assert_null(tls_algorithm_find(table + 4, "X25519"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_first_name_is_what_it_is_called),
		cmocka_unit_test(a_part_of_a_name_is_none),
		cmocka_unit_test(the_first_of_its_name_is_found),
		cmocka_unit_test(what_is_not_there_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
