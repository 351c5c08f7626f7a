#include "config.h"

#include "tls/tls_session_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/error.h"

#define SIZE                                                                   \
	(TLS_SESSION_CACHE_MARKS_SIZE +                                        \
		(size_t)TLS_SESSION_CACHE_N_SLOTS * TLS_SESSION_CACHE_MAX)

/* Two workers, and one that was broken into. */
struct stage {
	struct tls_session_cache *one;
	struct tls_session_cache *two;
	unsigned char *raw;
	int64_t now_s;
};

struct id {
	unsigned char bytes[TLS_SESSION_CACHE_ID_SIZE];
};

static struct stage stage;

static int
setup(void **state)
{
	int fd = tls_session_cache_create_fd(NULL);

	stage.one = tls_session_cache_map(fd, NULL);
	stage.two = tls_session_cache_map(fd, NULL);
	stage.raw = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	stage.now_s = (int64_t)time(NULL);
	assert_non_null(stage.one);
	assert_non_null(stage.two);
	assert_true(stage.raw != MAP_FAILED);
	assert_int_equal(close(fd), 0);
	*state = &stage;
	return 0;
}

static int
teardown(void **state)
{
	struct stage *at = *state;

	tls_session_cache_unmap(&at->one);
	tls_session_cache_unmap(&at->two);
	tls_session_cache_unmap(&at->two);
	assert_null(at->two);
	return munmap(at->raw, SIZE);
}

/* Ids of the same SET share their slots. */
static struct id
make_id(unsigned char set, unsigned char n)
{
	struct id id = {{set, 0}};

	id.bytes[TLS_SESSION_CACHE_ID_SIZE - 1] = n;
	return id;
}

static bool
put(struct tls_session_cache *cache, struct id id, const char *text,
	int64_t until_s)
{
	return tls_session_cache_put(
		cache, id.bytes, text, strlen(text), until_s);
}

static void
assert_has(const struct stage *at, struct id id, const char *text)
{
	unsigned char out[TLS_SESSION_CACHE_MAX];
	size_t len = tls_session_cache_get(at->two, id.bytes, at->now_s, out);

	assert_int_equal(len, strlen(text));
	assert_memory_equal(out, text, len);
}

static bool
has(const struct stage *at, struct id id)
{
	unsigned char out[TLS_SESSION_CACHE_MAX];

	return tls_session_cache_get(at->two, id.bytes, at->now_s, out) != 0;
}

static void
what_one_stores_the_other_finds(void **state)
{
	const struct stage *at = *state;

	assert_false(has(at, make_id(1, 1)));
	assert_true(put(at->one, make_id(1, 1), "one", at->now_s + 9));
	assert_true(put(at->one, make_id(1, 2), "two", at->now_s + 9));
	assert_has(at, make_id(1, 1), "one");
	assert_has(at, make_id(1, 2), "two");
	assert_false(has(at, make_id(1, 3)));
	assert_false(has(at, make_id(2, 1)));
}

static void
the_same_id_is_stored_once(void **state)
{
	const struct stage *at = *state;

	assert_true(put(at->one, make_id(1, 1), "one", at->now_s + 9));
	assert_true(put(at->two, make_id(1, 1), "again", at->now_s + 9));
	assert_has(at, make_id(1, 1), "again");
	tls_session_cache_remove(at->one, make_id(1, 1).bytes);
	assert_false(has(at, make_id(1, 1)));
}

static void
what_was_removed_is_gone_and_nothing_else(void **state)
{
	const struct stage *at = *state;

	assert_true(put(at->one, make_id(1, 1), "one", at->now_s + 9));
	assert_true(put(at->one, make_id(1, 2), "two", at->now_s + 9));
	tls_session_cache_remove(at->two, make_id(1, 1).bytes);
	tls_session_cache_remove(at->two, make_id(1, 9).bytes);
	assert_false(has(at, make_id(1, 1)));
	assert_true(has(at, make_id(1, 2)));
}

static void
an_entry_ends_with_its_second(void **state)
{
	struct stage *at = *state;

	assert_true(put(at->one, make_id(1, 1), "one", at->now_s + 9));
	at->now_s += 8;
	assert_true(has(at, make_id(1, 1)));
	at->now_s += 1;
	assert_false(has(at, make_id(1, 1)));
}

static void
entries_of_every_length_that_fits_are_stored(void **state)
{
	const struct stage *at = *state;
	unsigned char in[TLS_SESSION_CACHE_MAX + 1];
	unsigned char out[TLS_SESSION_CACHE_MAX];
	struct id id = make_id(7, 7);

	memset(in, 'x', sizeof in);
	assert_false(tls_session_cache_put(
		at->one, id.bytes, in, sizeof in, at->now_s + 9));
	assert_false(
		tls_session_cache_put(at->one, id.bytes, in, 0, at->now_s + 9));
	assert_false(has(at, id));
	assert_true(tls_session_cache_put(
		at->one, id.bytes, in, sizeof out, at->now_s + 9));
	assert_int_equal(
		tls_session_cache_get(at->two, id.bytes, at->now_s, out),
		sizeof out);
	assert_memory_equal(in, out, sizeof out);
}

