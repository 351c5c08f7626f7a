#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/mem.h"
#include "conf_fixture.h"

static void
a_whole_file_becomes_typed_values(void **state)
{
	struct loaded l = load("[sallyport]\nworkers = 3\nlog_level = debug\n"
			       "user = www-data\n"
			       "[listener gw]\nlisten = 127.0.0.1:8443\n"
			       "  [::1]:8443\nbackend = 127.0.0.1:80\n"
			       "certfile = a.pem\ncertfile = b.pem\n"
			       "keyfile = a.key\nkeyfile = credential:b.key\n"
			       "cafile = ca.pem\nmaximum_version = TLSv1.2\n"
			       "ciphersuites = TLS_AES_128_GCM_SHA256\n"
			       "  TLS_AES_256_GCM_SHA384\nidle_timeout = 0\n");
	const struct listener_settings *gw = &l.settings->listeners[0];

	(void)state;
	assert_findings(&l, "");
	assert_int_equal(l.settings->process.workers, 3);
	assert_int_equal(l.settings->process.log_level, LOG_LEVEL_DEBUG);
	assert_string_equal(l.settings->process.user, "www-data");
	assert_string_equal(l.settings->path, "t.ini");
	assert_int_equal(l.settings->n_listeners, 1);
	assert_string_equal(gw->name, "gw");
	assert_int_equal(gw->listen.n, 2);
	assert_int_equal(gw->listen.items[1].kind, ADDR_INET6);
	assert_int_equal(gw->backend.port, 80);
	assert_int_equal(gw->tls.certfile.n, 2);
	assert_string_equal(gw->tls.keyfile.items[1], "credential:b.key");
	assert_int_equal(gw->tls.verify_mode, VERIFY_REQUIRED);
	assert_int_equal(gw->tls.maximum_version, TLS_VERSION_1_2);
	assert_string_equal(gw->tls.ciphersuites,
		"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384");
	assert_int_equal(gw->idle_timeout_ms, 0);
	assert_int_equal(gw->handshake_timeout_ms, 10000);
	unload(&l);
	assert_null(l.settings);
}

static void
listeners_inherit_from_defaults_and_lists_are_replaced(void **state)
{
	/* [defaults] may come last. */
	struct loaded l = load("[listener a]\nlisten = 127.0.0.1:1\n"
			       "[listener b]\nlisten = 127.0.0.1:2\n"
			       "certfile = own\nidle_timeout = 5s\n"
			       "backend = [::1]:9\n"
			       "[defaults]\nbackend = 127.0.0.1:9\n"
			       "certfile = one\ncertfile = two\n"
			       "idle_timeout = 7s\n");
	const struct listener_settings *a = &l.settings->listeners[0];
	const struct listener_settings *b = &l.settings->listeners[1];

	(void)state;
	assert_findings(&l, "");
	assert_int_equal(a->tls.certfile.n, 2);
	assert_int_equal(a->idle_timeout_ms, 7000);
	assert_int_equal(a->backend.kind, ADDR_INET);
	assert_int_equal(b->tls.certfile.n, 1);
	assert_string_equal(b->tls.certfile.items[0], "own");
	assert_int_equal(b->idle_timeout_ms, 5000);
	assert_int_equal(b->backend.kind, ADDR_INET6);
	unload(&l);
}

static void
places_lead_to_where_a_value_was_written(void **state)
{
	struct loaded l = load("[defaults]\ncertfile = one\ncertfile = two\n"
			       "[listener a]\nlisten = 127.0.0.1:1 [::1]:1\n"
			       "  127.0.0.1:2\nbackend = 127.0.0.1:9\n"
			       "[listener b]\nlisten = 127.0.0.1:3\n"
			       "backend = 127.0.0.1:9\ncertfile = c\n");
	const struct listener_settings *a = &l.settings->listeners[0];
	const struct listener_settings *b = &l.settings->listeners[1];

	(void)state;
	assert_findings(&l, "");
	assert_int_equal(settings_pos(a, "certfile", 1).line, 3);
	assert_int_equal(settings_pos(a, "listen", 1).line, 5);
	assert_int_equal(settings_pos(a, "listen", 2).line, 6);
	assert_int_equal(settings_pos(a, "cafile", 0).line, 4);
	assert_int_equal(settings_pos(b, "certfile", 0).line, 11);
	assert_int_equal(settings_pos(b, "certfile", 1).line, 8);
	assert_string_equal(settings_pos(b, "certfile", 0).file, "t.ini");
	settings_report(b, "certfile", 0, REPORT_WARNING, l.report,
		"certfile \"%s\" is odd", "c");
	assert_findings(
		&l, "t.ini:11: warning: [listener b] certfile \"c\" is odd\n");
	unload(&l);
}

