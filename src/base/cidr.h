#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct error;

/*
 * A range of addresses as the configuration writes it: "192.0.2.0/24",
 * "2001:db8::/32", or one address without a prefix. A plain value.
 */
struct cidr {
	sa_family_t family; /* AF_INET or AF_INET6 */
	uint8_t bytes[16];  /* network order; 4 of them for AF_INET */
	unsigned prefix;
};

/* Bits that are set after the prefix are an error, as are zones, blanks and
 * leading zeros. OUT is untouched on failure; ERR does not name the key. */
int cidr_parse(const char *text, struct cidr *out, struct error *err);

/* BYTES are 4 or 16 in network order, as FAMILY says. A peer of a dual-stack
 * socket (::ffff:192.0.2.1) counts as the IPv4 address that it is. */
bool cidr_matches(
	const struct cidr *cidr, sa_family_t family, const uint8_t *bytes);

/* The same; nothing but AF_INET and AF_INET6 ever matches. */
bool cidr_matches_sockaddr(const struct cidr *cidr, const struct sockaddr *sa);
