#pragma once

#include <stdbool.h>

struct ssl_st;
struct tls_ctx;

/*
 * Hands SSL, whose ClientHello is being read, over to TO: afterwards it is as
 * if SSL had been made from TO, but that OpenSSL goes on to ask the first
 * context for callbacks of tickets and sessions, and keeps its session cache.
 * False without memory; SSL must not go on then.
 */
bool tls_switch(struct ssl_st *ssl, struct tls_ctx *to);
