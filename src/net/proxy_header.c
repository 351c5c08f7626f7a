#include "config.h"

#include "net/proxy_header.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "net/crc32c.h"
#include "net/proxy_wire.h"

/* An IPv4 address is kept as ::ffff:a.b.c.d: what a dual-stack socket says of
 * its peers, and what remains when only one end is IPv4. */
struct endpoint {
	struct in6_addr ip;
	in_port_t port; /* network order */
};

static bool
endpoint_read(const struct sockaddr *sa, struct endpoint *out)
{
	*out = (struct endpoint){.ip = IN6ADDR_ANY_INIT};
	if (sa == NULL)
		return false;
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof in);
		memset(out->ip.s6_addr + 10, 0xff, 2);
		memcpy(out->ip.s6_addr + 12, &in.sin_addr, 4);
		out->port = in.sin_port;
		return true;
	}
	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof in6);
		out->ip = in6.sin6_addr;
		out->port = in6.sin6_port;
		return true;
	}
	return false;
}

/* Both ends of a connection, in one family. */
struct ends {
	int family; /* AF_INET, AF_INET6; AF_UNSPEC: not to be told */
	struct endpoint source, destination;
};

static struct ends
ends_read(const struct proxy_info *info)
{
	struct ends ends = {.family = AF_INET6};

	if (!endpoint_read(info->source, &ends.source) ||
		!endpoint_read(info->destination, &ends.destination))
		ends.family = AF_UNSPEC;
	else if (IN6_IS_ADDR_V4MAPPED(&ends.source.ip) &&
		 IN6_IS_ADDR_V4MAPPED(&ends.destination.ip))
		ends.family = AF_INET;
	return ends;
}

/* Where the address of END starts, for its family. */
static const uint8_t *
ip_bytes(const struct endpoint *end, int family)
{
	return end->ip.s6_addr + (family == AF_INET ? 12 : 0);
}

static size_t
encode_v1(const struct proxy_info *info, uint8_t *out, size_t size)
{
	const struct ends ends = ends_read(info);
	char line[PROXY_V1_MAX + 1] = PROXY_V1_START "UNKNOWN\r\n";
	char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN];
	size_t len;

	if (ends.family != AF_UNSPEC) {
		(void)inet_ntop(ends.family,
			ip_bytes(&ends.source, ends.family), source,
			sizeof source);
		(void)inet_ntop(ends.family,
			ip_bytes(&ends.destination, ends.family), destination,
			sizeof destination);
		(void)snprintf(line, sizeof line,
			PROXY_V1_START "TCP%c %.39s %.39s %u %u\r\n",
			ends.family == AF_INET ? '4' : '6', source, destination,
			ntohs(ends.source.port), ntohs(ends.destination.port));
	}
	len = strlen(line);
	if (len > size)
		return 0;
	memcpy(out, line, len);
	return len;
}

/* Writes as long as there is room; then says that it left something out. */
struct writer {
	uint8_t *out;
	size_t size;
	size_t len;
	bool has_dropped;
};

static void
put(struct writer *w, const void *bytes, size_t len)
{
	memcpy(w->out + w->len, bytes, len);
	w->len += len;
}

static void
put_u8(struct writer *w, unsigned value)
{
	w->out[w->len++] = (uint8_t)value;
}

static void
set_u16(struct writer *w, size_t at, size_t value)
{
	w->out[at] = (uint8_t)(value >> 8);
	w->out[at + 1] = (uint8_t)value;
}

static void
set_u32(struct writer *w, size_t at, uint32_t value)
{
	set_u16(w, at, value >> 16);
	set_u16(w, at + 2, value & 0xffff);
}

static void
put_tlv(struct writer *w, unsigned type, const void *value, size_t len)
{
	if (value == NULL || len == 0)
		return;
	if (w->size - w->len < PROXY_TLV_FIXED_LEN ||
		w->size - w->len - PROXY_TLV_FIXED_LEN < len) {
		w->has_dropped = true;
		return;
	}
	put_u8(w, type);
	w->len += 2;
	set_u16(w, w->len - 2, len);
	put(w, value, len);
}

