#pragma once

#include <stdio.h>

struct file_source;
struct listener_settings;
struct policy_settings;
struct settings;

/*
 * The effective settings, as a configuration that could be loaded in place of
 * the original: every option of a section with its value, where the value
 * came from as a comment behind it, and below a TLS option what OpenSSL made
 * of it. Of secrets only the paths are shown.
 */
void check_print_process(const struct settings *settings, FILE *out);

/* Only what is written in it: nothing else counts. */
void check_print_policy(const struct policy_settings *policy, FILE *out);

/* One listener or server name, without [defaults]: all values are written
 * out. Its files come from FILES and are in order. */
void check_print_section(const struct listener_settings *section,
	struct file_source *files, FILE *out);
