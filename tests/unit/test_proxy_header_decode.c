#include "config.h"

#include "net/proxy_header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy_bytes.h"

#define IPV4_ENDS "192.0.2.1 40000 198.51.100.2 443"
#define IPV6_ENDS "2001:db8::1 40000 2001:db8::2 443"

/* One answer of the decoder. */
struct answer {
	enum proxy_header_result result;
	size_t len;
	struct sockaddr_storage source, destination;
	const char *why;
};

/* What is behind BYTES must not be read: a copy of exactly their size, for the
 * sanitizer. */
static struct answer
decode(const void *bytes, size_t len)
{
	struct answer a = {.len = SIZE_MAX, .why = NULL};
	uint8_t *copy = malloc(len + (len == 0));

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	a.source.ss_family = a.destination.ss_family = 250;
	a.result = proxy_header_decode(
		copy, len, &a.len, &a.source, &a.destination, &a.why);
	free(copy);
	return a;
}

static void
assert_untouched(const struct answer *a)
{
	assert_true(a->len == SIZE_MAX);
	assert_int_equal(a->source.ss_family, 250);
	assert_int_equal(a->destination.ss_family, 250);
}

/* And once it is bad it stays so, whatever comes behind. */
static void
assert_bad(const void *bytes, size_t len, const char *why)
{
	struct answer a = decode(bytes, len);
	uint8_t longer[80000] = {0};

	assert_int_equal(a.result, PROXY_HEADER_BAD);
	assert_non_null(a.why);
	if (why != NULL)
		assert_string_equal(a.why, why);
	assert_untouched(&a);
	memcpy(longer, bytes, len);
	assert_int_equal(
		decode(longer, sizeof longer).result, PROXY_HEADER_BAD);
	assert_int_equal(proxy_header_decode(longer, len, &a.len, &a.source,
				 &a.destination, NULL),
		PROXY_HEADER_BAD);
}

/* The header that BYTES are is read as ENDS; all that is shorter asks for
 * more; what follows it is somebody else's. */
static void
assert_read_as(const void *bytes, size_t len, enum proxy_header_result result,
	const char *ends)
{
	uint8_t *longer = malloc(len + 5);
	struct answer a;
	char text[400];

	assert_non_null(longer);
	memcpy(longer, bytes, len);
	memcpy(longer + len, "\x16\x03\x01\0\n", 5);
	for (size_t i = 0; i < len; i++) {
		a = decode(bytes, i);
		assert_int_equal(a.result, PROXY_HEADER_MORE);
		assert_untouched(&a);
	}
	for (size_t more = 0; more <= 5; more++) {
		a = decode(longer, len + more);
		assert_int_equal(a.result, result);
		assert_int_equal(a.len, len);
		assert_null(a.why);
		(void)snprintf(text, sizeof text, "%s %s",
			proxy_bytes_end_text(&a.source),
			proxy_bytes_end_text(&a.destination));
		assert_string_equal(text, ends);
	}
	free(longer);
}

