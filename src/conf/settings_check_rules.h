#pragma once

struct listener_settings;
struct report;
struct settings;

/* The part of settings_check() about the rules on client certificates of
 * LISTENER, which may be a server name. */
void settings_check_rules(
	const struct listener_settings *listener, struct report *report);

/* The same about all [policy NAME]. */
void settings_check_policies(
	const struct settings *settings, struct report *report);
