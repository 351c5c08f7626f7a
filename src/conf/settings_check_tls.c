#include "config.h"

#include "conf/settings_check_tls.h"

#include <stdbool.h>
#include <stddef.h>

#include "conf/options.h"
#include "conf/settings.h"

static bool
is_written(const struct listener_settings *listener, const char *key)
{
	return settings_origin(listener, key) != ORIGIN_DEFAULT;
}

/*
 * A server name may say otherwise than its listener: that is no contradiction
 * to what it inherits, and it has no other way to get rid of that.
 */
static bool
is_overruled(const struct listener_settings *listener, const char *by,
	const char *key)
{
	return listener->listener != NULL &&
	       settings_origin(listener, by) == ORIGIN_SECTION &&
	       settings_origin(listener, key) != ORIGIN_SECTION;
}

static void
check_keyfiles(const struct listener_settings *listener, struct report *report)
{
	const struct tls_settings *tls = &listener->tls;

	if (tls->keyfile.n == 0 || tls->keyfile.n == tls->certfile.n)
		return;
	settings_report(listener, "keyfile", 0, REPORT_ERROR, report,
		"%zu keyfile for %zu certfile; there must be one for each, in "
		"the same order, or none",
		tls->keyfile.n, tls->certfile.n);
}

static void
check_versions(const struct listener_settings *listener, struct report *report)
{
	int min = listener->tls.minimum_version;
	int max = listener->tls.maximum_version;

	if (max < min)
		settings_report(listener, "maximum_version", 0, REPORT_ERROR,
			report,
			"maximum_version \"%s\" is below minimum_version "
			"\"%s\"",
			option_tls_versions[max], option_tls_versions[min]);
	if (min < TLS_VERSION_1_2)
		settings_report(listener, "minimum_version", 0, REPORT_WARNING,
			report,
			"minimum_version \"%s\" lets clients use a protocol "
			"that is no longer safe",
			option_tls_versions[min]);
}

static void
check_ignored(const struct listener_settings *listener, const char *key,
	bool is_set, struct report *report)
{
	if (is_set && !is_overruled(listener, "verify_mode", key))
		settings_report(listener, "verify_mode", 0, REPORT_ERROR,
			report,
			"verify_mode \"none\" would ignore %s; remove one of "
			"them",
			key);
}

static void
check_verify_mode(
	const struct listener_settings *listener, struct report *report)
{
	const struct tls_settings *tls = &listener->tls;

	if (!is_written(listener, "verify_mode"))
		return;
	if (tls->verify_mode != VERIFY_NONE) {
		if (!settings_has_ca(tls))
			settings_report(listener, "verify_mode", 0,
				REPORT_ERROR, report,
				"verify_mode needs a cafile to verify "
				"with");
		return;
	}
	check_ignored(listener, "cafile", tls->cafile.n > 0, report);
	check_ignored(listener, "capath", tls->capath != NULL, report);
	check_ignored(listener, "cadata", tls->cadata != NULL, report);
	check_ignored(listener, "load_default_certs", tls->load_default_certs,
		report);
	check_ignored(listener, "crlfile", tls->crlfile.n > 0, report);
}

static void
check_ca(const struct listener_settings *listener, struct report *report)
{
	const struct tls_settings *tls = &listener->tls;

	if (tls->cadata != NULL && *tls->cadata == '\0')
		settings_report(listener, "cadata", 0, REPORT_ERROR, report,
			"cadata has no value");
	if (tls->load_default_certs && tls->verify_mode != VERIFY_NONE)
		settings_report(listener, "load_default_certs", 0,
			REPORT_WARNING, report,
			"load_default_certs lets in any public CA's client");
}

/* CRLs may also be in capath: who asks for them there says crl_check. */
static void
check_crl(const struct listener_settings *listener, struct report *report)
{
	const struct tls_settings *tls = &listener->tls;
	bool is_off = tls->crl_check == CRL_CHECK_NONE;
	const char *key = is_written(listener, "crl_check") ? "crl_check"
							    : "verify_flags";

	if (!is_off && tls->crlfile.n == 0 && tls->capath == NULL &&
		(tls->verify_mode != VERIFY_NONE ||
			!is_overruled(listener, "verify_mode", key)))
		settings_report(listener, key, 0, REPORT_ERROR, report,
			"%s \"%s\" needs a crlfile, or a capath with "
			"revocation lists",
			key, option_crl_checks[tls->crl_check]);
	if (tls->crlfile.n > 0 && !settings_has_ca(tls) &&
		!is_written(listener, "verify_mode"))
		settings_report(listener, "crlfile", 0, REPORT_ERROR, report,
			"crlfile is of no use without a CA: set cafile, "
			"capath, cadata or load_default_certs");
	if (tls->crlfile.n > 0 && is_off &&
		!is_overruled(listener, "crl_check", "crlfile"))
		settings_report(listener, "crl_check", 0, REPORT_ERROR, report,
			"crl_check \"none\" would ignore crlfile; remove one "
			"of them");
}

