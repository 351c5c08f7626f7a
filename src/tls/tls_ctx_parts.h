#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "tls/tls_alpn.h"
#include "tls/tls_entrance.h"

struct policy_rules;
struct ssl_ctx_st;
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
