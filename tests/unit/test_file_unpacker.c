#include "config.h"

#include "conf/file_unpacker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/fd.h"
#include "conf/blob.h"
#include "conf/file_answer.h"
#include "conf/file_source.h"

/* A bundle with N files of KIND, cut off after LEN bytes. */
static int
bundle(enum file_kind kind, const char *const *paths, size_t n, size_t len)
{
	struct file_answers answers = {0};
	struct blob blob = {0};
	int fd;

	for (size_t i = 0; i < n; i++)
		file_answer_set(
			file_answers_add(&answers, ANSWER_FILE, kind, paths[i]),
			paths[i], strlen(paths[i]));
	file_answers_put(&answers, kind, &blob);
	fd = fd_sealed_memfd(
		"test", blob.bytes, len < blob.len ? len : blob.len, NULL);
	assert_true(fd >= 0);
	file_answers_done(&answers);
	blob_done(&blob);
	return fd;
}

static const char *const two[] = {"a", "b"};
static const char *const one[] = {"key"};

static int
finish(struct file_unpacker *unpacker)
{
	int steps = 1;

	while (file_unpacker_step(unpacker))
		steps++;
	return steps;
}

static void
assert_content(
	struct file_source *source, const char *path, enum file_kind kind)
{
	const char *bytes;
	size_t len;

	assert_int_equal(
		file_source_read(source, path, kind, &bytes, &len, NULL), 0);
	assert_string_equal(bytes, path);
}

static void
all_files_come_out_one_by_one(void **state)
{
	int public_fd = bundle(FILE_PUBLIC, two, 2, SIZE_MAX);
	int secret_fd = bundle(FILE_SECRET, one, 1, SIZE_MAX);
	struct file_unpacker *unpacker =
		file_unpacker_new(public_fd, secret_fd);
	struct file_source *source;
	int pieces = 0;

	(void)state;
	/* Of each: to read it, its files, its end. */
	assert_int_equal(finish(unpacker), 7);
	source = file_unpacker_end(&unpacker, NULL);
	assert_null(unpacker);
	assert_non_null(source);
	assert_content(source, "a", FILE_PUBLIC);
	assert_content(source, "b", FILE_PUBLIC);
	assert_content(source, "key", FILE_SECRET);
	while (file_source_free_some(source))
		pieces++;
	assert_int_equal(pieces, 3);
	file_source_free(&source);
	(void)close(public_fd);
	(void)close(secret_fd);
}

static void
without_secrets_there_is_one_bundle(void **state)
{
	int fd = bundle(FILE_PUBLIC, two, 2, SIZE_MAX);
	struct file_unpacker *unpacker = file_unpacker_new(fd, -1);
	struct file_source *source;
	const char *bytes;
	size_t len;

	(void)state;
	(void)finish(unpacker);
	source = file_unpacker_end(&unpacker, NULL);
	assert_non_null(source);
	assert_int_equal(file_source_read(source, "key", FILE_SECRET, &bytes,
				 &len, NULL),
		-1);
	file_source_free(&source);
	(void)close(fd);
}

static void
nothing_comes_of_one_that_is_cut_off(void **state)
{
	struct error err;

	(void)state;
	for (size_t len = 0; len < 20; len++) {
		int fd = bundle(FILE_PUBLIC, two, 2, len);
		struct file_unpacker *unpacker = file_unpacker_new(fd, -1);

		(void)finish(unpacker);
		assert_false(file_unpacker_step(unpacker));
		assert_null(file_unpacker_end(&unpacker, &err));
		assert_string_equal(err.text, "the bundle of files is damaged");
		(void)close(fd);
	}
}

static void
nothing_comes_of_one_that_is_given_up(void **state)
{
	int public_fd = bundle(FILE_PUBLIC, two, 2, SIZE_MAX);
	int secret_fd = bundle(FILE_SECRET, one, 1, SIZE_MAX);
	struct file_unpacker *unpacker;

	(void)state;
	for (int steps = 0; steps < 7; steps++) {
		assert_int_equal(lseek(public_fd, 0, SEEK_SET), 0);
		assert_int_equal(lseek(secret_fd, 0, SEEK_SET), 0);
		unpacker = file_unpacker_new(public_fd, secret_fd);
		for (int i = 0; i < steps; i++)
			assert_true(file_unpacker_step(unpacker));
		assert_null(file_unpacker_end(&unpacker, NULL));
	}
	(void)close(public_fd);
	(void)close(secret_fd);
}

static void
what_cannot_be_read_is_said(void **state)
{
	struct file_unpacker *unpacker = file_unpacker_new(-1, -1);
	struct error err;

	(void)state;
	assert_int_equal(finish(unpacker), 1);
	assert_null(file_unpacker_end(&unpacker, &err));
	assert_non_null(strstr(err.text, "cannot read"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_files_come_out_one_by_one),
		cmocka_unit_test(without_secrets_there_is_one_bundle),
		cmocka_unit_test(nothing_comes_of_one_that_is_cut_off),
		cmocka_unit_test(nothing_comes_of_one_that_is_given_up),
		cmocka_unit_test(what_cannot_be_read_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
