#pragma once

struct listener_settings;
struct report;
struct ssl_ctx_st;

/*
 * groups of LISTENER into SSL_CTX, in order of preference. Those written
 * "?NAME" are left out where the library does not have them; any other one
 * that it does not have is reported. *GROUPS_OUT: what is in force, for
 * SSL_set1_groups_list(), owned by the caller; NULL where OpenSSL's own are.
 * Returns 0, or -1 after reporting.
 */
int tls_group_set(struct ssl_ctx_st *ssl_ctx, char **groups_out,
	const struct listener_settings *listener, struct report *report);
