#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/cidr.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/file_source.h"
#include "conf/report.h"
#include "conf/rules.h"

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
	VERIFY_AUTO /* not written: required when a CA or rule is set, else
		       none */
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

struct cidr_list {
	struct cidr *items;
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
	bool watch_files;
	int sandbox;        /* enum sandbox_setting */
	char *admin_socket; /* a path or "none"; NULL: admin_socket.h */
	int fdstore;        /* enum fdstore_setting */
};

enum sandbox_setting { SANDBOX_AUTO, SANDBOX_OFF };
enum fdstore_setting { FDSTORE_AUTO, FDSTORE_OFF };

struct section; /* where each value was written: section.h */
struct section_list;

enum crl_check {
	CRL_CHECK_NONE,
	CRL_CHECK_LEAF,
	CRL_CHECK_CHAIN,
	CRL_CHECK_AUTO /* not written: leaf when a crlfile is set, else none */
};

enum sni_mismatch {
	SNI_MISMATCH_DEFAULT, /* the listener's own certificate */
	SNI_MISMATCH_REJECT,  /* alert unrecognized_name */
	SNI_MISMATCH_AUTO     /* not written: reject without a certfile */
};

/*
 * Bits of tls_settings.options; the nth is called option_tls_options[n].
 * Those of OpenSSL's options that have no bit here are not for users: they
 * stay as OpenSSL and tls/ have them.
 */
enum tls_option {
	TLS_OPTION_ALL = 1 << 0, /* work around bugs of peers */
	TLS_OPTION_CIPHER_SERVER_PREFERENCE = 1 << 1,
	TLS_OPTION_ENABLE_MIDDLEBOX_COMPAT = 1 << 2,
	TLS_OPTION_NO_COMPRESSION = 1 << 3,
	TLS_OPTION_NO_RENEGOTIATION = 1 << 4,
	TLS_OPTION_NO_TICKET = 1 << 5,
	TLS_OPTION_SINGLE_DH_USE = 1 << 6, /* always so in OpenSSL 3 */
	TLS_OPTION_SINGLE_ECDH_USE = 1 << 7
};

/* Bits of tls_settings.verify_flags: option_verify_flags[]. Once loaded, the
 * two about CRLs agree with crl_check: at most one of them is set. */
enum tls_verify_flag {
	TLS_VERIFY_CRL_CHECK_LEAF = 1 << 0,
	TLS_VERIFY_CRL_CHECK_CHAIN = 1 << 1, /* the leaf is in the chain */
	TLS_VERIFY_X509_STRICT = 1 << 2,
	TLS_VERIFY_X509_PARTIAL_CHAIN = 1 << 3,
	TLS_VERIFY_X509_TRUSTED_FIRST = 1 << 4,
	TLS_VERIFY_ALLOW_PROXY_CERTS = 1 << 5
};

/* Numbered as enum proxy_header_version of net/proxy_header.h. */
enum proxy_protocol {
	PROXY_PROTOCOL_NONE,
	PROXY_PROTOCOL_V1,
	PROXY_PROTOCOL_V2
};

/* Bits of listener_settings.proxy_tlvs; the nth is option_proxy_tlvs[n]. The
 * bits are those of enum proxy_tlv in net/proxy_header.h, a room higher up.
 * Once loaded, SSL is set where one is that goes inside it. */
enum send_tlv {
	SEND_TLV_SSL = 1 << 0,
	SEND_TLV_CN = 1 << 1, /* inside SSL, up to ... */
	SEND_TLV_CIPHER = 1 << 2,
	SEND_TLV_SIG_ALG = 1 << 3,
	SEND_TLV_KEY_ALG = 1 << 4,
	SEND_TLV_GROUP = 1 << 5,
	SEND_TLV_SIG_SCHEME = 1 << 6,
	SEND_TLV_CERT = 1 << 7, /* ... here */
	SEND_TLV_ALPN = 1 << 8,
	SEND_TLV_AUTHORITY = 1 << 9,
	SEND_TLV_UNIQUE_ID = 1 << 10,
	SEND_TLV_CRC32C = 1 << 11,
	SEND_TLV_URI_SAN = 1 << 12
};

/* The TLS side of a listener or a server name; later of a backend too. */
struct tls_settings {
	struct text_list certfile;
	struct text_list keyfile; /* same count and order, or empty */
	char *password_file;
	struct text_list cafile;
	char *capath;
	char *cadata; /* PEM, its lines joined with '\n' */
	bool load_default_certs;
	bool send_ca_names;
	int verify_mode; /* enum verify_mode; never VERIFY_AUTO once loaded */
	int minimum_version; /* enum tls_version */
	int maximum_version;
	char *ciphers;      /* these three colon-separated, as OpenSSL wants */
	char *ciphersuites; /* NULL: OpenSSL's own */
	char *groups;       /* NULL: OpenSSL's own; "?NAME": if there is such */
	struct text_list alpn_protocols; /* in order of preference */
	uint64_t options;                /* enum tls_option, or-ed */
	uint64_t verify_flags;           /* enum tls_verify_flag, or-ed */
	struct text_list crlfile;
	int crl_check; /* enum crl_check; never CRL_CHECK_AUTO once loaded */
	uint64_t session_timeout_ms;
	int64_t num_tickets;
	char *ticket_secret_file; /* NULL: the secret of this start */
	char *keylog_filename;
	int sni_mismatch; /* enum sni_mismatch; never _AUTO once loaded */
};

