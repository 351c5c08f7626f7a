#include "config.h"

#include "net/proxy_header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cmocka.h>

#include "proxy_bytes.h"

#define ALL_TLVS (PROXY_TLV_URI_SAN * 2 - 1)

static const struct sockaddr *
ipv4(const char *ip, uint16_t port)
{
	static struct sockaddr_in ends[4];
	static unsigned turn;
	struct sockaddr_in *end = &ends[turn++ % 4];

	*end = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port)};
	assert_int_equal(inet_pton(AF_INET, ip, &end->sin_addr), 1);
	return (const struct sockaddr *)end;
}

static const struct sockaddr *
ipv6(const char *ip, uint16_t port)
{
	static struct sockaddr_in6 ends[4];
	static unsigned turn;
	struct sockaddr_in6 *end = &ends[turn++ % 4];

	*end = (struct sockaddr_in6){
		.sin6_family = AF_INET6, .sin6_port = htons(port)};
	assert_int_equal(inet_pton(AF_INET6, ip, &end->sin6_addr), 1);
	return (const struct sockaddr *)end;
}

static const struct sockaddr_un unix_end = {
	.sun_family = AF_UNIX, .sun_path = "/run/x"};

static struct proxy_info
between_ipv4(void)
{
	return (struct proxy_info){.source = ipv4("192.0.2.1", 40000),
		.destination = ipv4("198.51.100.2", 443)};
}

static const char *const uris[] = {
	"spiffe://corp.example/ns/pay/sa/billing", "urn:x:1"};

/* A client with a certificate, of which everything is known. */
static struct proxy_info
all_known(void)
{
	struct proxy_info info = between_ipv4();

	info.is_tls = info.has_client_cert = info.cert_in_session =
		info.is_verified = true;
	info.version = "TLSv1.3";
	info.cn = "billing";
	info.cipher = "TLS_AES_256_GCM_SHA384";
	info.sig_alg = "RSA-SHA256";
	info.key_alg = "RSA2048";
	info.group = "X25519";
	info.sig_scheme = "rsa_pss_rsae_sha256";
	info.authority = "api.example.com";
	info.unique_id = "7f3a";
	info.alpn = (const uint8_t *)"h2";
	info.alpn_len = 2;
	info.cert_der = (const uint8_t *)"0\0der";
	info.cert_der_len = 5;
	info.uri_sans = uris;
	info.n_uri_sans = 2;
	return info;
}

static void
assert_v1(const struct proxy_info *info, const char *line)
{
	const size_t want = strlen(line);
	uint8_t out[107];

	assert_int_equal(proxy_header_encode(PROXY_HEADER_V1, ALL_TLVS, info,
				 out, sizeof out),
		want);
	assert_memory_equal(out, line, want);
	for (size_t size = 0; size < want; size++)
		assert_int_equal(proxy_header_encode(
					 PROXY_HEADER_V1, 0, info, out, size),
			0);
}

