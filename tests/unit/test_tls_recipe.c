#include "tls/tls_recipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "conf/options.h"
#include "tls_fixture.h"

#define BASE "certfile = gw.pem\nkeyfile = gw.key\ncafile = ca.pem\n"

static int
setup(void **state)
{
	struct cert ca = cert_make_ca("Test CA");
	struct cert server = cert_make_server("gw", NULL);
	int status = fixture_setup(state);

	fixture_write_cert(*state, "ca", &ca);
	fixture_write_cert(*state, "gw", &server);
	cert_done(&ca);
	cert_done(&server);
	return status;
}

static struct tls_recipe
recipe_now(struct fixture *it)
{
	struct tls_recipe_taker *taker = tls_recipe_taker_new(it->files);
	struct tls_recipe recipe, again;

	assert_true(tls_recipe_take(taker, it->listener, &recipe));
	assert_true(tls_recipe_take(taker, it->listener, &again));
	assert_memory_equal(&recipe, &again, sizeof recipe);
	tls_recipe_taker_free(&taker);
	return recipe;
}

/* Everything is read anew. */
static struct tls_recipe
recipe_of(struct fixture *it, const char *lines)
{
	settings_free(&it->settings);
	file_source_free(&it->files);
	it->files = file_source_disk(it->dir);
	fixture_configure(it, lines);
	return recipe_now(it);
}

static void
assert_differs(const struct tls_recipe *one, const struct tls_recipe *two,
	const char *what)
{
	if (memcmp(one, two, sizeof *one) == 0)
		fail_msg("the same in spite of %s", what);
}

/* Another value in the field; false for those that do not count. */
static bool
change(const struct option *option, struct listener_settings *section)
{
	void *field = (char *)section + option->offset;

	switch (option->type) {
	case OPT_BOOL:
		*(bool *)field = !*(bool *)field;
		return true;
	case OPT_INT:
		++*(int64_t *)field;
		return true;
	case OPT_CHOICE:
		++*(int *)field;
		return true;
	case OPT_DURATION_MS:
	case OPT_FLAGS:
	case OPT_SET:
		++*(uint64_t *)field;
		return true;
	case OPT_TEXT:
	case OPT_SECRET:
	case OPT_PATH:
	case OPT_COLON_LIST:
	case OPT_PEM:
		free(*(char **)field);
		*(char **)field = xstrdup("ca.pem");
		return true;
	case OPT_PATH_LIST:
	case OPT_SECRET_LIST:
	case OPT_WORD_LIST:
	case OPT_NAME_LIST:
	case OPT_RULE_LIST:
	case OPT_RULE_TEXT:
	case OPT_SERIAL_LIST:
		text_list_add(field, "ca.pem");
		return true;
	case OPT_CIDR_LIST:
	case OPT_LISTEN_LIST:
	case OPT_BACKEND:
		return false;
	}
	return false;
}

static void
every_option_counts(void **state)
{
	struct fixture *it = *state;
	const struct tls_recipe base = recipe_of(it, BASE);
	char *system_cas = xasprintf("%s/ca.pem", it->dir);
	size_t n = 0;

	/* This machine may have none. */
	assert_int_equal(setenv("SSL_CERT_FILE", system_cas, 1), 0);
	for (const struct option *o = listener_options; o->name != NULL; o++) {
		struct tls_recipe other = recipe_of(it, BASE);

		assert_memory_equal(&base, &other, sizeof base);
		/* A directory of that name there is not, which is no recipe. */
		if (strcmp(o->name, "capath") == 0 || !change(o, it->listener))
			continue;
		other = recipe_now(it);
		assert_differs(&base, &other, o->name);
		n++;
	}
	assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
	free(system_cas);
	assert_true(n > 40);
}

static void
the_contents_of_every_file_count(void **state)
{
	static const char lines[] = BASE "ticket_secret_file = secret\n"
					 "crlfile = ca.crl\n"
					 "password_file = pass\n"
					 "capath = .\n";
	static const char *const names[] = {"gw.pem", "gw.key", "ca.pem",
		"secret", "ca.crl", "pass", "9d66eef0.0", "9d66eef0.r0"};
	struct fixture *it = *state;
	struct tls_recipe before, after;
	size_t i;

	for (i = 3; i < sizeof names / sizeof names[0]; i++)
		fixture_write(it, names[i], "one");
	before = recipe_of(it, lines);
	for (i = 0; i < sizeof names / sizeof names[0]; i++) {
		fixture_write(it, names[i], "two");
		after = recipe_of(it, lines);
		assert_differs(&before, &after, names[i]);
		before = after;
	}
	fixture_write(it, "9d66eef0.1", "two");
	after = recipe_of(it, lines);
	assert_differs(&before, &after, "another hash link");
}

static void
a_policy_counts_for_whom_it_is_named_by(void **state)
{
	struct fixture *it = *state;
	struct tls_recipe one = recipe_of(
		it, BASE "authorize = ops\n[policy ops]\nallow_cn = alice\n");
	struct tls_recipe two = recipe_of(
		it, BASE "authorize = ops\n[policy ops]\nallow_cn = bob\n");

	assert_differs(&one, &two, "a value in the policy");
	one = recipe_of(
		it, BASE "allow_cn = eve\n[policy ops]\nallow_cn = alice\n");
	two = recipe_of(
		it, BASE "allow_cn = eve\n[policy ops]\nallow_cn = bob\n");
	assert_memory_equal(&one, &two, sizeof one);
}

static void
the_secret_of_this_start_counts_and_the_name_does_not(void **state)
{
	struct fixture *it = *state;
	struct tls_recipe one = recipe_of(it, BASE);
	struct tls_recipe two;

	file_source_add_secret(it->files, FILE_SOURCE_TICKET_SECRET, "s", 1);
	two = recipe_now(it);
	assert_differs(&one, &two, "a secret");
	it->listener->name[0] = 'x';
	one = recipe_now(it);
	assert_memory_equal(&one, &two, sizeof one);
}

static void
without_a_file_there_is_none(void **state)
{
	struct fixture *it = *state;
	struct tls_recipe_taker *taker;
	struct tls_recipe recipe;

	(void)recipe_of(it, BASE);
	text_list_add(&it->listener->tls.cafile, "nowhere.pem");
	taker = tls_recipe_taker_new(it->files);
	assert_false(tls_recipe_take(taker, it->listener, &recipe));
	tls_recipe_taker_free(&taker);
	assert_null(taker);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_option_counts),
		TEST(the_contents_of_every_file_count),
		TEST(a_policy_counts_for_whom_it_is_named_by),
		TEST(the_secret_of_this_start_counts_and_the_name_does_not),
		TEST(without_a_file_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