static void
workers_auto_are_the_processors_that_may_be_used(void **state)
{
	struct loaded l = load("[listener a]\nlisten = 127.0.0.1:1\n"
			       "backend = 127.0.0.1:9\ncertfile = c\n");
	cpu_set_t set;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
	assert_int_equal(l.settings->process.workers, CPU_COUNT(&set));
	unload(&l);
}

static void
verify_mode_follows_the_cafile_when_it_is_not_written(void **state)
{
	struct loaded l = load("[defaults]\nbackend = 127.0.0.1:9\n"
			       "certfile = c\n"
			       "[listener a]\nlisten = 127.0.0.1:1\n"
			       "[listener b]\nlisten = 127.0.0.1:2\n"
			       "cafile = ca\n"
			       "[listener c]\nlisten = 127.0.0.1:3\n"
			       "cafile = ca\nverify_mode = optional\n");

	(void)state;
	assert_findings(&l, "");
	assert_int_equal(l.settings->listeners[0].tls.verify_mode, VERIFY_NONE);
	assert_int_equal(
		l.settings->listeners[1].tls.verify_mode, VERIFY_REQUIRED);
	assert_int_equal(
		l.settings->listeners[2].tls.verify_mode, VERIFY_OPTIONAL);
	unload(&l);
}

static void
all_errors_of_a_file_are_found_in_one_run(void **state)
{
	(void)state;
	assert_load("early = 1\n"
		    "[sallyport]\nworkers = none\n"
		    "[listener gw]\n"
		    "listen = 127.0.0.1:99999999\n"
		    "backend = 127.0.0.1:80\nbackend = 127.0.0.1:81\n"
		    "minimum_verson = TLSv1.2\n"
		    "minimum_version = TLSv1.5\n"
		    "idle_timeout = 5\n"
		    "[listner x]\n"
		    "[listener empty]\n"
		    "[defaults]\nlog_level = info\ntcp_keepalive = often\n",
		"t.ini:1: key before the first section header\n"
		"t.ini:3: [sallyport] workers \"none\" is not a whole number "
		"from 1 to 1024, or auto\n"
		"t.ini:4: [listener gw] missing required key \"certfile\"\n"
		"t.ini:5: [listener gw] listen \"127.0.0.1:99999999\": "
		"\"99999999\" is not a port (1-65535)\n"
		"t.ini:7: [listener gw] backend given twice; first in line 6\n"
		"t.ini:8: [listener gw] unknown key \"minimum_verson\"; did "
		"you mean \"minimum_version\"?\n"
		"t.ini:9: [listener gw] minimum_version \"TLSv1.5\" is not "
		"one of: TLSv1, TLSv1.1, TLSv1.2, TLSv1.3\n"
		"t.ini:10: [listener gw] idle_timeout \"5\" has no unit; "
		"write 5s for seconds (ms, s, m, h, d)\n"
		"t.ini:11: unknown section [listner x]; did you mean "
		"[listener NAME]?\n"
		"t.ini:12: [listener empty] missing required key \"listen\"\n"
		"t.ini:12: [listener empty] missing required key \"backend\"\n"
		"t.ini:12: [listener empty] missing required key "
		"\"certfile\"\n"
		"t.ini:14: [defaults] key \"log_level\" belongs in "
		"[sallyport]\n"
		"t.ini:15: [defaults] tcp_keepalive \"often\" is not a "
		"duration (such as 500ms, 10s, 5m, 1h, 2d, 0)\n");
}

