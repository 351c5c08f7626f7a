#pragma once

#include <stdbool.h>
#include <stddef.h>

struct cidr;

/*
 * IP addresses of a certificate against those of a rule. Pure. Unlike a peer
 * of a dual-stack socket, a certificate that says ::ffff:192.0.2.1 does not
 * say 192.0.2.1 (RFC 5280, section 4.2.1.6: four bytes, or sixteen).
 */

/* The index of the first of N RANGES that ADDRESS (text) is in; N if none. */
size_t policy_ip_find(const struct cidr *ranges, size_t n, const char *address);

#define POLICY_IP_TEXT_MAX 50

/* Equal ranges give equal texts, however they were written. Returns OUT. */
const char *policy_ip_text(
	const struct cidr *range, char out[POLICY_IP_TEXT_MAX]);