static void
version_1_lines_are_read(void **state)
{
	static const struct {
		const char *line, *ends;
	} rows[] = {
		{"PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\r\n", IPV4_ENDS},
		{"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0 0 0.0.0.0 0"},
		{"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
			"255.255.255.255 65535 255.255.255.255 65535"},
		{"PROXY TCP6 2001:db8::1 2001:db8::2 40000 443\r\n", IPV6_ENDS},
		{"PROXY TCP6 2001:DB8:0:0:0:0:0:1 2001:db8::2 40000 443\r\n",
			IPV6_ENDS},
		{"PROXY TCP6 :: ::ffff:192.0.2.1 1 2\r\n",
			":: 1 ::ffff:192.0.2.1 2"},
		{"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
			"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
			"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535"},
		{"PROXY UNKNOWN\r\n", "unspec unspec"},
		{"PROXY UNKNOWN \r\n", "unspec unspec"},
		{"PROXY UNKNOWN some \r thing\r\n", "unspec unspec"},
		{"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
			"unspec unspec"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_read_as(rows[i].line, strlen(rows[i].line),
			PROXY_HEADER_DONE, rows[i].ends);
}

static void
malformed_version_1_lines_are_refused(void **state)
{
	static const char *const lines[] = {
		"proxy TCP4 192.0.2.1 198.51.100.2 40000 443\r\n",
		"PROXY\tTCP4 192.0.2.1 198.51.100.2 40000 443\r\n",
		"PROXY\r\n",
		"PROXY \r\n",
		"PROXY  TCP4 192.0.2.1 198.51.100.2 40000 443\r\n",
		"PROXY TCP 192.0.2.1 198.51.100.2 40000 443\r\n",
		"PROXY TCP5 192.0.2.1 198.51.100.2 40000 443\r\n",
		"PROXY tcp4 192.0.2.1 198.51.100.2 40000 443\r\n",
		"PROXY UDP4 192.0.2.1 198.51.100.2 40000 443\r\n",
		"PROXY UNKNOWNS\r\n",
		"PROXY UNKNOW\r\n",
		"PROXY TCP4\r\n",
		"PROXY TCP4 192.0.2.1\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 40000\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 40000 \r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 40000 443 \r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 40000 443 1\r\n",
		"PROXY TCP4 192.0.2.1  198.51.100.2 40000 443\r\n",
		"PROXY TCP4  192.0.2.1 198.51.100.2 40000 443\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\r\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 040000 443\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 40000 00\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 40000 4294967739\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 -1 443\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 +1 443\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 0x1 443\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 1a 443\r\n",
		"PROXY TCP4 192.0.02.1 198.51.100.2 40000 443\r\n",
		"PROXY TCP4 192.0.2.256 198.51.100.2 40000 443\r\n",
		"PROXY TCP4 192.0.2 198.51.100.2 40000 443\r\n",
		"PROXY TCP4 192.0.2.1. 198.51.100.2 40000 443\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.0x2 40000 443\r\n",
		"PROXY TCP4 host.example 198.51.100.2 40000 443\r\n",
		"PROXY TCP4 2001:db8::1 2001:db8::2 40000 443\r\n",
		"PROXY TCP6 192.0.2.1 198.51.100.2 40000 443\r\n",
		"PROXY TCP6 2001:db8::1 198.51.100.2 40000 443\r\n",
		"PROXY TCP6 2001:db8:::1 2001:db8::2 40000 443\r\n",
		"PROXY TCP6 [2001:db8::1] 2001:db8::2 40000 443\r\n",
		"PROXY TCP6 fe80::1%lo fe80::2 40000 443\r\n",
		"PROXY TCP6 2001:db8::10000 2001:db8::2 40000 443\r\n",
		"GET / HTTP/1.1\r\n",
		"\x16\x03\x01",
		"\r\n\r\nQUIT",
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		assert_bad(lines[i], strlen(lines[i]), NULL);
}

static void
a_nul_in_a_version_1_line_is_refused(void **state)
{
	static const char line[] =
		"PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\0 x\r\n";
	static const char early[] = "PROXY \0TCP4 1.2.3.4 1.2.3.4 1 2\r\n";

	(void)state;
	assert_bad(line, sizeof line - 1, "a version 1 line with a NUL");
	assert_bad(early, sizeof early - 1, "a version 1 line with a NUL");
}

static void
a_version_1_line_has_107_bytes_at_most(void **state)
{
	char line[200];

	(void)state;
	memset(line, 'x', sizeof line);
	memcpy(line, "PROXY UNKNOWN ", 14);
	memcpy(line + 105, "\r\n", 2);
	assert_read_as(line, 107, PROXY_HEADER_DONE, "unspec unspec");

	memset(line + 14, 'x', sizeof line - 14);
	memcpy(line + 106, "\r\n", 2);
	assert_int_equal(decode(line, 106).result, PROXY_HEADER_MORE);
	for (size_t len = 107; len < sizeof line; len++)
		assert_bad(line, len, "a version 1 line over 107 bytes");
}

static void
what_cannot_become_a_header_is_refused_at_its_first_byte(void **state)
{
	(void)state;
	assert_int_equal(decode("", 0).result, PROXY_HEADER_MORE);
	for (unsigned i = 0; i < 256; i++) {
		const uint8_t byte = (uint8_t)i;

		if (byte == 'P' || byte == '\r')
			assert_int_equal(
				decode(&byte, 1).result, PROXY_HEADER_MORE);
		else
			assert_bad(&byte, 1, "no PROXY protocol header");
	}
	assert_bad("PRI", 3, "no PROXY protocol header");
	assert_bad("\r\n\r\n\r", 5, "no PROXY protocol header");
}

static void
every_family_of_version_2_is_read(void **state)
{
	struct proxy_bytes b;
	char path[108] = "/run/one";
	unsigned family;

	(void)state;
	for (family = 0x11; family <= 0x12; family++) {
		proxy_bytes_start(&b, 0x21, family);
		proxy_bytes_add_ipv4(&b);
		proxy_bytes_end(&b);
		assert_read_as(b.bytes, b.len, PROXY_HEADER_DONE, IPV4_ENDS);
	}
	for (family = 0x21; family <= 0x22; family++) {
		proxy_bytes_start(&b, 0x21, family);
		proxy_bytes_add_ipv6(&b);
		proxy_bytes_end(&b);
		assert_read_as(b.bytes, b.len, PROXY_HEADER_DONE, IPV6_ENDS);
	}
	for (family = 0x31; family <= 0x32; family++) {
		proxy_bytes_start(&b, 0x21, family);
		proxy_bytes_add(&b, path, sizeof path);
		path[5] = 'X';
		proxy_bytes_add(&b, path, sizeof path);
		path[5] = 'o';
		proxy_bytes_end(&b);
		assert_read_as(b.bytes, b.len, PROXY_HEADER_DONE,
			"unix /run/one unix /run/Xne");
	}
}

static void
a_unix_path_may_fill_its_field(void **state)
{
	struct proxy_bytes b;
	char path[108], ends[400];

	(void)state;
	memset(path, 'p', sizeof path);
	proxy_bytes_start(&b, 0x21, 0x31);
	proxy_bytes_add(&b, path, sizeof path);
	proxy_bytes_add(&b, path, sizeof path);
	proxy_bytes_end(&b);
	(void)snprintf(
		ends, sizeof ends, "unix %.108s unix %.108s", path, path);
	assert_read_as(b.bytes, b.len, PROXY_HEADER_DONE, ends);
}

static void
an_unspecified_family_has_no_addresses(void **state)
{
	struct proxy_bytes b;

	(void)state;
	proxy_bytes_start(&b, 0x21, 0x00);
	assert_read_as(b.bytes, b.len, PROXY_HEADER_DONE, "unspec unspec");
	proxy_bytes_add(&b, "any bytes", 9);
	proxy_bytes_end(&b);
	assert_read_as(b.bytes, b.len, PROXY_HEADER_DONE, "unspec unspec");
}

static void
a_local_header_is_skipped_whatever_is_in_it(void **state)
{
	static const unsigned families[] = {0x00, 0x11, 0x21, 0x31, 0x99, 0xff};
	struct proxy_bytes b;

	(void)state;
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
		proxy_bytes_start(&b, 0x20, families[i]);
		assert_read_as(
			b.bytes, b.len, PROXY_HEADER_LOCAL, "unspec unspec");
		proxy_bytes_add_ipv4(&b);
		proxy_bytes_add(&b, "\x03\0\4bad!", 7);
		proxy_bytes_end(&b);
		assert_read_as(
			b.bytes, b.len, PROXY_HEADER_LOCAL, "unspec unspec");
	}
}

static void
unknown_versions_commands_and_families_are_refused(void **state)
{
	struct proxy_bytes b;

	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		proxy_bytes_start(&b, i, 0x11);
		proxy_bytes_add_ipv4(&b);
		proxy_bytes_end(&b);
		if (i != 0x20 && i != 0x21)
			assert_bad(
				b.bytes, 13, "an unknown version or command");
		proxy_bytes_start(&b, 0x21, i);
		memset(b.bytes + 16, 0, 216);
		b.len += 216;
		proxy_bytes_end(&b);
		if (i == 0 || ((i >> 4) >= 1 && (i >> 4) <= 3 &&
				      ((i & 15) == 1 || (i & 15) == 2)))
			assert_int_equal(decode(b.bytes, b.len).result,
				PROXY_HEADER_DONE);
		else
			assert_bad(b.bytes, 16, "an unknown address family");
	}
}

static void
a_length_too_short_for_the_addresses_is_refused(void **state)
{
	static const struct {
		unsigned family, len;
	} rows[] = {{0x11, 12}, {0x12, 12}, {0x21, 36}, {0x22, 36}, {0x31, 216},
		{0x32, 216}};
	struct proxy_bytes b;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (unsigned len = 0; len < rows[i].len; len++) {
			proxy_bytes_start(&b, 0x21, rows[i].family);
			b.bytes[15] = (uint8_t)len;
			assert_bad(b.bytes, 16,
				"a length that is too short for the addresses");
		}
	}
}

