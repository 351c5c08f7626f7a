#include "tls/tls_hmac.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hex_bytes.h"

static int
setup(void **state)
{
	(void)state;
	return tls_hmac_open() ? 0 : -1;
}

static void
assert_hex(const unsigned char *bytes, const char *expected)
{
	unsigned char room[HEX_BYTES_ROOM];
	struct tls_hmac_bytes want = hex_bytes(expected, room);

	assert_memory_equal(bytes, want.at, want.len);
}

/* Those of RFC 4231 sections 4.2 to 4.4. */
static const struct vector {
	const char *key, *text, *sha256, *sha384;
} vectors[] = {
	{"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
		"b0344c61d8db38535ca8afceaf0bf12b"
		"881dc200c9833da726e9376c2e32cff7",
		"afd03944d84895626b0825f4ab46907f"
		"15f9dadbe4101ec682aa034c7cebc59c"
		"faea9ea9076ede7f4af152e8b2fa9cb6"},
	{"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
		"5bdcc146bf60754e6a042426089575c7"
		"5a003f089d2739839dec58b964ec3843",
		"af45d2e376484031617f78d2b58a6b1b"
		"9c7ef464f5a01b47e42ec3736322445e"
		"8e2240ca5e69e2c78b3239ecfab21649"},
	{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
		"dddddddddddddddddddddddddddddddddddddddd",
		"773ea91e36800e46854db8ebd09181a7"
		"2959098b3ef8c122d9635514ced565fe",
		"88062608d3e6ad8a0aa2ace014c8a86f"
		"0aa635d947ac9febe83ef4e55966144b"
		"2a5ab39dc13814b94e3ab6e101a34f27"},
};

#define N_VECTORS (sizeof vectors / sizeof vectors[0])

static void
one_text_has_the_codes_of_the_rfc(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_VECTORS; i++) {
		unsigned char key_room[HEX_BYTES_ROOM],
			text_room[HEX_BYTES_ROOM];
		unsigned char out[TLS_HMAC_MAX];
		struct tls_hmac_bytes key = hex_bytes(vectors[i].key, key_room);
		struct tls_hmac_bytes text =
			hex_bytes(vectors[i].text, text_room);

		assert_true(
			tls_hmac_once(tls_hmac_find("SHA256"), key, text, out));
		assert_hex(out, vectors[i].sha256);
		assert_true(
			tls_hmac_once(tls_hmac_find("SHA384"), key, text, out));
		assert_hex(out, vectors[i].sha384);
	}
}

/* Each three times, with other keys and other digests before it. */
static void
several_texts_under_one_key_have_them_too(void **state)
{
	const struct tls_hmac *sha256 = tls_hmac_find("SHA256");
	const struct tls_hmac *sha384 = tls_hmac_find("SHA384");

	(void)state;
	for (size_t i = 0; i < N_VECTORS; i++) {
		unsigned char key_room[HEX_BYTES_ROOM],
			text_room[HEX_BYTES_ROOM];
		unsigned char out[TLS_HMAC_MAX];
		struct tls_hmac_bytes key = hex_bytes(vectors[i].key, key_room);
		struct tls_hmac_bytes text =
			hex_bytes(vectors[i].text, text_room);

		assert_true(tls_hmac_begin(sha256, key));
		assert_true(tls_hmac_begin(sha384, key));
		for (int j = 0; j < 3; j++) {
			assert_true(tls_hmac_next(sha256, text, out));
			assert_hex(out, vectors[i].sha256);
			assert_true(tls_hmac_next(sha384, text, out));
			assert_hex(out, vectors[i].sha384);
		}
		assert_true(tls_hmac_end(sha256));
		assert_true(tls_hmac_end(sha384));
	}
}

static void
a_code_may_take_the_place_of_its_text(void **state)
{
	const struct tls_hmac *hmac = tls_hmac_find("SHA256");
	unsigned char key_room[HEX_BYTES_ROOM], place[HEX_BYTES_ROOM];
	struct tls_hmac_bytes key = hex_bytes(vectors[1].key, key_room);
	struct tls_hmac_bytes text = hex_bytes(vectors[1].text, place);

	(void)state;
	assert_true(tls_hmac_begin(hmac, key));
	assert_true(tls_hmac_next(hmac, text, place));
	assert_true(tls_hmac_end(hmac));
	assert_hex(place, vectors[1].sha256);
}

