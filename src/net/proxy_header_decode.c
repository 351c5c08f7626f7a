#include "config.h"

#include "net/proxy_header.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "net/crc32c.h"
#include "net/proxy_wire.h"

_Static_assert(
	sizeof((struct sockaddr_un *)0)->sun_path == PROXY_V2_UNIX_PATH_LEN,
	"a path of the protocol is one of the system");

/* What becomes known of a header; the caller sees it once all of it is. */
struct header {
	size_t len;
	struct sockaddr_storage source, destination;
	const char *why;
};

static enum proxy_header_result
bad(struct header *h, const char *why)
{
	h->why = why;
	return PROXY_HEADER_BAD;
}

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Heading zeroes are forbidden. */
static bool
read_port(const char *text, in_port_t *port_out)
{
	const size_t len = strlen(text);
	uint32_t port = 0;

	if (len == 0 || len > 5 || (text[0] == '0' && len > 1))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		port = port * 10 + (uint32_t)(text[i] - '0');
	}
	if (port > UINT16_MAX)
		return false;
	*port_out = htons((uint16_t)port);
	return true;
}

static bool
read_end(int family, const char *ip, const char *port,
	struct sockaddr_storage *out)
{
	if (family == AF_INET) {
		struct sockaddr_in in = {.sin_family = AF_INET};

		if (inet_pton(family, ip, &in.sin_addr) != 1 ||
			!read_port(port, &in.sin_port))
			return false;
		memcpy(out, &in, sizeof in);
	} else {
		struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

		if (inet_pton(family, ip, &in6.sin6_addr) != 1 ||
			!read_port(port, &in6.sin6_port))
			return false;
		memcpy(out, &in6, sizeof in6);
	}
	return true;
}

/* "TCP4 SOURCE DESTINATION SOURCE-PORT DESTINATION-PORT", one blank between;
 * LINE is cut up. */
static enum proxy_header_result
read_v1_line(struct header *h, char *line)
{
	char *words[5], *rest = line;
	int family;

	for (size_t i = 0; i < 5; i++) {
		words[i] = strsep(&rest, " ");
		if (words[i] == NULL)
			return bad(h, "a version 1 line with words missing");
	}
	if (rest != NULL)
		return bad(h, "a version 1 line with too many words");
	if (strcmp(words[0], "TCP4") == 0)
		family = AF_INET;
	else if (strcmp(words[0], "TCP6") == 0)
		family = AF_INET6;
	else
		return bad(h, "a version 1 line of an unknown protocol");
	if (!read_end(family, words[1], words[3], &h->source) ||
		!read_end(family, words[2], words[4], &h->destination))
		return bad(h, "a version 1 line with a malformed address");
	return PROXY_HEADER_DONE;
}

static enum proxy_header_result
decode_v1(struct header *h, const uint8_t *bytes, size_t len)
{
	const size_t start_len = strlen(PROXY_V1_START);
	const uint8_t *end;
	char line[PROXY_V1_MAX + 1];
	size_t line_len; /* without CR LF */

	if (memcmp(bytes, PROXY_V1_START, smaller(len, start_len)) != 0)
		return bad(h, "no PROXY protocol header");
	end = memchr(bytes, '\n', smaller(len, PROXY_V1_MAX));
	if (end == NULL && len < PROXY_V1_MAX)
		return PROXY_HEADER_MORE;
	if (end == NULL)
		return bad(h, "a version 1 line over 107 bytes");
	if (end[-1] != '\r')
		return bad(h, "a version 1 line that does not end in CR LF");
	h->len = (size_t)(end - bytes) + 1;
	line_len = h->len - 2 - start_len;
	memcpy(line, bytes + start_len, line_len);
	line[line_len] = '\0';
	/* Whatever follows UNKNOWN is to be ignored. */
	if (strcmp(line, "UNKNOWN") == 0 ||
		strncmp(line, "UNKNOWN ", strlen("UNKNOWN ")) == 0)
		return PROXY_HEADER_DONE;
	if (strlen(line) != line_len)
		return bad(h, "a version 1 line with a NUL");
	return read_v1_line(h, line);
}

/* A run of TLVs. */
struct tlvs {
	const uint8_t *next;
	size_t left;
};

