#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "base/mem.h"
#include "conf/blob.h"
#include "conf/file_answer.h"

static struct file_answers
some_answers(void)
{
	struct file_answers answers = {0};
	struct file_answer *answer;

	answer = file_answers_add(
		&answers, ANSWER_FILE, FILE_PUBLIC, "cert.pem");
	file_answer_set(answer, "a\0b", 3);
	answer = file_answers_add(&answers, ANSWER_DIR, FILE_PUBLIC, "cas");
	answer->names = xcalloc(1, sizeof *answer->names);
	text_list_add(answer->names, "9d66eef0.0");
	answer = file_answers_add(
		&answers, ANSWER_OUTPUT, FILE_PUBLIC, "keys.log");
	answer->error = xstrdup("is a symbolic link");
	answer = file_answers_add(&answers, ANSWER_FILE, FILE_SECRET, "key");
	file_answer_set(answer, "secret", 6);
	return answers;
}

static struct blob_reader
reader_of(const struct blob *blob)
{
	return (struct blob_reader){.next = blob->bytes, .left = blob->len};
}

static void
type_kind_and_path_make_an_answer(void **state)
{
	struct file_answers answers = some_answers();

	(void)state;
	assert_non_null(file_answers_find(
		&answers, ANSWER_FILE, FILE_PUBLIC, "cert.pem"));
	assert_null(file_answers_find(
		&answers, ANSWER_FILE, FILE_SECRET, "cert.pem"));
	assert_null(file_answers_find(
		&answers, ANSWER_DIR, FILE_PUBLIC, "cert.pem"));
	assert_null(
		file_answers_find(&answers, ANSWER_FILE, FILE_PUBLIC, "cert"));
	file_answers_done(&answers);
	assert_int_equal(answers.n, 0);
}

static void
contents_take_the_place_of_what_was_there(void **state)
{
	struct file_answers answers = some_answers();
	struct file_answer *key =
		file_answers_find(&answers, ANSWER_FILE, FILE_SECRET, "key");

	(void)state;
	file_answer_set(key, "new", 3);
	assert_string_equal(key->bytes, "new");
	assert_int_equal(key->len, 3);
	key->error = xstrdup("an error");
	file_answer_set(key, NULL, 0);
	assert_null(key->error);
	assert_string_equal(key->bytes, "");
	file_answers_done(&answers);
}

static void
get_all(struct file_answers *answers, struct blob_reader *reader)
{
	uint32_t n = file_answers_get_count(FILE_PUBLIC, reader);

	for (uint32_t i = 0; i < n && !reader->bad; i++)
		file_answers_get_one(answers, FILE_PUBLIC, reader);
}

static void
what_is_packed_comes_out_again(void **state)
{
	struct file_answers answers = some_answers();
	struct file_answers copy = {0};
	struct blob blob = {0};
	struct blob_reader reader;

	(void)state;
	file_answers_put(&answers, FILE_PUBLIC, &blob);
	file_answers_done(&answers);
	reader = reader_of(&blob);
	get_all(&copy, &reader);
	assert_false(reader.bad);
	assert_int_equal(reader.left, 0);
	assert_int_equal(copy.n, 3);
	assert_memory_equal(copy.items[0].bytes, "a\0b", 4);
	assert_int_equal(copy.items[0].len, 3);
	assert_int_equal(copy.items[1].type, ANSWER_DIR);
	assert_int_equal(copy.items[1].names->n, 1);
	assert_string_equal(copy.items[1].names->items[0], "9d66eef0.0");
	assert_int_equal(copy.items[2].type, ANSWER_OUTPUT);
	assert_string_equal(copy.items[2].error, "is a symbolic link");
	file_answers_done(&copy);
	blob_done(&blob);
}

static void
one_kind_is_not_taken_for_the_other(void **state)
{
	struct file_answers answers = some_answers();
	struct file_answers copy = {0};
	struct blob blob = {0};
	struct blob_reader reader;

	(void)state;
	file_answers_put(&answers, FILE_SECRET, &blob);
	reader = reader_of(&blob);
	get_all(&copy, &reader);
	assert_true(reader.bad);
	file_answers_done(&copy);
	file_answers_done(&answers);
	blob_done(&blob);
}

static void
an_output_that_was_not_refused_is_damage(void **state)
{
	struct file_answers answers = {0}, copy = {0};
	struct blob blob = {0};
	struct blob_reader reader;

	(void)state;
	file_answer_set(file_answers_add(&answers, ANSWER_OUTPUT, FILE_PUBLIC,
				"keys.log"),
		"x", 1);
	file_answers_put(&answers, FILE_PUBLIC, &blob);
	reader = reader_of(&blob);
	get_all(&copy, &reader);
	assert_true(reader.bad);
	file_answers_done(&copy);
	file_answers_done(&answers);
	blob_done(&blob);
}

static void
bytes_cut_off_anywhere_are_damage(void **state)
{
	struct file_answers answers = some_answers();
	struct blob blob = {0};

	(void)state;
	file_answers_put(&answers, FILE_PUBLIC, &blob);
	for (size_t cut = 0; cut < blob.len; cut++) {
		struct file_answers copy = {0};
		char *bytes = xcalloc(1, cut + 1); /* for the sanitizer */
		struct blob_reader reader = {.next = bytes, .left = cut};

		memcpy(bytes, blob.bytes, cut);
		get_all(&copy, &reader);
		assert_true(reader.bad);
		file_answers_done(&copy);
		free(bytes);
	}
	file_answers_done(&answers);
	blob_done(&blob);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(type_kind_and_path_make_an_answer),
		cmocka_unit_test(contents_take_the_place_of_what_was_there),
		cmocka_unit_test(what_is_packed_comes_out_again),
		cmocka_unit_test(one_kind_is_not_taken_for_the_other),
		cmocka_unit_test(an_output_that_was_not_refused_is_damage),
		cmocka_unit_test(bytes_cut_off_anywhere_are_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
