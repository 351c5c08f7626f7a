#pragma once

struct listener_settings;
struct report;

/* The part of settings_check() about the server names of LISTENER: claimed
 * twice, without use, without a certificate, or none to be rejected for. */
void settings_check_names(
	const struct listener_settings *listener, struct report *report);