static void
values_that_are_broken_leave_the_default_behind(void **state)
{
	struct loaded l = load("[defaults]\nidle_timeout = x\n"
			       "[listener a]\nlisten = bad 127.0.0.1:1\n"
			       "backend = bad\ncertfile =\nciphers =\n"
			       "connect_timeout = x\n");
	const struct listener_settings *a = &l.settings->listeners[0];

	(void)state;
	assert_int_equal(report_errors(l.report), 6);
	assert_int_equal(a->idle_timeout_ms, 3600000);
	assert_int_equal(a->connect_timeout_ms, 5000);
	assert_int_equal(a->listen.n, 1);
	assert_int_equal(a->backend.kind, ADDR_NONE);
	assert_int_equal(a->tls.certfile.n, 0);
	assert_string_equal(a->tls.ciphers, "ECDHE+AESGCM:ECDHE+CHACHA20");
	unload(&l);
}

static void
a_missing_value_is_an_error_of_its_line(void **state)
{
	(void)state;
	assert_load("[listener a]\nlisten = 127.0.0.1:1\ncertfile = c\n"
		    "backend =\n",
		"t.ini:4: [listener a] backend has no value\n");
}

static void
nameless_and_second_sections_are_looked_through_but_not_served(void **state)
{
	struct loaded l = load("[listener a]\nlisten = 127.0.0.1:1\n"
			       "backend = 127.0.0.1:9\ncertfile = c\n"
			       "[listener a]\nlisten = 127.0.0.1:1\n"
			       "idle_timeout = x\n[listener]\n");

	(void)state;
	assert_int_equal(l.settings->n_listeners, 1);
	assert_findings(&l,
		"t.ini:5: [listener a] section given twice; first in line 1\n"
		"t.ini:7: [listener a] idle_timeout \"x\" is not a duration "
		"(such as 500ms, 10s, 5m, 1h, 2d, 0)\n"
		"t.ini:8: [listener] section has no name: [listener NAME]\n");
	unload(&l);
}

static void
assert_unreadable(const char *path, const char *wanted)
{
	struct loaded l = {
		.report = report_new(), .source = file_source_beside(path)};

	l.settings = settings_load(path, l.source, l.report);
	assert_non_null(l.settings);
	assert_true(l.settings->process.workers > 0);
	assert_findings(&l, wanted);
	unload(&l);
}

static void
a_file_that_cannot_be_read_is_one_error_without_a_line(void **state)
{
	(void)state;
	assert_unreadable("/nonexistent/t.ini",
		"/nonexistent/t.ini: cannot read the configuration: No such "
		"file or directory\n");
	assert_unreadable(
		"/", "/: cannot read the configuration: Is a directory\n");
	assert_unreadable("/dev/null",
		"/dev/null: cannot read the configuration: is not a regular "
		"file\n");
}

static void
write_file(const char *dir, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, 0600), 0);
	free(path);
}

static void
assert_answer(struct file_source *source, const char *path, enum file_kind kind,
	const char *wanted)
{
	const char *bytes = NULL;
	size_t len = 0;
	struct error err = {{0}};

	if (file_source_read(source, path, kind, &bytes, &len, &err) < 0)
		assert_string_equal(err.text, wanted);
	else
		assert_string_equal(bytes, wanted);
}

