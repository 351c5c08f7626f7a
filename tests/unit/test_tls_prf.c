#include "tls/tls_prf.h"

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

/* Those that the TLS working group's list has for TLS 1.2; seeds begin
 * with "test label". */
static const struct vector {
	const char *digest, *secret, *seed, *expected;
} vectors[] = {
	{"SHA2-256", "9bbe436ba940f017b17652849a71db35",
		"74657374206c6162656ca0ba9f936cda311827a6f796ffd5198c",
		"e3f229ba727be17b8d122620557cd453c2aab21d07c3d495"
		"329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af"
		"0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b"
		"97fce34f796789baa48082d122ee42c5a72e5a5110fff701"
		"87347b66"},
	{"SHA2-384", "b80b733d6ceefcdc71566ea48e5567df",
		"74657374206c6162656ccd665cf6a8447dd6ff8b27555edb7465",
		"7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5f"
		"d7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0"
		"e534cb400fed2700884f9dc236f80edd8bfa961144c9e8d7"
		"92eca722a7b32fc3d416d473ebc2c5fd4abfdad05d918425"
		"9b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236"
		"a3e52655c9e9aee691c8f3a26854308d5eaa3be85e099070"
		"3d73e56f"},
};

#define N_VECTORS (sizeof vectors / sizeof vectors[0])

/* As much as there is of it. Any length is the beginning of a longer one, and
 * no byte beyond it is touched. */
static void
all_lengths_are_those_of_the_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_VECTORS; i++) {
		const struct tls_hmac *hmac = tls_hmac_find(vectors[i].digest);
		unsigned char secret_room[HEX_BYTES_ROOM],
			seed_room[HEX_BYTES_ROOM];
		unsigned char want_room[HEX_BYTES_ROOM], out[HEX_BYTES_ROOM];
		struct tls_hmac_bytes secret =
			hex_bytes(vectors[i].secret, secret_room);
		struct tls_hmac_bytes seed =
			hex_bytes(vectors[i].seed, seed_room);
		struct tls_hmac_bytes want =
			hex_bytes(vectors[i].expected, want_room);

		for (size_t len = 1; len <= want.len; len++) {
			memset(out, 0xaa, sizeof out);
			assert_true(
				tls_prf_expand(hmac, secret, seed, out, len));
			assert_memory_equal(out, want.at, len);
			for (size_t j = len; j < sizeof out; j++)
				assert_int_equal(out[j], 0xaa);
		}
	}
}

static void
every_byte_of_the_longest_seed_counts(void **state)
{
	const struct tls_hmac *hmac = tls_hmac_find("SHA256");
	unsigned char seed[TLS_PRF_SEED_MAX] = {0};
	unsigned char secret[64] = {0}, plain[40], out[40];
	const struct tls_hmac_bytes key = {secret, sizeof secret};
	const struct tls_hmac_bytes all = {seed, sizeof seed};

	(void)state;
	assert_true(tls_prf_expand(hmac, key, all, plain, sizeof plain));
	for (size_t i = 0; i < sizeof seed; i++) {
		seed[i] = 1;
		assert_true(tls_prf_expand(hmac, key, all, out, sizeof out));
		assert_memory_not_equal(out, plain, sizeof out);
		seed[i] = 0;
	}
	assert_true(tls_prf_expand(hmac, key, all, out, sizeof out));
	assert_memory_equal(out, plain, sizeof out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_lengths_are_those_of_the_vectors),
		cmocka_unit_test(every_byte_of_the_longest_seed_counts),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
