#pragma once

struct ssl_ctx_st;
struct tls_settings;

/* options and verify_flags as the bits of OpenSSL that they stand for. */
void tls_option_set(struct ssl_ctx_st *ssl_ctx, const struct tls_settings *tls);