static void
version_1_is_one_line(void **state)
{
	struct proxy_info info = all_known();

	(void)state;
	assert_v1(&info, "PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\r\n");
	info.source = ipv6("2001:db8::1", 40000);
	info.destination = ipv6("2001:db8::2", 443);
	assert_v1(&info, "PROXY TCP6 2001:db8::1 2001:db8::2 40000 443\r\n");
	info.source = info.destination =
		ipv6("1111:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535);
	assert_v1(&info,
		"PROXY TCP6 1111:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		"1111:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n");
}

static void
mapped_addresses_are_ipv4_where_both_are(void **state)
{
	struct proxy_info info = {.source = ipv6("::ffff:192.0.2.1", 40000),
		.destination = ipv6("::ffff:198.51.100.2", 443)};

	(void)state;
	assert_v1(&info, "PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\r\n");
	info.destination = ipv4("198.51.100.2", 443);
	assert_v1(&info, "PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\r\n");
	info.destination = ipv6("2001:db8::2", 443);
	assert_v1(
		&info, "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 40000 443\r\n");
}

static void
what_is_no_ip_address_is_unknown(void **state)
{
	const struct sockaddr *path = (const struct sockaddr *)&unix_end;
	struct proxy_info info = between_ipv4();
	struct proxy_bytes b;
	uint8_t out[64];

	(void)state;
	for (int i = 0; i < 4; i++) {
		info = between_ipv4();
		if (i % 2 == 0)
			info.source = i < 2 ? NULL : path;
		else
			info.destination = i < 2 ? NULL : path;
		assert_v1(&info, "PROXY UNKNOWN\r\n");
		proxy_bytes_start(&b, 0x21, 0x00);
		assert_int_equal(proxy_header_encode(PROXY_HEADER_V2, 0, &info,
					 out, sizeof out),
			b.len);
		assert_memory_equal(out, b.bytes, b.len);
	}
}

static void
no_version_is_no_header(void **state)
{
	const struct proxy_info info = all_known();
	uint8_t out[64];

	(void)state;
	assert_int_equal(proxy_header_encode(PROXY_HEADER_NONE, ALL_TLVS, &info,
				 out, sizeof out),
		0);
}

/* INFO with TLVS is written as WANTED, byte by byte. */
static void
assert_v2(const struct proxy_info *info, unsigned tlvs,
	const struct proxy_bytes *wanted)
{
	uint8_t *out = malloc(wanted->len);

	assert_non_null(out);
	assert_int_equal(proxy_header_encode(
				 PROXY_HEADER_V2, tlvs, info, out, wanted->len),
		wanted->len);
	assert_memory_equal(out, wanted->bytes, wanted->len);
	free(out);
}

static void
version_2_has_the_addresses(void **state)
{
	struct proxy_info info = between_ipv4();
	struct proxy_bytes b;
	uint8_t out[64];

	(void)state;
	proxy_bytes_start(&b, 0x21, 0x11);
	proxy_bytes_add_ipv4(&b);
	proxy_bytes_end(&b);
	assert_v2(&info, 0, &b);
	for (size_t size = 0; size < b.len; size++)
		assert_int_equal(proxy_header_encode(
					 PROXY_HEADER_V2, 0, &info, out, size),
			0);
	info.source = ipv6("2001:db8::1", 40000);
	info.destination = ipv6("2001:db8::2", 443);
	proxy_bytes_start(&b, 0x21, 0x21);
	proxy_bytes_add_ipv6(&b);
	proxy_bytes_end(&b);
	assert_v2(&info, ALL_TLVS & ~PROXY_TLV_CRC32C, &b);
}

static void
every_tlv_is_written_as_the_specification_says(void **state)
{
#define ROW(tlv, bytes)                                                        \
	{                                                                      \
		tlv, bytes, sizeof bytes - 1                                   \
	}
#define SSL(len, more) "\x20\0" len "\7\0\0\0\0\x21\0\7TLSv1.3" more
	static const struct {
		unsigned tlv;
		const char *bytes;
		size_t len;
	} rows[] = {
		ROW(0, ""),
		ROW(PROXY_TLV_SSL, SSL("\x0f", "")),
		ROW(PROXY_TLV_CN, SSL("\x19", "\x22\0\7billing")),
		ROW(PROXY_TLV_CIPHER,
			SSL("\x28", "\x23\0\x16TLS_AES_256_GCM_SHA384")),
		ROW(PROXY_TLV_SIG_ALG, SSL("\x1c", "\x24\0\x0aRSA-SHA256")),
		ROW(PROXY_TLV_KEY_ALG, SSL("\x19", "\x25\0\7RSA2048")),
		ROW(PROXY_TLV_GROUP, SSL("\x18", "\x26\0\6X25519")),
		ROW(PROXY_TLV_SIG_SCHEME,
			SSL("\x25", "\x27\0\x13rsa_pss_rsae_sha256")),
		ROW(PROXY_TLV_CERT, SSL("\x17", "\x28\0\5"
						"0\0der")),
		ROW(PROXY_TLV_ALPN, "\x01\0\2h2"),
		ROW(PROXY_TLV_AUTHORITY, "\x02\0\x0f"
					 "api.example.com"),
		ROW(PROXY_TLV_UNIQUE_ID, "\x05\0\4"
					 "7f3a"),
		ROW(PROXY_TLV_URI_SAN,
			"\xe0\0\x27spiffe://corp.example/ns/pay/sa/billing"
			"\xe0\0\7urn:x:1"),
	};
#undef SSL
#undef ROW
	const struct proxy_info info = all_known();
	struct proxy_bytes b;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		proxy_bytes_start(&b, 0x21, 0x11);
		proxy_bytes_add_ipv4(&b);
		proxy_bytes_add(&b, rows[i].bytes, rows[i].len);
		proxy_bytes_end(&b);
		assert_v2(&info, rows[i].tlv, &b);
	}
}

static void
what_is_not_known_is_left_out(void **state)
{
	struct proxy_info info = between_ipv4();
	struct proxy_bytes b;

	(void)state;
	proxy_bytes_start(&b, 0x21, 0x11);
	proxy_bytes_add_ipv4(&b);
	proxy_bytes_end(&b);
	assert_v2(&info, ALL_TLVS & ~PROXY_TLV_CRC32C, &b);
	info.authority = info.unique_id = "";
	assert_v2(&info, ALL_TLVS & ~PROXY_TLV_CRC32C, &b);
	info.is_tls = true;
	info.cn = info.cipher = info.version = "";
	proxy_bytes_add_tlv(&b, 0x20, "\1\0\0\0\1", 5);
	proxy_bytes_end(&b);
	assert_v2(&info, ALL_TLVS & ~PROXY_TLV_CRC32C, &b);
}

static void
the_bits_tell_where_a_certificate_came_from(void **state)
{
	struct proxy_info info = all_known();
	struct proxy_bytes b;
	char ssl[] = "\0\0\0\0\0\x21\0\7TLSv1.3";

	(void)state;
	for (unsigned bits = 0; bits < 8; bits++) {
		info.has_client_cert = (bits & 1) != 0;
		info.cert_in_session = (bits & 2) != 0;
		info.is_verified = (bits & 4) != 0;
		ssl[0] = (char)(1 | (bits & 3) << 1);
		ssl[4] = bits > 4 ? 0 : 1; /* verified, and a certificate */
		proxy_bytes_start(&b, 0x21, 0x11);
		proxy_bytes_add_ipv4(&b);
		proxy_bytes_add_tlv(&b, 0x20, ssl, sizeof ssl - 1);
		proxy_bytes_end(&b);
		assert_v2(&info, PROXY_TLV_SSL, &b);
	}
}

static void
nothing_is_told_of_a_client_that_is_not_known(void **state)
{
	struct proxy_info info = all_known();
	struct proxy_bytes b;

	(void)state;
	info.is_verified = false;
	proxy_bytes_start(&b, 0x21, 0x11);
	proxy_bytes_add_ipv4(&b);
	proxy_bytes_add_tlv(&b, 0x20, "\7\0\0\0\1\x21\0\7TLSv1.3", 15);
	proxy_bytes_end(&b);
	assert_v2(&info, PROXY_TLV_CN | PROXY_TLV_CERT | PROXY_TLV_URI_SAN, &b);
	info.is_verified = true;
	info.has_client_cert = info.cert_in_session = false;
	b.bytes[16 + 12 + 3] = 1;
	assert_v2(&info, PROXY_TLV_CN | PROXY_TLV_CERT | PROXY_TLV_URI_SAN, &b);
}

static void
the_checksum_is_of_the_whole_header(void **state)
{
	struct proxy_info info = all_known();
	struct proxy_bytes b;

	(void)state;
	proxy_bytes_start(&b, 0x21, 0x11);
	proxy_bytes_add_ipv4(&b);
	proxy_bytes_add_tlv(&b, 0x03, "\0\0\0", 4);
	proxy_bytes_add_tlv(&b, 0x01, "h2", 2);
	proxy_bytes_end(&b);
	proxy_bytes_set_sum(&b, 28 + 3);
	assert_v2(&info, PROXY_TLV_CRC32C | PROXY_TLV_ALPN, &b);
	info.source = NULL;
	proxy_bytes_start(&b, 0x21, 0x00);
	proxy_bytes_add_tlv(&b, 0x03, "\0\0\0", 4);
	proxy_bytes_end(&b);
	proxy_bytes_set_sum(&b, 16 + 3);
	assert_v2(&info, PROXY_TLV_CRC32C, &b);
}

static void
a_unique_id_has_128_bytes_at_most(void **state)
{
	struct proxy_info info = between_ipv4();
	char id[130] = {0};
	struct proxy_bytes b;

	(void)state;
	info.unique_id = id;
	memset(id, 'i', 128);
	proxy_bytes_start(&b, 0x21, 0x11);
	proxy_bytes_add_ipv4(&b);
	proxy_bytes_add_tlv(&b, 0x05, id, 128);
	proxy_bytes_end(&b);
	assert_v2(&info, PROXY_TLV_UNIQUE_ID, &b);
	id[128] = 'i';
	proxy_bytes_start(&b, 0x21, 0x11);
	proxy_bytes_add_ipv4(&b);
	proxy_bytes_end(&b);
	assert_v2(&info, PROXY_TLV_UNIQUE_ID, &b);
}

static void
an_empty_application_protocol_needs_no_bytes(void **state)
{
	struct proxy_info info = between_ipv4();
	struct proxy_bytes b;

	(void)state;
	info.alpn = (const uint8_t *)"";
	info.alpn_len = 0;
	proxy_bytes_start(&b, 0x21, 0x11);
	proxy_bytes_add_ipv4(&b);
	proxy_bytes_end(&b);
	assert_v2(&info, PROXY_TLV_ALPN, &b);
}

/* How many bytes INFO takes with what room there is, at most. */
static size_t
encoded_len(const struct proxy_info *info, unsigned tlvs, uint8_t *out)
{
	return proxy_header_encode(
		PROXY_HEADER_V2, tlvs, info, out, (size_t)100000);
}

static void
a_certificate_that_does_not_fit_is_left_out_alone(void **state)
{
	static uint8_t out[100000], der[70000];
	struct proxy_info info = all_known();
	const unsigned others = ALL_TLVS & ~PROXY_TLV_CERT;
	const size_t without = encoded_len(&info, others, out);

	(void)state;
	info.cert_der = der;
	info.cert_der_len = PROXY_HEADER_MAX - without - 3;
	assert_int_equal(encoded_len(&info, ALL_TLVS, out), PROXY_HEADER_MAX);
	info.cert_der_len++;
	assert_int_equal(encoded_len(&info, ALL_TLVS, out), without);
	info.cert_der_len = 65536 + 5;
	assert_int_equal(encoded_len(&info, ALL_TLVS, out), without);
	assert_int_equal(encoded_len(&info, PROXY_TLV_CERT, out),
		encoded_len(&info, PROXY_TLV_SSL, out));
}

static void
uris_that_do_not_all_fit_are_all_left_out(void **state)
{
	static uint8_t out[100000];
	const char *many[3000];
	struct proxy_info info = all_known();
	const unsigned others =
		ALL_TLVS & ~(PROXY_TLV_CERT | PROXY_TLV_URI_SAN);
	const size_t without = encoded_len(&info, others, out);

	(void)state;
	for (size_t i = 0; i < 3000; i++)
		many[i] = "urn:x";
	info.uri_sans = many;
	info.n_uri_sans = (PROXY_HEADER_MAX - without) / 8;
	/* The certificate goes first. */
	assert_int_equal(encoded_len(&info, ALL_TLVS, out),
		without + info.n_uri_sans * 8);
	info.n_uri_sans++;
	assert_int_equal(encoded_len(&info, ALL_TLVS, out), without);
}

static void
an_endless_name_leaves_room_for_the_others(void **state)
{
	static uint8_t out[100000];
	static char name[70000];
	struct proxy_info info = all_known();
	const size_t without =
		encoded_len(&info, PROXY_TLV_SSL | PROXY_TLV_ALPN, out);

	(void)state;
	memset(name, 'n', sizeof name - 1);
	info.cn = name;
	assert_int_equal(
		encoded_len(&info,
			PROXY_TLV_SSL | PROXY_TLV_CN | PROXY_TLV_ALPN, out),
		without);
}

static void
any_room_makes_a_header_that_can_be_read(void **state)
{
	const struct proxy_info info = all_known();
	struct sockaddr_storage source, destination;
	uint8_t full[512];
	const size_t full_len = encoded_len(&info, ALL_TLVS, full);

	(void)state;
	assert_true(full_len < sizeof full);
	for (size_t size = 28; size <= full_len; size++) {
		uint8_t *out = malloc(size);
		size_t len, read_len = 0;
		const char *why = NULL;

		assert_non_null(out);
		len = proxy_header_encode(
			PROXY_HEADER_V2, ALL_TLVS, &info, out, size);
		assert_in_range(len, 28, size);
		assert_int_equal(proxy_header_decode(out, len, &read_len,
					 &source, &destination, &why),
			PROXY_HEADER_DONE);
		assert_int_equal(read_len, len);
		assert_string_equal(
			proxy_bytes_end_text(&source), "192.0.2.1 40000");
		assert_string_equal(
			proxy_bytes_end_text(&destination), "198.51.100.2 443");
		free(out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_1_is_one_line),
		cmocka_unit_test(mapped_addresses_are_ipv4_where_both_are),
		cmocka_unit_test(what_is_no_ip_address_is_unknown),
		cmocka_unit_test(no_version_is_no_header),
		cmocka_unit_test(version_2_has_the_addresses),
		cmocka_unit_test(
			every_tlv_is_written_as_the_specification_says),
		cmocka_unit_test(what_is_not_known_is_left_out),
		cmocka_unit_test(the_bits_tell_where_a_certificate_came_from),
		cmocka_unit_test(nothing_is_told_of_a_client_that_is_not_known),
		cmocka_unit_test(the_checksum_is_of_the_whole_header),
		cmocka_unit_test(a_unique_id_has_128_bytes_at_most),
		cmocka_unit_test(an_empty_application_protocol_needs_no_bytes),
		cmocka_unit_test(
			a_certificate_that_does_not_fit_is_left_out_alone),
		cmocka_unit_test(uris_that_do_not_all_fit_are_all_left_out),
		cmocka_unit_test(an_endless_name_leaves_room_for_the_others),
		cmocka_unit_test(any_room_makes_a_header_that_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