/* What is left is the same, whatever the key was. */
static void
a_key_is_gone_at_the_end(void **state)
{
	const struct tls_hmac *hmac = tls_hmac_find("SHA256");
	unsigned char left[N_VECTORS][TLS_HMAC_MAX] = {{0}};
	unsigned char room[HEX_BYTES_ROOM];
	const struct tls_hmac_bytes nothing = {room, 0};

	(void)state;
	for (size_t i = 0; i < N_VECTORS; i++) {
		assert_true(
			tls_hmac_begin(hmac, hex_bytes(vectors[i].key, room)));
		assert_true(tls_hmac_end(hmac));
		assert_true(tls_hmac_next(hmac, nothing, left[i]));
		assert_true(tls_hmac_end(hmac));
		assert_memory_equal(left[i], left[0], TLS_HMAC_MAX);
	}
}

/* An end without a next, and an end without a begin. */
static void
an_end_can_come_at_any_time(void **state)
{
	const struct tls_hmac *hmac = tls_hmac_find("SHA384");
	unsigned char room[HEX_BYTES_ROOM], out[TLS_HMAC_MAX];
	struct tls_hmac_bytes key = hex_bytes(vectors[0].key, room);

	(void)state;
	assert_true(tls_hmac_begin(hmac, key));
	assert_true(tls_hmac_end(hmac));
	assert_true(tls_hmac_end(hmac));
	one_text_has_the_codes_of_the_rfc(state);
	assert_true(tls_hmac_begin(hmac, key));
	assert_true(tls_hmac_next(hmac, key, out));
	assert_true(tls_hmac_end(hmac));
}

static void
a_key_may_be_empty_or_a_block(void **state)
{
	static const unsigned char zeros[HEX_BYTES_ROOM];
	const struct tls_hmac *hmac = tls_hmac_find("SHA256");
	unsigned char none[TLS_HMAC_MAX], block[TLS_HMAC_MAX];
	const struct tls_hmac_bytes text = {zeros, 1};

	(void)state;
	assert_true(tls_hmac_once(
		hmac, (struct tls_hmac_bytes){zeros, 0}, text, none));
	assert_true(tls_hmac_once(hmac,
		(struct tls_hmac_bytes){zeros, tls_hmac_key_max(hmac)}, text,
		block));
	/* A key is filled up with zeros. */
	assert_memory_equal(none, block, tls_hmac_size(hmac));
}

static void
a_digest_is_found_by_both_its_names(void **state)
{
	(void)state;
	assert_ptr_equal(tls_hmac_find("SHA256"), tls_hmac_find("SHA2-256"));
	assert_ptr_equal(tls_hmac_find("SHA384"), tls_hmac_find("SHA2-384"));
	assert_ptr_not_equal(
		tls_hmac_find("SHA2-256"), tls_hmac_find("SHA2-384"));
	assert_null(tls_hmac_find("SHA2-512"));
	assert_null(tls_hmac_find("MD5-SHA1"));
	assert_null(tls_hmac_find("SHA"));
	assert_null(tls_hmac_find(""));
}

static void
a_digest_has_the_sizes_of_its_kind(void **state)
{
	const struct tls_hmac *hmac = tls_hmac_find("SHA384");

	(void)state;
	assert_int_equal(tls_hmac_size(hmac), 48);
	assert_int_equal(tls_hmac_key_max(hmac), 128);
	assert_int_equal(tls_hmac_empty(hmac).len, 48);
	hmac = tls_hmac_find("SHA256");
	assert_int_equal(tls_hmac_size(hmac), 32);
	assert_int_equal(tls_hmac_key_max(hmac), 64);
	assert_hex(tls_hmac_empty(hmac).at, "e3b0c44298fc1c149afbf4c8996fb924"
					    "27ae41e4649b934ca495991b7852b855");
}

static void
a_second_opening_changes_nothing(void **state)
{
	assert_true(tls_hmac_open());
	one_text_has_the_codes_of_the_rfc(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_text_has_the_codes_of_the_rfc),
		cmocka_unit_test(several_texts_under_one_key_have_them_too),
		cmocka_unit_test(a_code_may_take_the_place_of_its_text),
		cmocka_unit_test(a_key_is_gone_at_the_end),
		cmocka_unit_test(an_end_can_come_at_any_time),
		cmocka_unit_test(a_key_may_be_empty_or_a_block),
		cmocka_unit_test(a_digest_is_found_by_both_its_names),
		cmocka_unit_test(a_digest_has_the_sizes_of_its_kind),
		cmocka_unit_test(a_second_opening_changes_nothing),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
