/* Ranges of addresses. */
#include "config.h"

#include "base/cidr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"

static const uint8_t v4_mapped[12] = {[10] = 0xff, [11] = 0xff};

static unsigned
family_bits(sa_family_t family)
{
	return family == AF_INET ? 32 : 128;
}

static bool
parse_prefix(const char *text, unsigned max, unsigned *out)
{
	size_t len = strlen(text);
	unsigned prefix = 0;

	if (len == 0 || len > 3 || strspn(text, "0123456789") != len ||
		(text[0] == '0' && len > 1))
		return false;
	for (; *text != '\0'; text++)
		prefix = prefix * 10 + (unsigned)(*text - '0');
	if (prefix > max)
		return false;
	*out = prefix;
	return true;
}

/* Which bits of byte number AT belong to the prefix. */
static uint8_t
byte_mask(unsigned prefix, unsigned at)
{
	if (prefix >= (at + 1) * 8)
		return 0xff;
	if (prefix <= at * 8)
		return 0;
	return (uint8_t)(0xffU << ((at + 1) * 8 - prefix));
}

static bool
has_host_bits(const struct cidr *cidr)
{
	for (unsigned i = 0; i < family_bits(cidr->family) / 8; i++) {
		if ((cidr->bytes[i] & ~byte_mask(cidr->prefix, i)) != 0)
			return true;
	}
	return false;
}

static bool
parse_address(const char *text, size_t len, struct cidr *out)
{
	char address[INET6_ADDRSTRLEN];

	if (len >= sizeof address)
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	out->family = strchr(address, ':') != NULL ? AF_INET6 : AF_INET;
	out->prefix = family_bits(out->family);
	return inet_pton(out->family, address, out->bytes) == 1;
}

int
cidr_parse(const char *text, struct cidr *out, struct error *err)
{
	const size_t len = strcspn(text, "/");
	struct cidr cidr = {0};

	if (!parse_address(text, len, &cidr))
		return error_set(err,
			"\"%s\" is not an address or CIDR (192.0.2.1, "
			"192.0.2.0/24, 2001:db8::/32)",
			text);
	if (text[len] == '/' && !parse_prefix(text + len + 1,
					family_bits(cidr.family), &cidr.prefix))
		return error_set(err,
			"\"%s\": after the \"/\" there must be a number from "
			"0 to %u",
			text, family_bits(cidr.family));
	if (has_host_bits(&cidr))
		return error_set(
			err, "\"%s\" has bits set after its prefix", text);
	*out = cidr;
	return 0;
}

bool
cidr_matches(const struct cidr *cidr, sa_family_t family, const uint8_t *bytes)
{
	if (family == AF_INET6 &&
		memcmp(bytes, v4_mapped, sizeof v4_mapped) == 0) {
		family = AF_INET;
		bytes += sizeof v4_mapped;
	}
	if (family != cidr->family)
		return false;
	for (unsigned i = 0; i * 8 < cidr->prefix; i++) {
		if ((bytes[i] & byte_mask(cidr->prefix, i)) != cidr->bytes[i])
			return false;
	}
	return true;
}

bool
cidr_matches_sockaddr(const struct cidr *cidr, const struct sockaddr *sa)
{
	const void *any = sa;

	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = any;

		return cidr_matches(
			cidr, AF_INET, (const uint8_t *)&in->sin_addr);
	}
	if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = any;

		return cidr_matches(cidr, AF_INET6, in6->sin6_addr.s6_addr);
	}
	return false;
}
