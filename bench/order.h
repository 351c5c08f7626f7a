#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a client asks of the backend, first bytes of every upload: "this upload
 * has UPLOAD bytes, answer with DOWNLOAD". The download begins with the same
 * block, which repeats how much arrived and how much will come; so both ends
 * know every length, and a byte lost or invented on the way is noticed.
 */
struct order {
	uint64_t upload;   /* bytes, this block included */
	uint64_t download; /* bytes, this block included */
};

/* Its size on the wire, and so the least that either way can carry. */
#define ORDER_SIZE ((size_t)24)

void order_encode(const struct order *order, unsigned char out[ORDER_SIZE]);

/* False for anything that order_encode() did not make; *OUT is then as it was.
 */
bool order_decode(const unsigned char bytes[ORDER_SIZE], struct order *out);