static uint64_t *
field(const struct stage *at, size_t slot, size_t number)
{
	void *begin = at->raw + slot * TLS_SESSION_CACHE_MARK_SIZE;

	return (uint64_t *)begin + number;
}

static void
a_full_set_loses_its_oldest(void **state)
{
	const struct stage *at = *state;

	for (unsigned char n = 0; n < TLS_SESSION_CACHE_N_WAYS; n++) {
		assert_true(put(at->one, make_id(0, n), "x", at->now_s + 9));
		*field(at, n, 3) = 100 - n; /* when it was stored */
	}
	assert_true(put(at->one, make_id(0, 100), "x", at->now_s + 9));
	assert_false(has(at, make_id(0, TLS_SESSION_CACHE_N_WAYS - 1)));
	for (unsigned char n = 0; n < TLS_SESSION_CACHE_N_WAYS - 1; n++)
		assert_true(has(at, make_id(0, n)));
	assert_true(has(at, make_id(0, 100)));
}

static void
an_expired_entry_goes_before_the_oldest(void **state)
{
	const struct stage *at = *state;

	for (unsigned char n = 0; n < TLS_SESSION_CACHE_N_WAYS; n++)
		assert_true(put(at->one, make_id(0, n), "x",
			n == 2 ? at->now_s - 1 : at->now_s + 9));
	assert_true(put(at->one, make_id(0, 100), "x", at->now_s + 9));
	assert_true(has(at, make_id(0, 0)));
	assert_true(has(at, make_id(0, 1)));
	assert_true(has(at, make_id(0, 3)));
	assert_true(has(at, make_id(0, 100)));
}

/* ---- locks ---- */

static void
lock_all(const struct stage *at, uint64_t since_ms)
{
	for (size_t i = 0; i < TLS_SESSION_CACHE_N_SLOTS; i++)
		*field(at, i, 0) = since_ms;
}

static void
what_is_being_written_is_neither_found_nor_replaced(void **state)
{
	const struct stage *at = *state;

	assert_true(put(at->one, make_id(1, 1), "one", at->now_s + 9));
	lock_all(at, clock_monotonic_ms() + 500);
	assert_false(has(at, make_id(1, 1)));
	assert_false(put(at->two, make_id(1, 1), "two", at->now_s + 9));
	tls_session_cache_remove(at->two, make_id(1, 1).bytes);
	lock_all(at, 0);
	assert_has(at, make_id(1, 1), "one");
}

static void
the_lock_of_a_dead_worker_is_broken(void **state)
{
	const struct stage *at = *state;

	assert_true(put(at->one, make_id(1, 1), "one", at->now_s + 9));
	lock_all(at, clock_monotonic_ms() - TLS_SESSION_CACHE_LOCK_MS);
	assert_false(has(at, make_id(1, 1)));
	assert_true(put(at->two, make_id(1, 1), "two", at->now_s + 9));
	assert_has(at, make_id(1, 1), "two");
}

static void
a_lock_from_the_far_future_is_broken_too(void **state)
{
	const struct stage *at = *state;

	lock_all(at, UINT64_MAX);
	assert_true(put(at->two, make_id(1, 1), "two", at->now_s + 9));
	assert_has(at, make_id(1, 1), "two");
}

/* ---- a worker that was broken into ---- */

static void
lengths_out_of_range_are_not_believed(void **state)
{
	static const uint64_t lengths[] = {TLS_SESSION_CACHE_MAX + 1,
		2 * TLS_SESSION_CACHE_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX};
	const struct stage *at = *state;

	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		assert_true(put(at->one, make_id(0, 1), "x", at->now_s + 9));
		*field(at, 0, 5) = lengths[i];
		assert_false(has(at, make_id(0, 1)));
	}
	assert_true(put(at->one, make_id(0, 1), "x", at->now_s + 9));
	assert_has(at, make_id(0, 1), "x");
}

static void
any_bytes_do_no_harm(void **state)
{
	const struct stage *at = *state;
	struct id id;

	for (int byte = 1; byte <= 255; byte++) {
		memset(at->raw, byte, SIZE);
		memset(id.bytes, byte, sizeof id.bytes);
		assert_false(has(at, id));
		tls_session_cache_remove(at->two, id.bytes);
		assert_true(put(at->one, id, "x", at->now_s + 9));
		assert_has(at, id, "x");
	}
}

