#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * PROXY protocol headers written byte by byte from the specification, for
 * tests of what writes and reads them.
 */
struct proxy_bytes {
	uint8_t bytes[70000];
	size_t len;
};

/* BYTES becomes a version 2 header without a body. */
void proxy_bytes_start(
	struct proxy_bytes *b, unsigned command, unsigned family);

void proxy_bytes_add(struct proxy_bytes *b, const void *bytes, size_t len);

/* 192.0.2.1:40000 to 198.51.100.2:443. */
void proxy_bytes_add_ipv4(struct proxy_bytes *b);

/* [2001:db8::1]:40000 to [2001:db8::2]:443. */
void proxy_bytes_add_ipv6(struct proxy_bytes *b);

void proxy_bytes_add_tlv(
	struct proxy_bytes *b, unsigned type, const void *value, size_t len);

/* The length that the header has says what is there. */
void proxy_bytes_end(struct proxy_bytes *b);

/* The sum of B, and writes it at AT. Bit by bit, from its definition. */
uint32_t proxy_bytes_sum(const uint8_t *bytes, size_t len);
void proxy_bytes_set_sum(struct proxy_bytes *b, size_t at);

/* "192.0.2.1 40000", "unix /path", "unspec". Returns a buffer of its own that
 * the next but one call overwrites. */
const char *proxy_bytes_end_text(const struct sockaddr_storage *end);