static void
a_header_over_the_limit_is_refused_by_its_length(void **state)
{
	const size_t most = PROXY_HEADER_ACCEPT_MAX - 16;
	static const uint8_t zeros[4096];
	struct proxy_bytes b;

	(void)state;
	for (unsigned command = 0x20; command <= 0x21; command++) {
		proxy_bytes_start(&b, command, 0x11);
		b.bytes[14] = (uint8_t)(most >> 8);
		b.bytes[15] = (uint8_t)most;
		assert_int_equal(decode(b.bytes, 16).result, PROXY_HEADER_MORE);
		b.bytes[14] = (uint8_t)((most + 1) >> 8);
		b.bytes[15] = (uint8_t)(most + 1);
		assert_bad(b.bytes, 16, "longer than 4096 bytes");
		b.bytes[14] = b.bytes[15] = 0xff;
		assert_bad(b.bytes, 16, "longer than 4096 bytes");
	}
	proxy_bytes_start(&b, 0x21, 0x11);
	proxy_bytes_add_ipv4(&b);
	proxy_bytes_add_tlv(&b, 0x04, zeros, most - 12 - 3);
	proxy_bytes_end(&b);
	assert_int_equal(b.len, PROXY_HEADER_ACCEPT_MAX);
	assert_read_as(b.bytes, b.len, PROXY_HEADER_DONE, IPV4_ENDS);
}

