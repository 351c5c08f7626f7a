#include "config.h"

#include "proxy_bytes.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

void
proxy_bytes_start(struct proxy_bytes *b, unsigned command, unsigned family)
{
	static const uint8_t signature[] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
		0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
	const uint8_t rest[] = {(uint8_t)command, (uint8_t)family, 0, 0};

	b->len = 0;
	proxy_bytes_add(b, signature, sizeof signature);
	proxy_bytes_add(b, rest, sizeof rest);
}

void
proxy_bytes_add(struct proxy_bytes *b, const void *bytes, size_t len)
{
	memcpy(b->bytes + b->len, bytes, len);
	b->len += len;
}

void
proxy_bytes_add_ipv4(struct proxy_bytes *b)
{
	static const uint8_t ends[] = {
		192, 0, 2, 1, 198, 51, 100, 2, 0x9c, 0x40, 0x01, 0xbb};

	proxy_bytes_add(b, ends, sizeof ends);
}

void
proxy_bytes_add_ipv6(struct proxy_bytes *b)
{
	static const uint8_t ends[36] = {0x20, 0x01, 0x0d,
		0xb8, [15] = 1, [16] = 0x20, 0x01, 0x0d, 0xb8, [31] = 2, 0x9c,
		0x40, 0x01, 0xbb};

	proxy_bytes_add(b, ends, sizeof ends);
}

void
proxy_bytes_add_tlv(
	struct proxy_bytes *b, unsigned type, const void *value, size_t len)
{
	const uint8_t start[] = {
		(uint8_t)type, (uint8_t)(len >> 8), (uint8_t)len};

	proxy_bytes_add(b, start, sizeof start);
	proxy_bytes_add(b, value, len);
}

void
proxy_bytes_end(struct proxy_bytes *b)
{
	b->bytes[14] = (uint8_t)((b->len - 16) >> 8);
	b->bytes[15] = (uint8_t)(b->len - 16);
}

uint32_t
proxy_bytes_sum(const uint8_t *bytes, size_t len)
{
	uint32_t sum = UINT32_MAX;

	for (size_t i = 0; i < len * 8; i++) {
		sum ^= (uint32_t)bytes[i / 8] >> i % 8 & 1;
		sum = (sum & 1) != 0 ? sum >> 1 ^ 0x82f63b78 : sum >> 1;
	}
	return ~sum;
}

void
proxy_bytes_set_sum(struct proxy_bytes *b, size_t at)
{
	uint32_t sum;

	memset(b->bytes + at, 0, 4);
	sum = htonl(proxy_bytes_sum(b->bytes, b->len));
	memcpy(b->bytes + at, &sum, sizeof sum);
}

const char *
proxy_bytes_end_text(const struct sockaddr_storage *end)
{
	static char texts[2][160];
	static unsigned turn;
	char ip[INET6_ADDRSTRLEN] = "";
	char *text = texts[turn++ % 2];
	const struct sockaddr_in *in = (const struct sockaddr_in *)end;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)end;
	const struct sockaddr_un *un = (const struct sockaddr_un *)end;

	(void)snprintf(text, sizeof texts[0], "unspec");
	if (end->ss_family == AF_INET)
		(void)snprintf(text, sizeof texts[0], "%s %u",
			inet_ntop(AF_INET, &in->sin_addr, ip, sizeof ip),
			ntohs(in->sin_port));
	if (end->ss_family == AF_INET6)
		(void)snprintf(text, sizeof texts[0], "%s %u",
			inet_ntop(AF_INET6, &in6->sin6_addr, ip, sizeof ip),
			ntohs(in6->sin6_port));
	if (end->ss_family == AF_UNIX)
		(void)snprintf(text, sizeof texts[0], "unix %.*s",
			(int)sizeof un->sun_path, un->sun_path);
	return text;
}
