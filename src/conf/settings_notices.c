#include "config.h"

#include "conf/settings.h"

#include <stddef.h>

/* What an administrator may want to know, and need not change. */

/* WHAT of KEY is the CA: its name where it has one. */
static void
note_ca(const struct listener_settings *listener, const char *key, size_t index,
	const char *what, struct report *notices)
{
	settings_report(listener, key, index, REPORT_WARNING, notices,
		"every client with a certificate of %s%s%s%s gets in: no rule "
		"says who may; authorize = any says that this is meant",
		key, what == NULL ? "" : " \"", what == NULL ? "" : what,
		what == NULL ? "" : "\"");
}

static void
note_open(const struct listener_settings *listener, struct report *notices)
{
	const struct tls_settings *tls = &listener->tls;

	if (tls->verify_mode != VERIFY_REQUIRED ||
		settings_has_admission(&listener->rules))
		return;
	for (size_t i = 0; i < tls->cafile.n; i++)
		note_ca(listener, "cafile", i, tls->cafile.items[i], notices);
	if (tls->capath != NULL)
		note_ca(listener, "capath", 0, tls->capath, notices);
	if (tls->cadata != NULL)
		note_ca(listener, "cadata", 0, NULL, notices);
	if (tls->load_default_certs)
		note_ca(listener, "load_default_certs", 0, NULL, notices);
}

void
settings_notices(const struct settings *settings, struct report *notices)
{
	for (size_t i = 0; i < settings->n_listeners; i++) {
		const struct listener_settings *listener =
			&settings->listeners[i];

		note_open(listener, notices);
		for (size_t k = 0; k < listener->n_overlays; k++)
			note_open(&listener->overlays[k], notices);
	}
}
