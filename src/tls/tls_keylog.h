#pragma once

struct file_source;
struct listener_settings;
struct report;
struct ssl_ctx_st;

/*
 * keylog_filename: the secrets of every connection go there, one line each in
 * the format that Wireshark reads (NSS key log). *FD_OUT is the caller's to
 * close; -1 where there is no such key. Returns 0, or -1 after reporting that
 * the file cannot be written. What fails later is logged once.
 */
int tls_keylog_set(struct ssl_ctx_st *ssl_ctx, int *fd_out,
	const struct listener_settings *listener, struct file_source *files,
	struct report *report);
