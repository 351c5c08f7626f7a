#include "config.h"

#include "conf/options.h"

#include <string.h>

#include "conf/settings.h"

#define SECONDS(n)      ((int64_t)(n)*1000)
#define MINUTES(n)      SECONDS((n)*60)
#define HOURS(n)        MINUTES((n)*60)
#define DAYS(n)         HOURS((n)*24)
#define PROCESS(field)  offsetof(struct process_settings, field)
#define LISTENER(field) offsetof(struct listener_settings, field)
#define INHERITED       (IN_DEFAULTS | IN_LISTENER)

/* The order of each is that of its enum. */
static const char *const log_levels[] = {
	"error", "warn", "notice", "info", "debug", NULL};
static const char *const log_formats[] = {
	"auto", "text", "json", "journal", NULL};
static const char *const sandbox_settings[] = {"auto", "off", NULL};
static const char *const verify_modes[] = {
	"none", "optional", "required", NULL};
const char *const option_tls_versions[] = {
	"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3", NULL};

const struct option process_options[] = {
	{.name = "workers",
		.type = OPT_INT,
		.sections = IN_PROCESS,
		.offset = PROCESS(workers),
		.def = "auto",
		.min = 1,
		.max = 1024,
		.zero_word = "auto",
		.help = "Number of worker processes; auto is one for each "
			"processor that sallyport may run on."},
	{.name = "user",
		.type = OPT_TEXT,
		.sections = IN_PROCESS,
		.offset = PROCESS(user),
		.help = "User that the workers run as when sallyport is "
			"started by root; nobody if not set."},
	{.name = "group",
		.type = OPT_TEXT,
		.sections = IN_PROCESS,
		.offset = PROCESS(group),
		.help = "Group beside user; the user's own if not set."},
	{.name = "max_connections",
		.type = OPT_INT,
		.sections = IN_PROCESS,
		.offset = PROCESS(max_connections),
		.def = "0",
		.min = 1,
		.max = 10000000,
		.zero_ok = true,
		.help = "Connections at a time over all workers; 0 is as many "
			"as the limit of open files allows."},
	{.name = "drain_timeout",
		.type = OPT_DURATION_MS,
		.sections = IN_PROCESS,
		.offset = PROCESS(drain_timeout_ms),
		.def = "30s",
		.min = 1,
		.max = DAYS(7),
		.zero_ok = true,
		.help = "Time that connections get to end by themselves when "
			"sallyport is told to stop."},
	{.name = "log_level",
		.type = OPT_CHOICE,
		.sections = IN_PROCESS,
		.offset = PROCESS(log_level),
		.def = "info",
		.choices = log_levels,
		.help = "The least important lines that are logged."},
	{.name = "log_format",
		.type = OPT_CHOICE,
		.sections = IN_PROCESS,
		.offset = PROCESS(log_format),
		.def = "auto",
		.choices = log_formats,
		.help = "Form of the log; auto is the journal where stderr "
			"leads to it, else text."},
	{.name = "access_log",
		.type = OPT_BOOL,
		.sections = IN_PROCESS,
		.offset = PROCESS(access_log),
		.def = "yes",
		.help = "Whether each finished connection is logged."},
	{.name = "log_probes",
		.type = OPT_BOOL,
		.sections = IN_PROCESS,
		.offset = PROCESS(log_probes),
		.def = "no",
		.help = "Whether connections that never sent a byte are "
			"logged too; they are counted anyway."},
	{.name = "sandbox",
		.type = OPT_CHOICE,
		.sections = IN_PROCESS,
		.offset = PROCESS(sandbox),
		.def = "auto",
		.choices = sandbox_settings,
		.help = "Whether the kernel confines the workers as far as it "
			"can."},
	{.name = NULL},
};

