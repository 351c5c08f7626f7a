#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "tls/tls_alpn.h"
#include "tls/tls_entrance.h"

struct policy_rules;
struct ssl_ctx_st;
struct ssl_st;
struct tls_sni;
struct tls_ticket_keys;

/*
 * What a TLS context is made of; for the files of tls/ only.
 *
 * OpenSSL hands the callbacks of tickets and sessions the SSL_CTX that a
 * connection began with, not the one that its server name has chosen. So they
 * all ask tls_ctx_of_ssl() and look here.
 */
struct tls_ctx {
	unsigned refs;
	/* Who has all that follows but names and entrance; NULL: this one. */
	struct tls_ctx *owner;
	struct ssl_ctx_st *ssl_ctx;
	struct tls_sni *names; /* NULL: it hands over to nobody */
	bool reject_unknown;
	char *groups; /* as for SSL_set1_groups_list(); NULL: OpenSSL's own */
	struct tls_alpn alpn;
	int keylog_fd;                       /* -1: none */
	struct tls_ticket_keys *ticket_keys; /* NULL: no resumption */
	long session_life_s;
	struct tls_entrance entrance;
	struct policy_rules *rules; /* who of the verified may come in */
};

/* From now on CTX serves SSL, whose SSL_CTX is that of CTX. False without
 * memory; SSL must not go on then. */
bool tls_ctx_adopt(struct tls_ctx *ctx, struct ssl_st *ssl);