/* As the supervisor does, and then the worker. */
static void
a_worker_loads_the_same_from_the_bundles(void **state)
{
	char dir[] = "/tmp/test_settings.XXXXXX";
	static const char *const names[] = {
		"t.ini", "a.pem", "b.pem", "b.key", "ca.pem", "pw"};
	struct loaded disk = {0}, bundle = {0};
	char *path;
	int public_fd, secret_fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (size_t i = 1; i < 6; i++)
		write_file(dir, names[i], names[i]);
	write_file(dir, "t.ini",
		"[defaults]\nbackend = 127.0.0.1:9\n"
		"[listener a]\nlisten = 127.0.0.1:1\ncertfile = a.pem\n"
		"[listener b]\nlisten = 127.0.0.1:2\ncertfile = b.pem\n"
		"keyfile = b.key\ncafile = ca.pem\npassword_file = pw\n");
	path = xasprintf("%s/t.ini", dir);
	disk.source = file_source_beside(path);
	disk.report = report_new();
	disk.settings = settings_load(path, disk.source, disk.report);
	settings_read_files(disk.settings, disk.source);
	public_fd = file_source_to_bundle(disk.source, FILE_PUBLIC, NULL);
	secret_fd = file_source_to_bundle(disk.source, FILE_SECRET, NULL);
	unload(&disk);
	for (size_t i = 0; i < 6; i++) {
		char *file = xasprintf("%s/%s", dir, names[i]);

		assert_int_equal(unlink(file), 0);
		free(file);
	}
	assert_int_equal(rmdir(dir), 0);

	bundle.source = file_source_bundle(public_fd, secret_fd, NULL);
	bundle.report = report_new();
	bundle.settings = settings_load(path, bundle.source, bundle.report);
	assert_findings(&bundle, "");
	assert_int_equal(bundle.settings->n_listeners, 2);
	assert_answer(bundle.source, "a.pem", FILE_PUBLIC, "a.pem");
	assert_answer(bundle.source, "a.pem", FILE_SECRET, "a.pem");
	assert_answer(bundle.source, "b.pem", FILE_PUBLIC, "b.pem");
	assert_answer(bundle.source, "b.pem", FILE_SECRET,
		"is not in the bundle of files");
	assert_answer(bundle.source, "b.key", FILE_SECRET, "b.key");
	assert_answer(bundle.source, "ca.pem", FILE_PUBLIC, "ca.pem");
	assert_answer(bundle.source, "pw", FILE_SECRET, "pw");
	assert_answer(bundle.source, "pw", FILE_PUBLIC,
		"is not in the bundle of files");
	unload(&bundle);
	fd_close(&public_fd);
	fd_close(&secret_fd);
	free(path);
}

static void
freeing_no_settings_is_fine(void **state)
{
	struct settings *settings = NULL;

	(void)state;
	settings_free(&settings);
}

#define SERVER_NAMES                                                             \
	"[server_name b]\nlistener = gw\nserver_name = B.example. *.b.example\n" \
	"certfile = b.pem\nbackend = unix:/b\n"                                  \
	"[defaults]\nidle_timeout = 7s\ncafile = ca.pem\n"                       \
	"alpn_protocols = h2\nsni_mismatch = reject\n"                           \
	"[listener gw]\nlisten = 127.0.0.1:1\nbackend = 127.0.0.1:9\n"           \
	"certfile = a.pem\ncertfile = a2.pem\nnum_tickets = 1\n"                 \
	"verify_flags = -x509_strict\nhandshake_timeout = 3s\n"                  \
	"[server_name c]\nlistener = gw\nserver_name = c.example\n"              \
	"verify_flags = allow_proxy_certs\nverify_mode = optional\n"             \
	"alpn_protocols = http/1.1 x\n"