static void
put_text_tlv(struct writer *w, unsigned type, const char *text)
{
	if (text != NULL)
		put_tlv(w, type, text, strlen(text));
}

static void
put_ends(struct writer *w, const struct ends *ends)
{
	const size_t ip_len = ends->family == AF_INET ? 4 : 16;

	if (ends->family == AF_UNSPEC)
		return;
	put(w, ip_bytes(&ends->source, ends->family), ip_len);
	put(w, ip_bytes(&ends->destination, ends->family), ip_len);
	put(w, &ends->source.port, sizeof ends->source.port);
	put(w, &ends->destination.port, sizeof ends->destination.port);
}

/* All that a receiver cannot do without. */
static bool
put_front(struct writer *w, const struct proxy_info *info)
{
	const struct ends ends = ends_read(info);
	size_t need = PROXY_V2_FIXED_LEN;
	unsigned family = PROXY_V2_UNSPEC;

	if (ends.family == AF_INET) {
		need += PROXY_V2_IPV4_LEN;
		family = PROXY_V2_TCP4;
	}
	if (ends.family == AF_INET6) {
		need += PROXY_V2_IPV6_LEN;
		family = PROXY_V2_TCP6;
	}
	if (w->size < need)
		return false;
	put(w, PROXY_V2_SIGNATURE, PROXY_V2_SIGNATURE_LEN);
	put_u8(w, PROXY_V2_VERSION | PROXY_V2_PROXY);
	put_u8(w, family);
	put(w, "\0", 2); /* the length comes last */
	put_ends(w, &ends);
	return true;
}

static const struct {
	unsigned tlv; /* enum proxy_tlv */
	unsigned type;
	size_t offset; /* of a text in struct proxy_info */
} ssl_texts[] = {
#define TEXT(field) offsetof(struct proxy_info, field)
	/* The version is not optional: the specification wants it. */
	{PROXY_TLV_IN_SSL, PROXY_SUBTYPE_SSL_VERSION, TEXT(version)},
	{PROXY_TLV_CN, PROXY_SUBTYPE_SSL_CN, TEXT(cn)},
	{PROXY_TLV_CIPHER, PROXY_SUBTYPE_SSL_CIPHER, TEXT(cipher)},
	{PROXY_TLV_SIG_ALG, PROXY_SUBTYPE_SSL_SIG_ALG, TEXT(sig_alg)},
	{PROXY_TLV_KEY_ALG, PROXY_SUBTYPE_SSL_KEY_ALG, TEXT(key_alg)},
	{PROXY_TLV_GROUP, PROXY_SUBTYPE_SSL_GROUP, TEXT(group)},
	{PROXY_TLV_SIG_SCHEME, PROXY_SUBTYPE_SSL_SIG_SCHEME, TEXT(sig_scheme)},
#undef TEXT
};

static const char *
info_text(const struct proxy_info *info, size_t offset)
{
	const char *text;

	memcpy(&text, (const char *)info + offset, sizeof text);
	return text;
}

/* "Verified" without a certificate says nothing of anybody. */
static bool
is_known(const struct proxy_info *info)
{
	return info->is_verified &&
	       (info->has_client_cert || info->cert_in_session);
}