struct tlv {
	uint8_t type;
	size_t len;
	const uint8_t *value;
};

static size_t
get_u16(const uint8_t *bytes)
{
	return (size_t)bytes[0] << 8 | bytes[1];
}

/* False: what is left is too short for a TLV, or for what it says it has. */
static bool
tlv_take(struct tlvs *tlvs, struct tlv *out)
{
	if (tlvs->left < PROXY_TLV_FIXED_LEN)
		return false;
	out->type = tlvs->next[0];
	out->len = get_u16(tlvs->next + 1);
	out->value = tlvs->next + PROXY_TLV_FIXED_LEN;
	if (tlvs->left - PROXY_TLV_FIXED_LEN < out->len)
		return false;
	tlvs->next = out->value + out->len;
	tlvs->left -= PROXY_TLV_FIXED_LEN + out->len;
	return true;
}

/* Over the whole header, with zeroes where the sum itself is. */
static bool
crc32c_fits(const uint8_t *bytes, size_t len, const struct tlv *sum)
{
	const size_t at = (size_t)(sum->value - bytes);
	const size_t after = at + PROXY_CRC32C_LEN;
	uint32_t crc;

	if (sum->len != PROXY_CRC32C_LEN)
		return false;
	crc = crc32c(0, bytes, at);
	crc = crc32c(crc, "\0\0\0", PROXY_CRC32C_LEN);
	crc = crc32c(crc, bytes + after, len - after);
	return get_u16(sum->value) == crc >> 16 &&
	       get_u16(sum->value + 2) == (crc & 0xffff);
}

static bool
ssl_is_sound(const struct tlv *ssl)
{
	struct tlvs inner = {.next = ssl->value, .left = ssl->len};
	struct tlv tlv;

	if (inner.left < PROXY_SSL_FIXED_LEN)
		return false;
	inner.next += PROXY_SSL_FIXED_LEN;
	inner.left -= PROXY_SSL_FIXED_LEN;
	while (inner.left > 0) {
		if (!tlv_take(&inner, &tlv))
			return false;
	}
	return true;
}

/* Those of BYTES, a whole header, from byte AT on. */
static enum proxy_header_result
check_tlvs(struct header *h, const uint8_t *bytes, size_t at)
{
	struct tlvs tlvs = {.next = bytes + at, .left = h->len - at};
	bool has_sum = false;
	struct tlv tlv;

	while (tlvs.left > 0) {
		if (!tlv_take(&tlvs, &tlv))
			return bad(h, "a TLV that ends beyond the header");
		if (tlv.type == PROXY_TYPE_SSL && !ssl_is_sound(&tlv))
			return bad(h, "a malformed TLV about TLS");
		if (tlv.type != PROXY_TYPE_CRC32C)
			continue;
		if (has_sum)
			return bad(h, "two checksums");
		if (!crc32c_fits(bytes, h->len, &tlv))
			return bad(h, "a wrong checksum");
		has_sum = true;
	}
	return PROXY_HEADER_DONE;
}

static void
read_ipv4(struct header *h, const uint8_t *bytes)
{
	struct sockaddr_in in = {.sin_family = AF_INET};

	memcpy(&in.sin_addr, bytes, 4);
	memcpy(&in.sin_port, bytes + 8, 2);
	memcpy(&h->source, &in, sizeof in);
	memcpy(&in.sin_addr, bytes + 4, 4);
	memcpy(&in.sin_port, bytes + 10, 2);
	memcpy(&h->destination, &in, sizeof in);
}

static void
read_ipv6(struct header *h, const uint8_t *bytes)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	memcpy(&in6.sin6_addr, bytes, 16);
	memcpy(&in6.sin6_port, bytes + 32, 2);
	memcpy(&h->source, &in6, sizeof in6);
	memcpy(&in6.sin6_addr, bytes + 16, 16);
	memcpy(&in6.sin6_port, bytes + 34, 2);
	memcpy(&h->destination, &in6, sizeof in6);
}

static void
read_unix(struct header *h, const uint8_t *bytes)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	memcpy(un.sun_path, bytes, PROXY_V2_UNIX_PATH_LEN);
	memcpy(&h->source, &un, sizeof un);
	memcpy(un.sun_path, bytes + PROXY_V2_UNIX_PATH_LEN,
		PROXY_V2_UNIX_PATH_LEN);
	memcpy(&h->destination, &un, sizeof un);
}

