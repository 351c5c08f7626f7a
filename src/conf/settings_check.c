#include "config.h"

#include "conf/settings_check.h"

#include "conf/options.h"
#include "conf/settings.h"

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
check_verify_mode(
	const struct listener_settings *listener, struct report *report)
{
	bool has_ca = listener->tls.cafile.n > 0;

	switch ((enum verify_mode)listener->tls.verify_mode) {
	case VERIFY_NONE:
		/* With a CA only a written "none" ends up here. */
		if (has_ca)
			settings_report(listener, "verify_mode", 0,
				REPORT_ERROR, report,
				"verify_mode \"none\" would ignore cafile; "
				"remove one of them");
		break;
	case VERIFY_OPTIONAL:
	case VERIFY_REQUIRED:
		if (!has_ca)
			settings_report(listener, "verify_mode", 0,
				REPORT_ERROR, report,
				"verify_mode needs a cafile to verify with");
		break;
	case VERIFY_AUTO:
		break;
	}
}

static void
check_backend(const struct listener_settings *listener, struct report *report)
{
	char text[ADDR_TEXT_MAX];

	if (listener->backend.kind == ADDR_NONE ||
		addr_is_local(&listener->backend) ||
		listener->allow_remote_plaintext)
		return;
	settings_report(listener, "backend", 0, REPORT_ERROR, report,
		"backend \"%s\" may be on another machine and would be sent "
		"plaintext; set allow_remote_plaintext = yes if that is meant",
		addr_format(&listener->backend, text));
}

/* Address INDEX of LISTENER against those of OTHER before LIMIT. */
static void
check_overlap(const struct listener_settings *listener, size_t index,
	const struct listener_settings *other, size_t limit,
	struct report *report)
{
	const struct addr *addr = &listener->listen.items[index];
	char ours[ADDR_TEXT_MAX], theirs[ADDR_TEXT_MAX];

	for (size_t i = 0; i < limit; i++) {
		const struct addr *taken = &other->listen.items[i];

		if (!addr_overlaps(addr, taken))
			continue;
		settings_report(listener, "listen", index, REPORT_ERROR, report,
			"listen \"%s\" overlaps \"%s\" of [listener %s] in "
			"line %u",
			addr_format(addr, ours), addr_format(taken, theirs),
			other->name, settings_pos(other, "listen", i).line);
	}
}

static void
check_listen(const struct settings *settings, size_t nth, struct report *report)
{
	const struct listener_settings *listener = &settings->listeners[nth];

	for (size_t i = 0; i < listener->listen.n; i++) {
		for (size_t other = 0; other < nth; other++)
			check_overlap(listener, i, &settings->listeners[other],
				settings->listeners[other].listen.n, report);
		check_overlap(listener, i, listener, i, report);
	}
}

void
settings_check(const struct settings *settings, struct report *report)
{
	const struct conf_pos whole = {.file = settings->path};

	if (settings->n_listeners == 0)
		report_add(report, REPORT_ERROR, &whole, NULL,
			"there is no [listener NAME] section");
	for (size_t i = 0; i < settings->n_listeners; i++) {
		const struct listener_settings *listener =
			&settings->listeners[i];

		check_keyfiles(listener, report);
		check_versions(listener, report);
		check_verify_mode(listener, report);
		check_backend(listener, report);
		check_listen(settings, i, report);
	}
}