static void
put_ssl(struct writer *w, unsigned tlvs, const struct proxy_info *info)
{
	const size_t start = w->len;
	uint8_t fixed[PROXY_SSL_FIXED_LEN] = {PROXY_CLIENT_SSL};

	if (info->has_client_cert)
		fixed[0] |= PROXY_CLIENT_CERT_CONN;
	if (info->cert_in_session)
		fixed[0] |= PROXY_CLIENT_CERT_SESS;
	fixed[4] = is_known(info) ? 0 : 1;
	put_tlv(w, PROXY_TYPE_SSL, fixed, sizeof fixed);
	if (w->len == start)
		return;
	for (size_t i = 0; i < sizeof ssl_texts / sizeof ssl_texts[0]; i++) {
		if ((tlvs & ssl_texts[i].tlv) != 0)
			put_text_tlv(w, ssl_texts[i].type,
				info_text(info, ssl_texts[i].offset));
	}
	if ((tlvs & PROXY_TLV_CERT) != 0)
		put_tlv(w, PROXY_SUBTYPE_SSL_CERT, info->cert_der,
			info->cert_der_len);
	set_u16(w, start + 1, w->len - start - PROXY_TLV_FIXED_LEN);
}

static void
put_tlvs(struct writer *w, unsigned tlvs, const struct proxy_info *info)
{
	if ((tlvs & PROXY_TLV_CRC32C) != 0)
		put_tlv(w, PROXY_TYPE_CRC32C, "\0\0\0", PROXY_CRC32C_LEN);
	if ((tlvs & PROXY_TLV_IN_SSL) != 0 && info->is_tls)
		put_ssl(w, tlvs, info);
	if ((tlvs & PROXY_TLV_ALPN) != 0)
		put_tlv(w, PROXY_TYPE_ALPN, info->alpn, info->alpn_len);
	if ((tlvs & PROXY_TLV_AUTHORITY) != 0)
		put_text_tlv(w, PROXY_TYPE_AUTHORITY, info->authority);
	if ((tlvs & PROXY_TLV_UNIQUE_ID) != 0 && info->unique_id != NULL &&
		strlen(info->unique_id) <= PROXY_UNIQUE_ID_MAX)
		put_text_tlv(w, PROXY_TYPE_UNIQUE_ID, info->unique_id);
	if ((tlvs & PROXY_TLV_URI_SAN) == 0)
		return;
	for (size_t i = 0; i < info->n_uri_sans; i++)
		put_text_tlv(w, PROXY_TYPE_URI_SAN, info->uri_sans[i]);
}

static size_t
encode_v2(unsigned tlvs, const struct proxy_info *info, struct writer *w)
{
	/* Half a list of names would lie: it is there as a whole, or not. */
	static const unsigned left_out[] = {
		0, PROXY_TLV_CERT, PROXY_TLV_CERT | PROXY_TLV_URI_SAN};
	size_t front_len;

	if (!put_front(w, info))
		return 0;
	front_len = w->len;
	if ((tlvs & PROXY_TLV_IN_SSL) != 0)
		tlvs |= PROXY_TLV_SSL; /* even if what is in it is not told */
	if (!is_known(info))
		tlvs &= ~(unsigned)(PROXY_TLV_CN | PROXY_TLV_CERT |
				    PROXY_TLV_URI_SAN);
	for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++) {
		w->len = front_len;
		w->has_dropped = false;
		put_tlvs(w, tlvs & ~left_out[i], info);
		if (!w->has_dropped)
			break;
	}
	set_u16(w, PROXY_V2_FIXED_LEN - 2, w->len - PROXY_V2_FIXED_LEN);
	if (w->len > front_len && w->out[front_len] == PROXY_TYPE_CRC32C)
		set_u32(w, front_len + PROXY_TLV_FIXED_LEN,
			crc32c(0, w->out, w->len));
	return w->len;
}

size_t
proxy_header_encode(enum proxy_header_version version, unsigned tlvs,
	const struct proxy_info *info, uint8_t *out, size_t size)
{
	struct writer w = {.out = out, .size = size};

	if (w.size > PROXY_HEADER_MAX)
		w.size = PROXY_HEADER_MAX;
	switch (version) {
	case PROXY_HEADER_NONE:
		return 0;
	case PROXY_HEADER_V1:
		return encode_v1(info, out, size);
	case PROXY_HEADER_V2:
		return encode_v2(tlvs, info, &w);
	}
	return 0;
}