/* IPv4 addresses, then TLVS as they are. */
static void
with_tlvs(struct proxy_bytes *b, const void *tlvs, size_t len)
{
	proxy_bytes_start(b, 0x21, 0x11);
	proxy_bytes_add_ipv4(b);
	proxy_bytes_add(b, tlvs, len);
	proxy_bytes_end(b);
}

static void
sound_tlvs_are_passed_over(void **state)
{
#define ROW(bytes)                                                             \
	{                                                                      \
		bytes, sizeof bytes - 1                                        \
	}
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
		ROW("\x04\0\0"), /* the smallest there is */
		ROW("\x04\0\0\x04\0\0"),
		ROW("\x01\0\2h2"),
		ROW("\x02\0\x09x.example"),
		ROW("\x30\0\2ns"),
		ROW("\xe0\0\x01u"),
		ROW("\xff\0\3xyz"), /* of a type nobody has */
		ROW("\x20\0\5\1\0\0\0\0"),
		ROW("\x20\0\x14\1\0\0\0\0\x21\0\7TLSv1.3\x22\0\2cn"),
		ROW("\x20\0\x08\1\0\0\0\0\x99\0\0"),
	};
	struct proxy_bytes b;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		with_tlvs(&b, rows[i].bytes, rows[i].len);
		assert_read_as(b.bytes, b.len, PROXY_HEADER_DONE, IPV4_ENDS);
	}
}