const struct option listener_options[] = {
	{.name = "listen",
		.type = OPT_LISTEN_LIST,
		.sections = IN_LISTENER,
		.offset = LISTENER(listen),
		.required = true,
		.help = "Addresses to accept connections on."},
	{.name = "backend",
		.type = OPT_BACKEND,
		.sections = INHERITED,
		.offset = LISTENER(backend),
		.required = true,
		.help = "Address of the service that gets the decrypted "
			"bytes."},
	{.name = "allow_remote_plaintext",
		.type = OPT_BOOL,
		.sections = INHERITED,
		.offset = LISTENER(allow_remote_plaintext),
		.def = "no",
		.help = "Whether the backend may be on another machine, which "
			"sends everything over the network unencrypted."},
	{.name = "certfile",
		.type = OPT_PATH_LIST,
		.sections = INHERITED,
		.offset = LISTENER(tls.certfile),
		.required = true,
		.help = "PEM file with the server's certificate first and "
			"its chain after it; repeat for another kind of key."},
	{.name = "keyfile",
		.type = OPT_SECRET_LIST,
		.sections = INHERITED,
		.offset = LISTENER(tls.keyfile),
		.help = "PEM file with the private key, one for each certfile "
			"in the same order; if not set, the key is in "
			"certfile."},
	{.name = "password_file",
		.type = OPT_SECRET,
		.sections = INHERITED,
		.offset = LISTENER(tls.password_file),
		.help = "File whose first line decrypts the private keys."},
	{.name = "cafile",
		.type = OPT_PATH_LIST,
		.sections = INHERITED,
		.offset = LISTENER(tls.cafile),
		.help = "PEM file with the CAs whose client certificates are "
			"accepted."},
	{.name = "verify_mode",
		.type = OPT_CHOICE,
		.sections = INHERITED,
		.offset = LISTENER(tls.verify_mode),
		.unset = VERIFY_AUTO,
		.choices = verify_modes,
		.help = "Whether clients must show a certificate; if not set, "
			"required where a cafile is set and none elsewhere."},
	{.name = "minimum_version",
		.type = OPT_CHOICE,
		.sections = INHERITED,
		.offset = LISTENER(tls.minimum_version),
		.def = "TLSv1.2",
		.choices = option_tls_versions,
		.help = "Oldest TLS protocol version offered."},
	{.name = "maximum_version",
		.type = OPT_CHOICE,
		.sections = INHERITED,
		.offset = LISTENER(tls.maximum_version),
		.unset = TLS_VERSION_HIGHEST,
		.choices = option_tls_versions,
		.help = "Newest TLS protocol version offered; if not set, the "
			"newest that OpenSSL has."},
	{.name = "ciphers",
		.type = OPT_COLON_LIST,
		.sections = INHERITED,
		.offset = LISTENER(tls.ciphers),
		.def = "ECDHE+AESGCM:ECDHE+CHACHA20",
		.help = "Cipher list for TLS 1.2, in OpenSSL's language."},
	{.name = "ciphersuites",
		.type = OPT_COLON_LIST,
		.sections = INHERITED,
		.offset = LISTENER(tls.ciphersuites),
		.help = "Cipher suites for TLS 1.3; if not set, OpenSSL's "
			"own."},
	{.name = "handshake_timeout",
		.type = OPT_DURATION_MS,
		.sections = INHERITED,
		.offset = LISTENER(handshake_timeout_ms),
		.def = "10s",
		.min = 100,
		.max = MINUTES(5),
		.help = "Time a client has to finish the TLS handshake."},
	{.name = "connect_timeout",
		.type = OPT_DURATION_MS,
		.sections = INHERITED,
		.offset = LISTENER(connect_timeout_ms),
		.def = "5s",
		.min = 10,
		.max = MINUTES(5),
		.help = "Time a backend has to accept the connection."},
	{.name = "idle_timeout",
		.type = OPT_DURATION_MS,
		.sections = INHERITED,
		.offset = LISTENER(idle_timeout_ms),
		.def = "1h",
		.min = 100,
		.max = DAYS(30),
		.zero_ok = true,
		.help = "Time without traffic either way after which a "
			"connection is closed; 0 is never."},
	{.name = "half_close_timeout",
		.type = OPT_DURATION_MS,
		.sections = INHERITED,
		.offset = LISTENER(half_close_timeout_ms),
		.def = "60s",
		.min = 100,
		.max = DAYS(30),
		.zero_ok = true,
		.help = "The same once one side has ended its direction; 0 is "
			"never."},
	{.name = "tcp_keepalive",
		.type = OPT_DURATION_MS,
		.sections = INHERITED,
		.offset = LISTENER(tcp_keepalive_ms),
		.def = "60s",
		.min = SECONDS(1),
		.max = SECONDS(32767), /* what TCP_KEEPIDLE takes */
		.zero_ok = true,
		.help = "Silence after which TCP asks whether the peer is "
			"still there; 0 is off."},
	{.name = NULL},
};

const struct option *
option_find(const struct option *table, const char *name)
{
	for (; table->name != NULL; table++) {
		if (strcmp(table->name, name) == 0)
			return table;
	}
	return NULL;
}

bool
option_is_list(const struct option *option)
{
	return option->type == OPT_PATH_LIST ||
	       option->type == OPT_SECRET_LIST || option_is_words(option);
}

bool
option_is_words(const struct option *option)
{
	return option->type == OPT_COLON_LIST ||
	       option->type == OPT_LISTEN_LIST;
}
