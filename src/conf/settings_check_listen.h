#pragma once

struct report;
struct settings;

/* The part of settings_check() about what is listened on: no two addresses, of
 * one listener or of two, that could not be bound side by side. */
void settings_check_listen(
	const struct settings *settings, struct report *report);