static void
tlvs_that_lie_about_their_length_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
		ROW("\x04"),
		ROW("\x04\0"),
		ROW("\x04\0\1"),
		ROW("\x04\0\3ab"),
		ROW("\x04\xff\xff"),
		ROW("\x01\0\2h2\x02"),
		ROW("\x01\0\2h2\x02\0"),
		ROW("\x01\0\2h2\x02\0\5xxxx"),
		ROW("\x20\0\0"), /* ... and inside the one about TLS */
		ROW("\x20\0\4\1\0\0\0"),
		ROW("\x20\0\6\1\0\0\0\0\x21"),
		ROW("\x20\0\7\1\0\0\0\0\x21\0"),
		ROW("\x20\0\x08\1\0\0\0\0\x21\0\1"),
		ROW("\x20\0\x0a\1\0\0\0\0\x21\0\3ab"),
		ROW("\x20\0\x08\1\0\0\0\0\x21\xff\xff"),
		/* Here the outer one has what the inner one claims. */
		ROW("\x20\0\x08\1\0\0\0\0\x21\0\3\x04\0\0"),
#undef ROW
	};
	struct proxy_bytes b;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		with_tlvs(&b, rows[i].bytes, rows[i].len);
		assert_bad(b.bytes, b.len,
			rows[i].bytes[0] == 0x20
				? "a malformed TLV about TLS"
				: "a TLV that ends beyond the header");
	}
}

/* A checksum between two other TLVs. Returns where its value is. */
static size_t
with_sum(struct proxy_bytes *b)
{
	size_t at;

	proxy_bytes_start(b, 0x21, 0x21);
	proxy_bytes_add_ipv6(b);
	proxy_bytes_add_tlv(b, 0x01, "h2", 2);
	at = b->len + 3;
	proxy_bytes_add_tlv(b, 0x03, "\0\0\0", 4);
	proxy_bytes_add_tlv(b, 0x02, "x.example", 9);
	proxy_bytes_end(b);
	proxy_bytes_set_sum(b, at);
	return at;
}

static void
a_right_checksum_is_accepted(void **state)
{
	struct proxy_bytes b;

	(void)state;
	(void)with_sum(&b);
	assert_read_as(b.bytes, b.len, PROXY_HEADER_DONE, IPV6_ENDS);
}

static void
a_changed_bit_anywhere_under_a_checksum_is_refused(void **state)
{
	struct proxy_bytes b;
	const size_t type_at = with_sum(&b) - 3;
	struct answer a;

	(void)state;
	for (size_t bit = 0; bit < b.len * 8; bit++) {
		b.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
		a = decode(b.bytes, b.len);
		if (bit == 12 * 8)
			assert_int_equal(a.result, PROXY_HEADER_LOCAL);
		else if (bit / 8 == type_at)
			assert_int_equal(a.result, PROXY_HEADER_DONE);
		else if (bit / 8 == 14 || bit / 8 == 15)
			assert_int_not_equal(a.result, PROXY_HEADER_DONE);
		else
			assert_int_equal(a.result, PROXY_HEADER_BAD);
		b.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	b.bytes[20] ^= 1;
	assert_bad(b.bytes, b.len, "a wrong checksum");
}

static void
a_checksum_of_a_wrong_size_or_twice_is_refused(void **state)
{
	struct proxy_bytes b;
	size_t at;

	(void)state;
	for (size_t len = 0; len < 9; len++) {
		if (len == 4)
			continue;
		proxy_bytes_start(&b, 0x21, 0x11);
		proxy_bytes_add_ipv4(&b);
		proxy_bytes_add_tlv(&b, 0x03, "12345678", len);
		proxy_bytes_end(&b);
		assert_bad(b.bytes, b.len, "a wrong checksum");
	}
	proxy_bytes_start(&b, 0x21, 0x11);
	proxy_bytes_add_ipv4(&b);
	at = b.len + 3;
	proxy_bytes_add_tlv(&b, 0x03, "\0\0\0", 4);
	proxy_bytes_add_tlv(&b, 0x03, "\0\0\0", 4);
	proxy_bytes_end(&b);
	proxy_bytes_set_sum(&b, at);
	assert_bad(b.bytes, b.len, "two checksums");
}

/* A generator whose bytes are the same in every run. */
static uint8_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return (uint8_t)(*seed >> 24);
}