/* What stands behind a family byte. The transport tells how the client came
 * to the proxy before us, not how the proxy came to us. */
struct family {
	uint8_t byte;
	size_t addresses_len;
	void (*read)(struct header *h, const uint8_t *bytes);
};

static const struct family families[] = {
	{PROXY_V2_UNSPEC, 0, NULL},
	{PROXY_V2_TCP4, PROXY_V2_IPV4_LEN, read_ipv4},
	{PROXY_V2_UDP4, PROXY_V2_IPV4_LEN, read_ipv4},
	{PROXY_V2_TCP6, PROXY_V2_IPV6_LEN, read_ipv6},
	{PROXY_V2_UDP6, PROXY_V2_IPV6_LEN, read_ipv6},
	{PROXY_V2_UNIX_STREAM, PROXY_V2_UNIX_LEN, read_unix},
	{PROXY_V2_UNIX_DGRAM, PROXY_V2_UNIX_LEN, read_unix},
};

static const struct family *
find_family(uint8_t byte)
{
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
		if (families[i].byte == byte)
			return &families[i];
	}
	return NULL;
}

static enum proxy_header_result
read_v2_body(struct header *h, const uint8_t *bytes, size_t len)
{
	const struct family *family =
		find_family(bytes[PROXY_V2_SIGNATURE_LEN + 1]);
	const size_t front_len = PROXY_V2_FIXED_LEN +
				 (family == NULL ? 0 : family->addresses_len);

	if (family == NULL)
		return bad(h, "an unknown address family");
	if (h->len < front_len)
		return bad(h, "a length that is too short for the addresses");
	if (len < h->len)
		return PROXY_HEADER_MORE;
	/* With no family, nobody knows where addresses end and TLVs start. */
	if (family->read == NULL)
		return PROXY_HEADER_DONE;
	family->read(h, bytes + PROXY_V2_FIXED_LEN);
	return check_tlvs(h, bytes, front_len);
}

static enum proxy_header_result
decode_v2(struct header *h, const uint8_t *bytes, size_t len)
{
	const uint8_t *command = bytes + PROXY_V2_SIGNATURE_LEN;

	if (memcmp(bytes, PROXY_V2_SIGNATURE,
		    smaller(len, PROXY_V2_SIGNATURE_LEN)) != 0)
		return bad(h, "no PROXY protocol header");
	if (len <= PROXY_V2_SIGNATURE_LEN)
		return PROXY_HEADER_MORE;
	if (*command != (PROXY_V2_VERSION | PROXY_V2_PROXY) &&
		*command != (PROXY_V2_VERSION | PROXY_V2_LOCAL))
		return bad(h, "an unknown version or command");
	if (len < PROXY_V2_FIXED_LEN)
		return PROXY_HEADER_MORE;
	h->len = PROXY_V2_FIXED_LEN + get_u16(bytes + PROXY_V2_FIXED_LEN - 2);
	if (h->len > PROXY_HEADER_ACCEPT_MAX)
		return bad(h, "longer than 4096 bytes");
	if (*command == (PROXY_V2_VERSION | PROXY_V2_PROXY))
		return read_v2_body(h, bytes, len);
	return len < h->len ? PROXY_HEADER_MORE : PROXY_HEADER_LOCAL;
}

enum proxy_header_result
proxy_header_decode(const uint8_t *bytes, size_t len, size_t *len_out,
	struct sockaddr_storage *source_out,
	struct sockaddr_storage *destination_out, const char **why_out)
{
	struct header h = {.source = {.ss_family = AF_UNSPEC}};
	enum proxy_header_result result;

	if (len == 0)
		return PROXY_HEADER_MORE;
	result = bytes[0] == PROXY_V1_START[0] ? decode_v1(&h, bytes, len)
					       : decode_v2(&h, bytes, len);
	if (result == PROXY_HEADER_BAD && why_out != NULL)
		*why_out = h.why;
	if (result == PROXY_HEADER_DONE || result == PROXY_HEADER_LOCAL) {
		*len_out = h.len;
		*source_out = h.source;
		*destination_out = h.destination;
	}
	return result;
}