/* OpenSSL looks for no proxy certificate in a CRL, and with "leaf" for nothing
 * else: whoever was revoked would come back with one. */
static void
check_crls_of_proxies(
	const struct listener_settings *listener, struct report *report)
{
	const struct tls_settings *tls = &listener->tls;

	if ((tls->verify_flags & TLS_VERIFY_ALLOW_PROXY_CERTS) != 0 &&
		tls->crl_check == CRL_CHECK_LEAF)
		settings_report(listener, "verify_flags", 0, REPORT_ERROR,
			report,
			"verify_flags \"allow_proxy_certs\" with crl_check "
			"\"leaf\" lets in who was revoked; set crl_check = "
			"chain");
}

/* Two ways to say the same, if both were used. */
static void
check_crl_flags(const struct listener_settings *listener, struct report *report)
{
	const struct tls_settings *tls = &listener->tls;
	const uint64_t both =
		TLS_VERIFY_CRL_CHECK_LEAF | TLS_VERIFY_CRL_CHECK_CHAIN;

	if ((tls->verify_flags & both) == settings_crl_flag(tls))
		return;
	settings_report(listener, "verify_flags", 0, REPORT_ERROR, report,
		"verify_flags contradicts crl_check \"%s\"; remove "
		"crl_check_leaf and crl_check_chain from it",
		option_crl_checks[tls->crl_check]);
}

static void
check_options(const struct listener_settings *listener, struct report *report)
{
	uint64_t options = listener->tls.options;

	if ((options & TLS_OPTION_NO_RENEGOTIATION) == 0)
		settings_report(listener, "options", 0, REPORT_WARNING, report,
			"options -no_renegotiation lets clients renegotiate, "
			"which costs much and changes who they are");
	if ((options & TLS_OPTION_NO_COMPRESSION) == 0)
		settings_report(listener, "options", 0, REPORT_WARNING, report,
			"options -no_compression gives away what is "
			"compressed (CRIME)");
}

static void
check_tickets(const struct listener_settings *listener, struct report *report)
{
	if (listener->tls.num_tickets == 0 &&
		listener->tls.ticket_secret_file != NULL &&
		!is_overruled(listener, "num_tickets", "ticket_secret_file"))
		settings_report(listener, "ticket_secret_file", 0,
			REPORT_WARNING, report,
			"ticket_secret_file is not used: with num_tickets 0 "
			"there are no tickets");
}

static void
check_keylog(const struct listener_settings *listener, struct report *report)
{
	const char *path = listener->tls.keylog_filename;

	if (path == NULL)
		return;
	settings_report(listener, "keylog_filename", 0, REPORT_WARNING, report,
		"%s \"%s\" gets the secrets of all connections: whoever reads "
		"it can decrypt them",
		is_written(listener, "keylog_filename")
			? "keylog_filename"
			: "SSLKEYLOGFILE of the environment:",
		path);
}

#define KEYS_MAX 7

/* What is checked, and the keys that it is about. */
static const struct check {
	void (*run)(const struct listener_settings *, struct report *);
	const char *keys[KEYS_MAX + 1];
} checks[] = {
	{check_keyfiles, {"certfile", "keyfile"}},
	{check_versions, {"minimum_version", "maximum_version"}},
	{check_verify_mode, {"verify_mode", "cafile", "capath", "cadata",
				    "load_default_certs", "crlfile"}},
	{check_ca, {"cadata", "load_default_certs"}},
	{check_crl, {"crl_check", "verify_flags", "crlfile", "cafile", "capath",
			    "cadata", "load_default_certs"}},
	{check_crl_flags, {"crl_check", "verify_flags"}},
	{check_crls_of_proxies, {"crl_check", "verify_flags", "crlfile"}},
	{check_options, {"options"}},
	{check_tickets, {"num_tickets", "ticket_secret_file"}},
	{check_keylog, {"keylog_filename"}},
};

static bool
is_due(const struct check *check, const struct listener_settings *listener)
{
	if (listener->listener == NULL)
		return true;
	for (size_t i = 0; check->keys[i] != NULL; i++) {
		if (settings_origin(listener, check->keys[i]) == ORIGIN_SECTION)
			return true;
	}
	return false;
}

void
settings_check_tls(
	const struct listener_settings *listener, struct report *report)
{
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		if (is_due(&checks[i], listener))
			checks[i].run(listener, report);
	}
}