struct listener_settings {
	char *name;
	struct section *section;
	struct addr_list listen;
	struct addr backend;
	bool allow_remote_plaintext;
	struct tls_settings tls;
	struct rule_settings rules;
	/* What rules.authorize may name: all of them, borrowed from struct
	 * settings, the same for everybody. */
	const struct policy_settings *policies;
	size_t n_policies;
	int proxy_protocol;  /* enum proxy_protocol: to the backend */
	uint64_t proxy_tlvs; /* enum send_tlv, or-ed; 0 without version 2 */
	/* These two are the listener's; a server name has them all the same. */
	bool accept_proxy_protocol; /* from who is in front of us */
	struct cidr_list trusted_proxies;
	uint64_t handshake_timeout_ms;
	uint64_t connect_timeout_ms;
	uint64_t idle_timeout_ms;       /* 0: none */
	uint64_t half_close_timeout_ms; /* without traffic; 0: none */
	uint64_t tcp_keepalive_ms;      /* 0: off */
	/* Its [server_name] sections: of the same type, with all that is not
	 * written in them taken from this listener. They have server_names,
	 * no listen and no overlays of their own. */
	struct listener_settings *overlays;
	size_t n_overlays;
	struct text_list server_names; /* lower case; "*.x" is one label */
	char *listener; /* of a server name: its listener's; else NULL */
};

struct settings {
	struct process_settings process;
	struct listener_settings *listeners;
	size_t n_listeners;
	struct policy_settings *policies;
	size_t n_policies;
	char *path;   /* of the file, as given; conf_pos.file points here */
	bool is_read; /* false: it could not be, and all here is the default */
	struct section_list *sections; /* private to settings*.c */
};

/*
 * Reads PATH through SOURCE, fills in [defaults] and defaults, and runs
 * settings_check(). All findings go to REPORT. Always returns settings: what
 * could be understood is there even when REPORT holds errors (so that the
 * certificates of the good sections are still checked in the same run), but
 * settings of a report with errors must not be served. A listener that has an
 * error of its own in a key is still in the list; keys that could not be
 * understood are left at their default, required ones empty (ADDR_NONE).
 * Listeners without a name or with one that was there before are left out,
 * and so are server names of a listener that there is not.
 */
struct settings *settings_load(
	const char *path, struct file_source *source, struct report *report);
void settings_free(struct settings **settings);

/* The same piece by piece, for who has others to serve in between: SETTINGS are
 * good for nothing any more. False: what is left is for settings_free(). */
bool settings_free_some(struct settings *settings);

/*
 * Asks SOURCE for every file that SETTINGS name, so that a bundle of it holds
 * them: keys, passwords, ticket secrets, and a certfile without keyfile (the
 * key is in it), as secrets; certificates, CAs and CRLs as public; a capath
 * with every file in it that settings_hash_link() knows; key logs as outputs.
 * Findings are left to whoever uses the files.
 */
void settings_read_files(
	const struct settings *settings, struct file_source *source);

typedef void (*settings_file_fn)(
	const char *path, enum file_kind kind, void *arg);

/* Each file that is read for TLS, a capath's among them, in the same order
 * whenever the settings are the same; SOURCE lists directories. */
void settings_visit_files(const struct tls_settings *tls,
	struct file_source *source, settings_file_fn visitor, void *arg);

/*
 * The path that NAME in directory CAPATH is read under, if NAME is what
 * openssl-rehash(1) calls a certificate ("9d66eef0.0") or a CRL
 * ("9d66eef0.r0"); else NULL. The caller frees.
 */
char *settings_hash_link(const char *capath, const char *name);

/*
 * What load_default_certs loads: the name of all of the system's CAs, in PEM,
 * to be read as a public file from any source; the same in every process.
 */
const char *settings_default_cafile(void);

/* May a client be refused for what its certificate says: any allow or deny key,
 * or authorize? */
bool settings_has_rules(const struct rule_settings *rules);

/* Do RULES say who may come in? Without, whoever is not denied. */
bool settings_has_admission(const struct rule_settings *rules);

/*
 * What is meant by many and overlooked by some, and no warning: a listener or
 * server name that lets in every client of its CAs because no rule says
 * otherwise. Each is a finding (REPORT_WARNING) in NOTICES, which is a report
 * of its own: to be logged at level notice, and nothing to fail for.
 */
void settings_notices(const struct settings *settings, struct report *notices);

/* Does TLS name anything to verify certificates with? */
bool settings_has_ca(const struct tls_settings *tls);

/* The enum tls_verify_flag that says the same as its crl_check; 0 for none. */
uint64_t settings_crl_flag(const struct tls_settings *tls);

/* Where the value that LISTENER uses for KEY comes from. */
enum settings_origin {
	ORIGIN_DEFAULT,          /* it is not written anywhere */
	ORIGIN_DEFAULTS_SECTION, /* [defaults] */
	ORIGIN_LISTENER,         /* a server name has it from its listener */
	ORIGIN_SECTION           /* the section itself */
};

enum settings_origin settings_origin(
	const struct listener_settings *listener, const char *key);

/*
 * Where the INDEXth value of KEY that LISTENER uses was written (in its
 * section, its listener's or in [defaults]); the header of the section if
 * nowhere.
 */
struct conf_pos settings_pos(const struct listener_settings *listener,
	const char *key, size_t index);

/* Where KEY of POLICY was written; the header of its section if nowhere. */
struct conf_pos settings_policy_pos(
	const struct policy_settings *policy, const char *key);

/* Where KEY of [sallyport] was written; line 0 if nowhere. */
struct conf_pos settings_process_pos(
	const struct settings *settings, const char *key);

/* Adds a finding about KEY of LISTENER, with place and section. */
void settings_report(const struct listener_settings *listener, const char *key,
	size_t index, enum report_severity severity, struct report *report,
	const char *fmt, ...) __attribute__((format(printf, 6, 7)));
