/* IP addresses against rules. */
#include "config.h"

#include "authz/policy_ip.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cidr.h"

static bool
contains(const struct cidr *range, sa_family_t family, const uint8_t *bytes)
{
	const size_t whole = range->prefix / 8;
	const unsigned rest = range->prefix % 8;

	if (family != range->family || memcmp(range->bytes, bytes, whole) != 0)
		return false;
	return rest == 0 ||
	       (range->bytes[whole] ^ bytes[whole]) >> (8 - rest) == 0;
}

size_t
policy_ip_find(const struct cidr *ranges, size_t n, const char *address)
{
	const sa_family_t family =
		strchr(address, ':') != NULL ? AF_INET6 : AF_INET;
	uint8_t bytes[16] = {0};

	if (inet_pton(family, address, bytes) != 1)
		return n;
	for (size_t i = 0; i < n; i++) {
		if (contains(&ranges[i], family, bytes))
			return i;
	}
	return n;
}

const char *
policy_ip_text(const struct cidr *range, char out[POLICY_IP_TEXT_MAX])
{
	const unsigned whole = range->family == AF_INET ? 32 : 128;
	char address[INET6_ADDRSTRLEN] = "";

	(void)inet_ntop(range->family, range->bytes, address, sizeof address);
	if (range->prefix == whole)
		(void)snprintf(out, POLICY_IP_TEXT_MAX, "%s", address);
	else
		(void)snprintf(out, POLICY_IP_TEXT_MAX, "%s/%u", address,
			range->prefix);
	return out;
}
