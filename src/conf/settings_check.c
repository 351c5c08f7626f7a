#include "config.h"

#include "conf/settings_check.h"

#include <stddef.h>

#include "conf/options.h"
#include "conf/settings.h"
#include "conf/settings_check_listen.h"
#include "conf/settings_check_names.h"
#include "conf/settings_check_proxy.h"
#include "conf/settings_check_rules.h"
#include "conf/settings_check_tls.h"

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

/* What a server name has from its listener was looked at there. */
static void
check_own_backend(
	const struct listener_settings *server_name, struct report *report)
{
	if (settings_origin(server_name, "backend") == ORIGIN_SECTION ||
		settings_origin(server_name, "allow_remote_plaintext") ==
			ORIGIN_SECTION)
		check_backend(server_name, report);
}

/* What listeners and server names have in common. */
static void
check_shared(const struct listener_settings *listener, struct report *report)
{
	settings_check_tls(listener, report);
	settings_check_rules(listener, report);
	settings_check_proxy(listener, report);
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

		check_shared(listener, report);
		check_backend(listener, report);
		settings_check_names(listener, report);
		for (size_t k = 0; k < listener->n_overlays; k++) {
			check_shared(&listener->overlays[k], report);
			check_own_backend(&listener->overlays[k], report);
		}
	}
	settings_check_listen(settings, report);
	settings_check_policies(settings, report);
}
