#pragma once

struct file_source;
struct listener_settings;

/*
 * What the values of LISTENER, which may be a server name, mean where they
 * depend on each other: the defaults that are not in a table, and what is left
 * of the rules where no certificate is asked for. After all its options are
 * set, before settings_check().
 */
void settings_resolve(
	struct listener_settings *listener, struct file_source *source);