/* An answer that was given is never taken back. */
static void
assert_steady(const uint8_t *bytes, size_t len)
{
	struct answer first = {.result = PROXY_HEADER_MORE};

	for (size_t i = 0; i <= len; i++) {
		struct answer a = decode(bytes, i);

		if (first.result != PROXY_HEADER_MORE) {
			assert_int_equal(a.result, first.result);
			assert_int_equal(a.len, first.len);
		} else if (a.result == PROXY_HEADER_DONE ||
			   a.result == PROXY_HEADER_LOCAL) {
			assert_int_equal(a.len, i);
		}
		first = a;
	}
}

static void
random_bytes_never_confuse_it(void **state)
{
	uint32_t seed = 4711;
	struct proxy_bytes b;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		const size_t fixed = next_random(&seed) % 17;

		proxy_bytes_start(&b, 0x20 + next_random(&seed) % 2,
			next_random(&seed) & 0x33);
		if (round % 4 == 0)
			memcpy(b.bytes, "PROXY TCP4 1.2.3", 16);
		b.bytes[15] = next_random(&seed);
		for (b.len = fixed; b.len < 150; b.len++)
			b.bytes[b.len] = next_random(&seed);
		assert_steady(b.bytes, b.len);
	}
}

static void
sound_headers_with_a_random_byte_never_confuse_it(void **state)
{
	static const char line[] =
		"PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\r\nafter it";
	uint32_t seed = 42;
	struct proxy_bytes b;
	uint8_t changed[sizeof line];

	(void)state;
	for (int round = 0; round < 1000; round++) {
		memcpy(changed, line, sizeof line);
		changed[next_random(&seed) % sizeof line] = next_random(&seed);
		assert_steady(changed, sizeof changed);
		(void)with_sum(&b);
		b.bytes[next_random(&seed) % b.len] = next_random(&seed);
		assert_steady(b.bytes, b.len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_1_lines_are_read),
		cmocka_unit_test(malformed_version_1_lines_are_refused),
		cmocka_unit_test(a_nul_in_a_version_1_line_is_refused),
		cmocka_unit_test(a_version_1_line_has_107_bytes_at_most),
		cmocka_unit_test(
			what_cannot_become_a_header_is_refused_at_its_first_byte),
		cmocka_unit_test(every_family_of_version_2_is_read),
		cmocka_unit_test(a_unix_path_may_fill_its_field),
		cmocka_unit_test(an_unspecified_family_has_no_addresses),
		cmocka_unit_test(a_local_header_is_skipped_whatever_is_in_it),
		cmocka_unit_test(
			unknown_versions_commands_and_families_are_refused),
		cmocka_unit_test(
			a_length_too_short_for_the_addresses_is_refused),
		cmocka_unit_test(
			a_header_over_the_limit_is_refused_by_its_length),
		cmocka_unit_test(sound_tlvs_are_passed_over),
		cmocka_unit_test(tlvs_that_lie_about_their_length_are_refused),
		cmocka_unit_test(a_right_checksum_is_accepted),
		cmocka_unit_test(
			a_changed_bit_anywhere_under_a_checksum_is_refused),
		cmocka_unit_test(
			a_checksum_of_a_wrong_size_or_twice_is_refused),
		cmocka_unit_test(random_bytes_never_confuse_it),
		cmocka_unit_test(
			sound_headers_with_a_random_byte_never_confuse_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
