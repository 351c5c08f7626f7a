#include "authz/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct identity *
make_identity(void)
{
	struct identity *identity = calloc(1, sizeof *identity);

	assert_non_null(identity);
	return identity;
}

static void
assert_names(struct identity *identity, size_t max, const char *expected)
{
	char *text = identity_names_text(identity, max);

	assert_string_equal(text, expected);
	free(text);
	identity_free(&identity);
	assert_null(identity);
}

static void
freeing_accepts_null_and_half_built_identities(void **state)
{
	struct identity *identity = NULL;

	(void)state;
	identity_free(&identity);
	identity = make_identity();
	identity_free(&identity);
	assert_null(identity);
}

static void
freeing_takes_every_field_along(void **state)
{
	struct identity *identity = make_identity();

	(void)state;
	/* A leak is the sanitizer's to find. */
	text_list_add(&identity->cn, "a");
	text_list_add(&identity->ou, "a");
	text_list_add(&identity->o, "a");
	identity->spki_sha256 = strdup("a");
	identity->issuer_cn = strdup("a");
	identity->issuer_spki_sha256 = strdup("a");
	identity->subject = strdup("a");
	identity->issuer = strdup("a");
	identity->serial = strdup("a");
	identity->sha256 = strdup("a");
	identity_free(&identity);
	assert_null(identity);
}

static void
an_identity_without_names_has_no_text(void **state)
{
	struct identity *identity = make_identity();

	(void)state;
	assert_null(identity_names_text(identity, 10));
	identity_free(&identity);
}

static void
names_are_listed_by_kind(void **state)
{
	struct identity *identity = make_identity();

	(void)state;
	text_list_add(&identity->email, "a@b.example");
	text_list_add(&identity->ip, "192.0.2.1");
	text_list_add(&identity->uri, "spiffe://c/d");
	text_list_add(&identity->dns, "a.example");
	text_list_add(&identity->dns, "b.example");
	assert_names(identity, 10,
		"DNS:a.example DNS:b.example URI:spiffe://c/d IP:192.0.2.1 "
		"email:a@b.example");
}

static void
names_are_cut_after_the_maximum(void **state)
{
	struct identity *identity = make_identity();

	(void)state;
	text_list_add(&identity->dns, "a.example");
	text_list_add(&identity->dns, "b.example");
	text_list_add(&identity->uri, "u:v");
	assert_names(identity, 1, "DNS:a.example (+2 more)");
}

static void
as_many_names_as_the_maximum_are_not_cut(void **state)
{
	struct identity *identity = make_identity();

	(void)state;
	text_list_add(&identity->dns, "a.example");
	text_list_add(&identity->uri, "u:v");
	assert_names(identity, 2, "DNS:a.example URI:u:v");
}

static void
a_maximum_of_none_only_counts(void **state)
{
	struct identity *identity = make_identity();

	(void)state;
	text_list_add(&identity->dns, "a.example");
	assert_names(identity, 0, "(+1 more)");
}

static void
a_name_with_blanks_does_not_look_like_two(void **state)
{
	struct identity *identity = make_identity();

	(void)state;
	text_list_add(&identity->dns, "a URI:spiffe://admin\\");
	assert_names(identity, 5, "DNS:a\\20URI:spiffe://admin\\5C");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			freeing_accepts_null_and_half_built_identities),
		cmocka_unit_test(freeing_takes_every_field_along),
		cmocka_unit_test(an_identity_without_names_has_no_text),
		cmocka_unit_test(names_are_listed_by_kind),
		cmocka_unit_test(names_are_cut_after_the_maximum),
		cmocka_unit_test(as_many_names_as_the_maximum_are_not_cut),
		cmocka_unit_test(a_maximum_of_none_only_counts),
		cmocka_unit_test(a_name_with_blanks_does_not_look_like_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
