#pragma once

#include <stddef.h>
#include <stdint.h>

struct addr;
struct error;

/*
 * What HOST means now, by getaddrinfo(3): blocks, reads /etc, so it runs in
 * the resolver process only. Puts at most MAX addresses (stream sockets, with
 * PORT) into OUT in the order of RFC 6724. Returns how many, or -1 with ERR.
 */
int resolve_host(const char *host, uint16_t port, struct addr *out, size_t max,
	struct error *err);
