#pragma once

#include "tls/tls_hmac.h"

/* More than any test vector has. */
#define HEX_BYTES_ROOM 256

/* What DIGITS of a test vector stand for, in ROOM. */
struct tls_hmac_bytes hex_bytes(
	const char *digits, unsigned char room[HEX_BYTES_ROOM]);