static void
server_names_inherit_from_their_listener_value_by_value(void **state)
{
	struct loaded l = load(SERVER_NAMES);
	const struct listener_settings *gw = &l.settings->listeners[0];
	const struct listener_settings *b = &gw->overlays[0];
	const struct listener_settings *c = &gw->overlays[1];

	(void)state;
	assert_findings(&l, "");
	assert_int_equal(l.settings->n_listeners, 1);
	assert_int_equal(gw->n_overlays, 2);
	assert_int_equal(gw->server_names.n, 0);
	assert_null(gw->listener);
	assert_string_equal(b->name, "b");
	assert_string_equal(b->listener, "gw");
	assert_int_equal(b->server_names.n, 2);
	assert_string_equal(b->server_names.items[0], "b.example");
	assert_int_equal(b->listen.n, 0);
	assert_int_equal(b->n_overlays, 0);
	assert_int_equal(b->backend.kind, ADDR_UNIX);
	assert_int_equal(b->tls.certfile.n, 1);
	assert_int_equal(b->tls.num_tickets, 1);
	assert_int_equal(b->idle_timeout_ms, 7000);
	assert_int_equal(b->handshake_timeout_ms, 3000);
	assert_string_equal(b->tls.cafile.items[0], "ca.pem");
	assert_int_equal(b->tls.verify_mode, VERIFY_REQUIRED);
	assert_int_equal(b->tls.verify_flags & TLS_VERIFY_X509_STRICT, 0);
	assert_int_equal(b->tls.sni_mismatch, SNI_MISMATCH_REJECT);
	assert_int_equal(c->backend.kind, ADDR_INET);
	assert_int_equal(c->tls.certfile.n, 2);
	assert_int_equal(c->tls.verify_mode, VERIFY_OPTIONAL);
	assert_int_equal(c->tls.alpn_protocols.n, 2);
	/* Flags start from their default, not from what is inherited. */
	assert_int_equal(c->tls.verify_flags,
		TLS_VERIFY_X509_STRICT | TLS_VERIFY_X509_PARTIAL_CHAIN |
			TLS_VERIFY_X509_TRUSTED_FIRST |
			TLS_VERIFY_ALLOW_PROXY_CERTS);
	unload(&l);
}

static void
a_server_name_without_its_listener_is_left_out(void **state)
{
	struct loaded l = load("[listener web]\nlisten = 127.0.0.1:1\n"
			       "backend = 127.0.0.1:9\ncertfile = c\n"
			       "[server_name a]\nserver_name = a.example\n"
			       "listener = wbe\nidle_timeout = x\n"
			       "[server_name b]\nlisten = *:1\n"
			       "handshake_timeout = 1s\n"
			       "[server_name c]\nlistener = frobnicate\n"
			       "server_name = *.c\n"
			       "[server_name]\nlistener = web\n");

	(void)state;
	assert_findings(&l,
		"t.ini:7: [server_name a] there is no [listener wbe]; did you "
		"mean \"web\"?\n"
		"t.ini:8: [server_name a] idle_timeout \"x\" is not a "
		"duration (such as 500ms, 10s, 5m, 1h, 2d, 0)\n"
		"t.ini:9: [server_name b] missing required key \"listener\"\n"
		"t.ini:9: [server_name b] missing required key "
		"\"server_name\"\n"
		"t.ini:10: [server_name b] key \"listen\" belongs in "
		"[listener NAME]\n"
		"t.ini:11: [server_name b] key \"handshake_timeout\" belongs "
		"in [listener NAME]\n"
		"t.ini:13: [server_name c] there is no [listener "
		"frobnicate]\n"
		"t.ini:14: [server_name c] server_name \"*.c\" is not a "
		"server name: there must be at least two more parts after "
		"\"*\"\n"
		"t.ini:15: [server_name] section has no name: [server_name "
		"NAME]\n");
	assert_int_equal(l.settings->listeners[0].n_overlays, 0);
	unload(&l);
}

static void
inline_pem_keeps_its_lines_and_its_padding(void **state)
{
	struct loaded l = load("[listener a]\nlisten = 127.0.0.1:1\n"
			       "backend = 127.0.0.1:9\ncertfile = c\n"
			       "cadata =\n"
			       "\t-----BEGIN CERTIFICATE-----\n"
			       "\tMIIBszCC+/AVmgAwIBAgIUQ1abcdefghijklmnopqrst"
			       "uvwxyz0123456789ABCDEFGH\r\n"
			       "\tlisten==\n"
			       "\tAb+/=\n"
			       "\n"
			       "\t-----END CERTIFICATE-----\n"
			       "idle_timeout = 5s\n");
	const struct listener_settings *a = &l.settings->listeners[0];

	(void)state;
	/* "listen==" looks like a key that was indented by accident. */
	assert_findings(&l,
		"t.ini:8: [listener a] indented, this line continues "
		"\"cadata\"; remove the blanks before \"listen==\"\n");
	assert_string_equal(a->tls.cadata,
		"-----BEGIN CERTIFICATE-----\n"
		"MIIBszCC+/AVmgAwIBAgIUQ1abcdefghijklmnopqrstuvwxyz0123456789AB"
		"CDEFGH\n"
		"Ab+/=\n"
		"-----END CERTIFICATE-----");
	assert_int_equal(a->idle_timeout_ms, 5000);
	assert_int_equal(a->tls.verify_mode, VERIFY_REQUIRED);
	unload(&l);
}

