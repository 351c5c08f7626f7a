#pragma once

struct listener_settings;
struct report;

/* The part of settings_check() about the PROXY protocol, on both sides of
 * LISTENER, which may be a server name. */
void settings_check_proxy(
	const struct listener_settings *listener, struct report *report);
