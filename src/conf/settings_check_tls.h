#pragma once

struct listener_settings;
struct report;

/* The part of settings_check() about the TLS side of LISTENER, which may be a
 * server name: then what it has from its listener alone is not said again. */
void settings_check_tls(
	const struct listener_settings *listener, struct report *report);