static void
any_ca_makes_a_certificate_required(void **state)
{
	struct loaded l = load("[defaults]\nbackend = 127.0.0.1:9\n"
			       "certfile = c\n"
			       "[listener a]\nlisten = 127.0.0.1:1\n"
			       "capath = cas\n"
			       "[listener b]\nlisten = 127.0.0.1:2\n"
			       "cadata = x\n"
			       "[listener c]\nlisten = 127.0.0.1:3\n"
			       "load_default_certs = yes\n"
			       "[listener d]\nlisten = 127.0.0.1:4\n"
			       "load_default_certs = no\n");

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct tls_settings *tls = &l.settings->listeners[i].tls;

		assert_true(settings_has_ca(tls));
		assert_int_equal(tls->verify_mode, VERIFY_REQUIRED);
	}
	assert_false(settings_has_ca(&l.settings->listeners[3].tls));
	assert_int_equal(l.settings->listeners[3].tls.verify_mode, VERIFY_NONE);
	unload(&l);
}

static void
policies_are_known_to_every_listener_and_server_name(void **state)
{
	struct loaded l = load("[policy b]\nallow_cn = x y\n\tz\n"
			       "allow_issuer_cn = CA\n"
			       "[listener gw]\nlisten = 127.0.0.1:1\n"
			       "backend = 127.0.0.1:9\ncertfile = c\n"
			       "cafile = ca\nauthorize = a b\n"
			       "[server_name n]\nlistener = gw\n"
			       "server_name = n.example\n"
			       "[policy a]\nallow_ip_san = ::1\n");
	const struct settings *set = l.settings;
	const struct listener_settings *gw = &set->listeners[0];

	(void)state;
	assert_findings(&l, "");
	assert_int_equal(set->n_policies, 2);
	assert_string_equal(set->policies[0].name, "b");
	assert_string_equal(set->policies[0].allow[RULE_CN].items[0], "x y");
	assert_int_equal(set->policies[0].allow[RULE_CN].n, 2);
	assert_int_equal(set->policies[0].allow[RULE_ISSUER_CN].n, 1);
	assert_int_equal(set->policies[1].allow[RULE_IP_SAN].n, 1);
	assert_ptr_equal(gw->policies, set->policies);
	assert_int_equal(gw->n_policies, 2);
	assert_ptr_equal(gw->overlays[0].policies, set->policies);
	assert_int_equal(gw->overlays[0].n_policies, 2);
	assert_int_equal(gw->overlays[0].rules.authorize.n, 2);
	assert_int_equal(gw->rules.allow[RULE_CN].n, 0);
	unload(&l);
}

/* The rules of [defaults] are for those who let in. */
static void
a_policy_takes_nothing_from_defaults(void **state)
{
	struct loaded l = load("[defaults]\nallow_cn = x\n"
			       "[policy a]\nallow_ou = y\n");

	(void)state;
	assert_int_equal(l.settings->n_policies, 1);
	assert_int_equal(l.settings->policies[0].allow[RULE_CN].n, 0);
	assert_int_equal(l.settings->policies[0].allow[RULE_OU].n, 1);
	unload(&l);
}

