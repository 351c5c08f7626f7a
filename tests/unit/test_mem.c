#include "config.h"

#include "base/mem.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void
fresh_memory_is_zero(void **state)
{
	static const char zero[300];
	char *bytes = xcalloc(3, 100);

	(void)state;
	assert_memory_equal(bytes, zero, sizeof zero);
	free(bytes);
}

static void
nothing_is_still_a_block(void **state)
{
	void *bytes = xcalloc(0, 8);

	(void)state;
	assert_non_null(bytes);
	bytes = xreallocarray(bytes, 0, 8);
	assert_non_null(bytes);
	free(bytes);
}

static void
growing_keeps_what_is_there(void **state)
{
	char *bytes = xstrdup("abc");

	(void)state;
	bytes = xreallocarray(bytes, 1000, 10);
	assert_string_equal(bytes, "abc");
	free(bytes);
}

static void
copies_are_equal_and_other_memory(void **state)
{
	const char *text = "sallyport";
	char *all = xstrdup(text), *some = xstrndup(text, 5);

	(void)state;
	assert_string_equal(all, text);
	assert_ptr_not_equal(all, text);
	assert_string_equal(some, "sally");
	free(all);
	free(some);
}

static void
a_formatted_text_is_as_long_as_it_wants(void **state)
{
	char *text = xasprintf("%0999d|%s", 7, "end");

	(void)state;
	assert_int_equal(strlen(text), 1003);
	assert_string_equal(text + 998, "7|end");
	free(text);
}

static void
wiping_zeroes_and_takes_nothing_for_an_answer(void **state)
{
	static const char zero[8];
	char secret[8] = "secret!";

	(void)state;
	mem_wipe(secret, sizeof secret);
	assert_memory_equal(secret, zero, sizeof zero);
	mem_wipe(NULL, 0);
}

/* Does a child survive asking for N times SIZE bytes? */
static bool
survives_asking(size_t n, size_t size)
{
	const struct rlimit no_core = {0, 0};
	const pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)setrlimit(RLIMIT_CORE, &no_core);
		(void)signal(SIGABRT, SIG_DFL); /* cmocka catches it */
		(void)close(STDERR_FILENO);
		free(xreallocarray(NULL, n, size));
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
a_product_that_overflows_kills(void **state)
{
	(void)state;
	assert_false(survives_asking(SIZE_MAX / 2, 3));
	assert_true(survives_asking(2, 3));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fresh_memory_is_zero),
		cmocka_unit_test(nothing_is_still_a_block),
		cmocka_unit_test(growing_keeps_what_is_there),
		cmocka_unit_test(copies_are_equal_and_other_memory),
		cmocka_unit_test(a_formatted_text_is_as_long_as_it_wants),
		cmocka_unit_test(wiping_zeroes_and_takes_nothing_for_an_answer),
		cmocka_unit_test(a_product_that_overflows_kills),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