/* A child writes as fast as it can; whatever is found is whole. */
static void
an_entry_is_found_whole_or_not_at_all(void **state)
{
	const struct stage *at = *state;
	unsigned char in[TLS_SESSION_CACHE_MAX], out[TLS_SESSION_CACHE_MAX];
	struct id id = make_id(3, 3);
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	for (int i = 0; pid == 0 && i < 100000; i++) {
		memset(in, i & 255, sizeof in);
		(void)tls_session_cache_put(
			at->one, id.bytes, in, sizeof in, at->now_s + 99);
	}
	if (pid == 0)
		_exit(0);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		size_t len = tls_session_cache_get(
			at->two, id.bytes, at->now_s, out);

		if (len == 0)
			continue;
		assert_int_equal(len, sizeof out);
		memset(in, out[0], sizeof in);
		assert_memory_equal(in, out, sizeof out);
	}
	assert_true(WIFEXITED(status));
}

/* ---- memory ---- */

static off_t
memory_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_blocks * 512;
}

static void
whoever_stores_nothing_fills_no_entry(void **state)
{
	const struct stage *at = *state;
	unsigned char out[TLS_SESSION_CACHE_MAX];
	int fd = tls_session_cache_create_fd(NULL);
	struct tls_session_cache *cache = tls_session_cache_map(fd, NULL);
	struct id id;

	assert_non_null(cache);
	assert_int_equal(memory_of(fd), 0);
	for (unsigned n = 0; n < 2 * TLS_SESSION_CACHE_N_SLOTS; n++) {
		id = make_id((unsigned char)n, (unsigned char)(n >> 8));
		id.bytes[1] = (unsigned char)(n >> 8);
		assert_int_equal(
			tls_session_cache_get(cache, id.bytes, at->now_s, out),
			0);
		tls_session_cache_remove(cache, id.bytes);
	}
	assert_in_range(memory_of(fd), 0, TLS_SESSION_CACHE_MARKS_SIZE);
	assert_true(put(cache, id, "x", at->now_s + 9));
	assert_in_range(memory_of(fd), TLS_SESSION_CACHE_MAX,
		TLS_SESSION_CACHE_MARKS_SIZE + TLS_SESSION_CACHE_MAX);
	tls_session_cache_unmap(&cache);
	assert_int_equal(close(fd), 0);
}

static void
the_table_never_outgrows_its_size(void **state)
{
	const struct stage *at = *state;
	unsigned char in[TLS_SESSION_CACHE_MAX] = {1};
	int fd = tls_session_cache_create_fd(NULL);
	struct tls_session_cache *cache = tls_session_cache_map(fd, NULL);
	unsigned stored = 0;

	assert_non_null(cache);
	for (unsigned n = 0; n < 4 * TLS_SESSION_CACHE_N_SLOTS; n++) {
		struct id id =
			make_id((unsigned char)n, (unsigned char)(n >> 10));

		id.bytes[1] = (unsigned char)(n >> 8 & 3);
		stored += tls_session_cache_put(
			cache, id.bytes, in, sizeof in, at->now_s + 9);
	}
	assert_int_equal(stored, 4 * TLS_SESSION_CACHE_N_SLOTS);
	assert_int_equal(memory_of(fd), SIZE);
	tls_session_cache_unmap(&cache);
	assert_int_equal(close(fd), 0);
}

/* ---- descriptors ---- */

static void
a_descriptor_of_something_else_is_refused(void **state)
{
	struct error err = {""};
	int fd = memfd_create("small", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	(void)state;
	assert_true(fd >= 0);
	assert_null(tls_session_cache_map(fd, &err));
	assert_string_equal(
		err.text, "cannot map the session memory: wrong size");
	assert_int_equal(
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	assert_null(tls_session_cache_map(fd, &err));
	assert_null(tls_session_cache_map(-1, &err));
	assert_int_equal(close(fd), 0);
}

static void
nobody_can_shrink_it(void **state)
{
	int fd = tls_session_cache_create_fd(NULL);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(close(fd), 0);
}

static void
a_process_shares_what_it_was_told_to(void **state)
{
	const struct stage *at = *state;

	assert_null(tls_session_cache_shared());
	tls_session_cache_share(at->one);
	assert_ptr_equal(tls_session_cache_shared(), at->one);
	tls_session_cache_share(NULL);
	assert_null(tls_session_cache_shared());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_one_stores_the_other_finds),
		TEST(the_same_id_is_stored_once),
		TEST(what_was_removed_is_gone_and_nothing_else),
		TEST(an_entry_ends_with_its_second),
		TEST(entries_of_every_length_that_fits_are_stored),
		TEST(a_full_set_loses_its_oldest),
		TEST(an_expired_entry_goes_before_the_oldest),
		TEST(what_is_being_written_is_neither_found_nor_replaced),
		TEST(the_lock_of_a_dead_worker_is_broken),
		TEST(a_lock_from_the_far_future_is_broken_too),
		TEST(lengths_out_of_range_are_not_believed),
		TEST(any_bytes_do_no_harm),
		TEST(an_entry_is_found_whole_or_not_at_all),
		TEST(whoever_stores_nothing_fills_no_entry),
		TEST(the_table_never_outgrows_its_size),
		TEST(a_descriptor_of_something_else_is_refused),
		TEST(nobody_can_shrink_it),
		TEST(a_process_shares_what_it_was_told_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