/* LINES of a listener with a CA and a CRL, once loaded. */
static void
assert_crl_check(const char *lines, enum crl_check check, uint64_t flag)
{
	char *text = xasprintf("[listener a]\nlisten = 127.0.0.1:1\n"
			       "backend = 127.0.0.1:9\ncertfile = c\n"
			       "cafile = ca\n%s",
		lines);
	struct loaded l = load(text);
	const struct tls_settings *tls = &l.settings->listeners[0].tls;

	assert_int_equal(tls->crl_check, check);
	assert_int_equal(tls->verify_flags & 3, flag);
	assert_int_equal(settings_crl_flag(tls), flag);
	unload(&l);
	free(text);
}

static void
crl_check_and_its_flags_say_the_same_in_the_end(void **state)
{
	(void)state;
	assert_crl_check("", CRL_CHECK_NONE, 0);
	assert_crl_check(
		"crlfile = c\n", CRL_CHECK_LEAF, TLS_VERIFY_CRL_CHECK_LEAF);
	assert_crl_check("crlfile = c\ncrl_check = none\n", CRL_CHECK_NONE, 0);
	assert_crl_check("crlfile = c\ncrl_check = chain\n", CRL_CHECK_CHAIN,
		TLS_VERIFY_CRL_CHECK_CHAIN);
	assert_crl_check("crlfile = c\nverify_flags = crl_check_chain\n",
		CRL_CHECK_CHAIN, TLS_VERIFY_CRL_CHECK_CHAIN);
	assert_crl_check("verify_flags = crl_check_leaf\n", CRL_CHECK_LEAF,
		TLS_VERIFY_CRL_CHECK_LEAF);
	/* The chain has the leaf in it. */
	assert_crl_check("verify_flags = crl_check_leaf crl_check_chain\n",
		CRL_CHECK_CHAIN, TLS_VERIFY_CRL_CHECK_CHAIN);
}

static void
a_listener_without_certificate_rejects_unknown_names(void **state)
{
	struct loaded l = load("[listener a]\nlisten = 127.0.0.1:1\n"
			       "backend = 127.0.0.1:9\n"
			       "[server_name x]\nlistener = a\n"
			       "server_name = x.example\ncertfile = c\n"
			       "[listener b]\nlisten = 127.0.0.1:2\n"
			       "backend = 127.0.0.1:9\ncertfile = c\n");

	(void)state;
	assert_findings(&l, "");
	assert_int_equal(
		l.settings->listeners[0].tls.sni_mismatch, SNI_MISMATCH_REJECT);
	assert_int_equal(l.settings->listeners[1].tls.sni_mismatch,
		SNI_MISMATCH_DEFAULT);
	unload(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file_becomes_typed_values),
		cmocka_unit_test(
			listeners_inherit_from_defaults_and_lists_are_replaced),
		cmocka_unit_test(places_lead_to_where_a_value_was_written),
		cmocka_unit_test(
			workers_auto_are_the_processors_that_may_be_used),
		cmocka_unit_test(
			verify_mode_follows_the_cafile_when_it_is_not_written),
		cmocka_unit_test(all_errors_of_a_file_are_found_in_one_run),
		cmocka_unit_test(
			values_that_are_broken_leave_the_default_behind),
		cmocka_unit_test(a_missing_value_is_an_error_of_its_line),
		cmocka_unit_test(
			nameless_and_second_sections_are_looked_through_but_not_served),
		cmocka_unit_test(
			a_file_that_cannot_be_read_is_one_error_without_a_line),
		cmocka_unit_test(a_worker_loads_the_same_from_the_bundles),
		cmocka_unit_test(freeing_no_settings_is_fine),
		cmocka_unit_test(
			server_names_inherit_from_their_listener_value_by_value),
		cmocka_unit_test(
			a_server_name_without_its_listener_is_left_out),
		cmocka_unit_test(inline_pem_keeps_its_lines_and_its_padding),
		cmocka_unit_test(any_ca_makes_a_certificate_required),
		cmocka_unit_test(
			policies_are_known_to_every_listener_and_server_name),
		cmocka_unit_test(a_policy_takes_nothing_from_defaults),
		cmocka_unit_test(
			crl_check_and_its_flags_say_the_same_in_the_end),
		cmocka_unit_test(
			a_listener_without_certificate_rejects_unknown_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
