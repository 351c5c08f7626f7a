#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/report.h"

struct file_source;

/*
 * The configuration as typed values, with the place each came from.
 *
 * Owned by whoever loaded them, const once loaded, one per generation. The
 * same function loads them in the supervisor, in `sallyport check` and in
 * each worker; only the file source differs.
 */
enum verify_mode {
	VERIFY_NONE,
	VERIFY_OPTIONAL,
	VERIFY_REQUIRED,
	VERIFY_AUTO /* not written: required when a CA is set, else none */
};

/* In the order of the protocol; TLS_VERSION_HIGHEST: what the library has. */
enum tls_version {
	TLS_VERSION_1_0,
	TLS_VERSION_1_1,
	TLS_VERSION_1_2,
	TLS_VERSION_1_3,
	TLS_VERSION_HIGHEST
};

struct addr_list {
	struct addr *items;
	size_t n;
};

struct process_settings {
	int64_t workers; /* never 0 after loading: "auto" became the cores */
	char *user;
	char *group;
	int64_t max_connections; /* 0: from RLIMIT_NOFILE */
	uint64_t drain_timeout_ms;
	int log_level;  /* enum log_level */
	int log_format; /* enum log_format */
	bool access_log;
	bool log_probes;
	int sandbox; /* enum sandbox_setting */
};

enum sandbox_setting { SANDBOX_AUTO, SANDBOX_OFF };

struct section; /* where each value was written: section.h */
struct section_list;

/* The TLS side of a listener; later of a backend and a server name too. */
struct tls_settings {
	struct text_list certfile;
	struct text_list keyfile; /* same count and order, or empty */
	char *password_file;
	struct text_list cafile;
	int verify_mode; /* enum verify_mode; never VERIFY_AUTO once loaded */
	int minimum_version; /* enum tls_version */
	int maximum_version;
	char *ciphers;      /* both colon-separated, as OpenSSL wants them */
	char *ciphersuites; /* NULL: OpenSSL's own */
};

struct listener_settings {
	char *name;
	struct section *section;
	struct addr_list listen;
	struct addr backend;
	bool allow_remote_plaintext;
	struct tls_settings tls;
	uint64_t handshake_timeout_ms;
	uint64_t connect_timeout_ms;
	uint64_t idle_timeout_ms;       /* 0: none */
	uint64_t half_close_timeout_ms; /* without traffic; 0: none */
	uint64_t tcp_keepalive_ms;      /* 0: off */
};

struct settings {
	struct process_settings process;
	struct listener_settings *listeners;
	size_t n_listeners;
	char *path; /* of the file, as given; conf_pos.file points here */
	struct section_list *sections; /* private to settings.c */
};

/*
 * Reads PATH through SOURCE, fills in [defaults] and defaults, and runs
 * settings_check(). All findings go to REPORT. Always returns settings: what
 * could be understood is there even when REPORT holds errors (so that the
 * certificates of the good sections are still checked in the same run), but
 * settings of a report with errors must not be served. A listener that has an
 * error of its own in a key is still in the list; keys that could not be
 * understood are left at their default, required ones empty (ADDR_NONE).
 * Listeners without a name or with one that was there before are left out.
 */
struct settings *settings_load(
	const char *path, struct file_source *source, struct report *report);
void settings_free(struct settings **settings);

/* Asks SOURCE for every file that SETTINGS name, so that a bundle of it holds
 * them: keys and passwords, and a certfile without keyfile (the key is in it),
 * as secrets; certificates and CAs as public. Findings are left to whoever
 * uses the files. */
void settings_read_files(
	const struct settings *settings, struct file_source *source);

/*
 * Where the INDEXth value of KEY that LISTENER uses was written (in its
 * section or in [defaults]); the header of the section if nowhere.
 */
struct conf_pos settings_pos(const struct listener_settings *listener,
	const char *key, size_t index);

/* Adds a finding about KEY of LISTENER, with place and section. */
void settings_report(const struct listener_settings *listener, const char *key,
	size_t index, enum report_severity severity, struct report *report,
	const char *fmt, ...) __attribute__((format(printf, 6, 7)));
