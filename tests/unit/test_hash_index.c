#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash_index.h"

#define MANY 5000

struct names {
	char items[MANY][16];
};

struct wanted {
	const struct names *names;
	const char *name;
};

static bool
is_wanted(size_t place, const void *arg)
{
	const struct wanted *wanted = arg;

	return strcmp(wanted->names->items[place], wanted->name) == 0;
}

static size_t
find(const struct hash_index *index, const struct names *names,
	const char *name)
{
	const struct wanted wanted = {names, name};

	return hash_index_find(index, name, strlen(name), is_wanted, &wanted);
}

static void
an_empty_one_has_nothing(void **state)
{
	const struct hash_index index = {0};
	static const struct names names;

	(void)state;
	assert_true(find(&index, &names, "a") == HASH_INDEX_NONE);
	assert_true(find(&index, &names, "") == HASH_INDEX_NONE);
}

static void
each_of_many_has_its_place(void **state)
{
	struct hash_index index = {0};
	static struct names names;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(
			names.items[i], sizeof names.items[i], "n%zu", i);
		hash_index_add(
			&index, names.items[i], strlen(names.items[i]), i);
	}
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(find(&index, &names, names.items[i]), i);
	assert_true(find(&index, &names, "n5000") == HASH_INDEX_NONE);
	assert_true(find(&index, &names, "n") == HASH_INDEX_NONE);
	hash_index_done(&index);
	assert_int_equal(index.n, 0);
	assert_true(find(&index, &names, "n1") == HASH_INDEX_NONE);
}

static bool
is_second(size_t place, const void *arg)
{
	(void)arg;
	return place == 2;
}

static void
of_equal_keys_the_caller_chooses(void **state)
{
	struct hash_index index = {0};

	(void)state;
	hash_index_add(&index, "key", 3, 1);
	hash_index_add(&index, "key", 3, 2);
	assert_int_equal(hash_index_find(&index, "key", 3, is_second, NULL), 2);
	assert_true(hash_index_find(&index, "kez", 3, is_second, NULL) ==
		    HASH_INDEX_NONE);
	hash_index_done(&index);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_one_has_nothing),
		cmocka_unit_test(each_of_many_has_its_place),
		cmocka_unit_test(of_equal_keys_the_caller_chooses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
